import torch
import torch.nn as nn

torch.manual_seed(0)
LETTERS, STEPS = 5, 12          # blank is 0, letters are 1..5


def batch(n):
    """Each letter is written over 2 frames, between frames of noise; the targets are the letters."""
    x = torch.randn(n, STEPS, 8) * 0.2
    targets = torch.randint(0, LETTERS, (n, 3))
    for k in range(3):
        for d in range(2):
            x[torch.arange(n), 4 * k + d, targets[:, k]] += 2.0
    return x, targets + 1


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 32, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(64, LETTERS + 1)

    def forward(self, x):
        return self.fc(self.rnn(x)[0]).log_softmax(-1)


net = Reader()
ctc = nn.CTCLoss(blank=0)
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for step in range(250):
    x, t = batch(32)
    lp = net(x).transpose(0, 1)
    loss = ctc(lp, t, torch.full((32,), STEPS), torch.full((32,), 3))
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 50 == 0:
        print("step", step, "loss", round(loss.item(), 4))
x, t = batch(200)
best = net(x).argmax(-1)
right = 0
for row, want in zip(best, t):
    seq = [int(a) for a, b in zip(row, [0] + row[:-1].tolist()) if a != b and a != 0]
    right += seq == want.tolist()
print("final loss", loss.item(), "sequences right", right / 200)
