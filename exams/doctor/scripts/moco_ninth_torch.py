import copy, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
protos = torch.randn(64, 16); q = nn.Sequential(nn.Linear(16, 48), nn.ReLU(), nn.Linear(48, 12)); k = copy.deepcopy(q)
for p in k.parameters(): p.requires_grad = False
queue, ptr = F.normalize(torch.randn(256, 12), dim=1), 0; opt = torch.optim.SGD(q.parameters(), 0.1, momentum=0.9, weight_decay=1e-4)
for it in range(120):
    x = protos[torch.randint(0, 64, (32,))]; zq = F.normalize(q(x + 0.3 * torch.randn_like(x)), dim=1)
    with torch.no_grad():
        for a, b in zip(q.parameters(), k.parameters()): b.data = b.data * 0.99 + a.data * 0.01
        zk = F.normalize(k(x + 0.3 * torch.randn_like(x)), dim=1)
    logits = torch.cat([(zq * zk).sum(1, keepdim=True), zq @ queue.clone().t()], 1) / 0.2; loss = F.cross_entropy(logits, torch.zeros(32, dtype=torch.long))
    opt.zero_grad(); loss.backward(); opt.step(); queue[ptr:ptr+32] = zk; ptr = (ptr + 32) % 256
    if it % 30 == 0: print(it, loss.item())
