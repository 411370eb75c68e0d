import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Faces(Dataset):
    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.x = torch.randn(n, 24, generator=g)
        w = torch.randn(24, 3, generator=torch.Generator().manual_seed(99))
        h = torch.tanh(self.x @ w / 3)
        self.age = 35 + 20 * h[:, 0]
        self.gender = (h[:, 1] > 0).long()

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return {"x": self.x[i], "age": (self.age[i] - 35) / 20, "gender": self.gender[i]}


class TwoHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(24, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.age_head = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
        self.gender_head = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, x):
        h = self.trunk(x)
        return self.age_head(h).squeeze(-1), self.gender_head(h)


torch.manual_seed(0)
loader = DataLoader(Faces(2000, 1), batch_size=50, shuffle=True)
val = Faces(500, 2)
model = TwoHead()
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
mse, ce = nn.MSELoss(), nn.CrossEntropyLoss()
for epoch in range(8):
    age_sum = gender_sum = 0.0
    for batch in loader:
        age_pred, gender_pred = model(batch["x"])
        age_loss = mse(age_pred, batch["age"])
        gender_loss = ce(gender_pred, batch["gender"])
        total_loss = gender_loss + 2.0 * age_loss
        opt.zero_grad()
        total_loss.backward()
        opt.step()
        age_sum += age_loss.item()
        gender_sum += gender_loss.item()
    with torch.no_grad():
        a, g = model(val.x)
        mae = (a * 20 + 35 - val.age).abs().mean().item()
        acc = (g.argmax(1) == val.gender).float().mean().item()
    print(f"epoch {epoch} total {total_loss.item():.3f} gender acc {acc:.3f} age MAE {mae:.3f}")
