import torch
import torch.nn as nn

torch.manual_seed(4)
device = torch.device("cpu")
X = torch.randn(3000, 32, device=device)
teacher = nn.Sequential(nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 4))
with torch.no_grad():
    Y = (teacher(X) * 4).argmax(1)

net = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 4)).to(device)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
scaler = torch.amp.GradScaler("cpu")
loss_fn = nn.CrossEntropyLoss()
use_amp = True
max_norm = 1.0

for epoch in range(8):
    epoch_loss = 0.0
    for idx in torch.randperm(len(X)).split(60):
        with torch.autocast(device_type=device.type, dtype=torch.bfloat16, enabled=use_amp):
            output = net(X[idx])
            loss = loss_fn(output, Y[idx])
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(net.parameters(), max_norm)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)
        epoch_loss += loss.item()
    acc = (net(X).argmax(1) == Y).float().mean().item()
    print(f"epoch {epoch} loss {epoch_loss / 50:.4f} acc {acc:.4f}")
