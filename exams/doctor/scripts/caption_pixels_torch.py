import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(2)

class Captioner(nn.Module):
    def __init__(self):
        super().__init__()
        self.cnn = nn.Conv2d(1, 16, 1)
        self.query = nn.Embedding(16, 16); self.key = nn.Linear(16, 16); self.place = nn.Parameter(torch.randn(16, 16))
        self.out = nn.Linear(16, 8)
    def forward(self, image, word):
        f = torch.relu(self.cnn(image))                        # (B, 16, 4, 4)
        f = f.permute(0, 2, 3, 1).reshape(len(f), 16, 16)
        w = torch.softmax((self.key(f + self.place) @ self.query(word).unsqueeze(2)).squeeze(2), 1)
        return self.out((w.unsqueeze(2) * f).sum(1))

def batch(n=64):
    image = torch.randint(0, 8, (n, 1, 4, 4)); word = torch.randint(0, 16, (n,))
    return image.float() / 4 - 1, word, image.flatten(1).gather(1, word[:, None]).squeeze(1)

net = Captioner(); opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for it in range(300):
    image, word, target = batch()
    loss = F.cross_entropy(net(image, word), target)
    opt.zero_grad(); loss.backward(); opt.step()
    if it % 60 == 0: print(it, loss.item())
image, word, target = batch(512)
print("metric:", (net(image, word).argmax(1) == target).float().mean().item())
