import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)

class SentenceClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(20, 16)
        self.rnn = nn.GRU(16, 24, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(48, 4)
    def forward(self, tokens):
        _, hidden = self.rnn(self.emb(tokens))
        hidden = torch.cat([hidden[0], hidden[1]], dim=1)
        return self.fc(hidden)

def batch(n=32):
    x = torch.randint(4, 20, (n, 9)); y = torch.randint(0, 4, (n,)); x[:, 4] = y
    return x, y

net = SentenceClassifier(); opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for it in range(250):
    x, y = batch(); loss = F.cross_entropy(net(x), y)
    opt.zero_grad(); loss.backward(); opt.step()
    if it % 50 == 0: print(it, loss.item())
x, y = batch(256)
print("metric:", (net(x).argmax(1) == y).float().mean().item())
