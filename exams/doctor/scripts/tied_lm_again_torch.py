import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(5)
text = "she sells sea shells by the sea shore and the shells she sells are surely sea shells so if she sells shells on the sea shore. " * 60
vocab = sorted(set(text))
ids = torch.tensor([vocab.index(c) for c in text])
V, H, B, T = len(vocab), 64, 16, 20


class RNNLM(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Embedding(V, H)
        self.rnn = nn.LSTM(H, H)
        self.decoder = nn.Linear(H, V)
        self.decoder.weight = self.encoder.weight
        self.encoder.weight.data.uniform_(-0.1, 0.1)

    def forward(self, x, hidden):
        out, hidden = self.rnn(self.encoder(x), hidden)
        return self.decoder(out), hidden


def repackage_hidden(h):
    return tuple(v.detach() for v in h)


n = len(ids) // B
data = ids[:n * B].view(B, n).t().contiguous()
model = RNNLM()
optimizer = torch.optim.Adam(model.parameters(), 5e-3)
for epoch in range(6):
    hidden = (torch.zeros(1, B, H), torch.zeros(1, B, H))
    total, k = 0.0, 0
    for i in range(0, n - T - 1, T):
        hidden = repackage_hidden(hidden)
        model.zero_grad()
        out, hidden = model(data[i:i + T], hidden)
        loss = F.cross_entropy(out.reshape(-1, V), data[i + 1:i + T + 1].reshape(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        total, k = total + loss.item(), k + 1
    print(f"epoch {epoch} ppl {torch.tensor(total / k).exp().item():.3f}")
