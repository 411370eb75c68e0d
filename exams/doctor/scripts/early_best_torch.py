import copy
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(260, 30)
w = torch.randn(30)
y = ((x @ w) / 5 + 0.6 * torch.randn(260) > 0).float()
xt, yt, xv, yv = x[:60], y[:60], x[60:160], y[60:160]
model = nn.Sequential(nn.Linear(30, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
bce = nn.BCEWithLogitsLoss()
best_loss, best_state, wait, patience = float("inf"), None, 0, 8
for epoch in range(60):
    model.train()
    for i in torch.randperm(60).split(20):
        optimizer.zero_grad()
        bce(model(xt[i]).squeeze(1), yt[i]).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        val_loss = bce(model(xv).squeeze(1), yv).item()
    print(f"epoch {epoch} val loss {val_loss:.4f}")
    if val_loss < best_loss:
        best_loss, wait = val_loss, 0
        best_state = copy.deepcopy(model.state_dict())
    else:
        wait += 1
        if wait > patience:
            print("stopping early")
            break
model.load_state_dict(best_state)
with torch.no_grad():
    print("test loss of the best", bce(model(x[160:]).squeeze(1), y[160:]).item())
