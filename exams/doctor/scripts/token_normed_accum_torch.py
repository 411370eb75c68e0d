import torch
from torch import nn

torch.manual_seed(0)
V = 15


def micro_batch():
    """Sentences of unlike length (0 is the pad) that count upwards by the first token's step."""
    n, T = 8, int(torch.randint(4, 12, (1,)))
    step, start = torch.randint(1, 4, (n, 1)), torch.randint(0, V - 1, (n, 1))
    s = (start + step * torch.arange(T)) % (V - 1) + 1
    lengths = torch.randint(3, T + 1, (n, 1))
    return torch.where(torch.arange(T) < lengths, s, 0)


class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb, self.rnn, self.out = nn.Embedding(V, 24, padding_idx=0), nn.GRU(24, 48, batch_first=True), nn.Linear(48, V)

    def forward(self, s):
        return self.out(self.rnn(self.emb(s))[0])


net = LM()
opt = torch.optim.Adam(net.parameters(), lr=4e-3)
for step in range(150):
    micro = [micro_batch() for _ in range(4)]
    tokens = sum(int((m[:, 1:] != 0).sum()) for m in micro)     # of the whole virtual batch
    total = 0.0
    for m in micro:
        logits = net(m[:, :-1])
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), m[:, 1:].flatten(), ignore_index=0, reduction="sum") / tokens
        loss.backward()
        total += loss.item()
    opt.step()
    opt.zero_grad()
    if step % 30 == 0:
        print("step", step, "loss per token", total)
print("final loss", total)
