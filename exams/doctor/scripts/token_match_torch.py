import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(3)
VOCAB, T, D = 12, 10, 32


def sample(n):
    x = torch.randint(1, VOCAB, (n, T))
    x[:, 0] = 0
    y = (x == 5).any(1).long() + 2 * (x == 7).any(1).long()
    return x, y


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, D)
        self.pos = nn.Parameter(torch.randn(1, T, D) * 0.02)
        layer = nn.TransformerEncoderLayer(D, nhead=4, dim_feedforward=64, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=2)
        self.fc = nn.Linear(D, 4)

    def forward(self, x):
        h = self.emb(x) + self.pos
        h = self.encoder(h)
        return self.fc(h[:, 0])


model = Classifier()
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
xtest, ytest = sample(500)

for step in range(1, 151):
    x, y = sample(64)
    loss = F.cross_entropy(model(x), y)
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    opt.step()
    if step % 30 == 0:
        model.eval()
        with torch.no_grad():
            acc = (model(xtest).argmax(1) == ytest).float().mean().item()
        model.train()
        print(f"step {step}: loss {loss.item():.3f} test acc {acc:.3f}")
