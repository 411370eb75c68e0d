import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
tones = torch.randn(6, 8); m = nn.LSTM(8, 32, bidirectional=True); fc = nn.Linear(64, 6); opt = torch.optim.Adam([*m.parameters(), *fc.parameters()], 1e-2); sch = torch.optim.lr_scheduler.ExponentialLR(opt, 0.9)
data = []
for _ in range(160):
    n = int(torch.randint(2, 5, ())); y = torch.randint(1, 6, (n,)); data.append((tones[y].repeat_interleave(3, 0) + 0.2 * torch.randn(3 * n, 8), y))
data.sort(key=lambda d: len(d[1]))
for epoch in range(3):
    for i in range(0, 160, 16):
        x, y = zip(*data[i:i+16]); xl, yl = torch.tensor([len(v) for v in x]), torch.tensor([len(v) for v in y])
        lp = fc(m(nn.utils.rnn.pad_sequence(x))[0]).log_softmax(-1); loss = F.ctc_loss(lp, torch.cat(y), xl, yl, zero_infinity=True); opt.zero_grad(); loss.backward(); opt.step()
    sch.step(); torch.manual_seed(epoch); data = [data[j] for j in torch.randperm(160)]; print(epoch, loss.item())
