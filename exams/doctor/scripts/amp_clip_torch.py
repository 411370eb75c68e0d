import torch
import torch.nn as nn

torch.manual_seed(0)
x = torch.randn(1024, 16)
y = (x[:, :4].sum(1) * x[:, 4] > 0).long() + (x[:, 5] > 0.5).long()

model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
scaler = torch.amp.GradScaler("cpu")
criterion = nn.CrossEntropyLoss()

step = 0
for epoch in range(15):
    perm = torch.randperm(1024)
    running = 0.0
    for i in range(0, 1024, 128):
        xb, yb = x[perm[i:i + 128]], y[perm[i:i + 128]]
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = model(xb)
            loss = criterion(out, yb)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        scaler.step(optimizer)
        scaler.update()
        running += loss.item()
        step += 1
    print(f"epoch {epoch} loss {running / 8:.4f} scale {scaler.get_scale():.0f}")
with torch.no_grad():
    print("train acc", (model(x).argmax(1) == y).float().mean().item())
