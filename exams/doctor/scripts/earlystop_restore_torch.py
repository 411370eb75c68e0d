import copy

import torch
import torch.nn as nn

torch.manual_seed(0)

w = torch.randn(40, 1)
x_tr, x_va = torch.randn(160, 40), torch.randn(300, 40)
y_tr = (x_tr @ w > 0).float()
y_tr[:32] = 1 - y_tr[:32]          # some annotator noise in the small train set
y_va = (x_va @ w > 0).float()

model = nn.Sequential(nn.Linear(40, 128), nn.ReLU(), nn.Linear(128, 1))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
bce = nn.BCEWithLogitsLoss()

best_val, best_state, best_epoch = float("inf"), None, -1
for epoch in range(100):
    model.train()
    opt.zero_grad()
    loss = bce(model(x_tr), y_tr)
    loss.backward()
    opt.step()
    model.eval()
    with torch.no_grad():
        val = bce(model(x_va), y_va).item()
    if val < best_val:
        best_val, best_epoch = val, epoch
        best_state = copy.deepcopy(model.state_dict())
    if epoch % 10 == 0:
        print(f"epoch {epoch} train {loss.item():.4f} val {val:.4f}")

model.load_state_dict(best_state)
with torch.no_grad():
    val = bce(model(x_va), y_va).item()
print(f"restored epoch {best_epoch}: best val {best_val:.4f}, val of restored model {val:.4f}")
