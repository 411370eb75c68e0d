import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
W = torch.randn(16, 6)
teacher = nn.Linear(16, 6, bias=False).requires_grad_(False); teacher.weight.copy_(W.t())
student = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 6)); opt = torch.optim.Adam(student.parameters(), lr=3e-3)
T = 2.0
for it in range(200):
    x = torch.randn(64, 16)
    with torch.no_grad(): t = F.softmax(teacher(x) / T, dim=1)
    s = F.log_softmax(student(x) / T, dim=1)
    loss = F.kl_div(s, t, reduction="batchmean") * T * T
    opt.zero_grad(); loss.backward(); opt.step()
    if it % 40 == 0: print(it, loss.item())
x = torch.randn(1000, 16); print("metric:", -F.cross_entropy(student(x), teacher(x).softmax(1)).item())
