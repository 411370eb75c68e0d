import numpy as np
import paddle
from paddle import nn
from paddle.io import DataLoader, Dataset

paddle.seed(100)
np.random.seed(100)
VOCAB, LEN = 50, 16


class Sentences(Dataset):
    def __init__(self, n):
        self.x = np.random.randint(1, VOCAB, (n, LEN)).astype("int64")
        self.y = ((self.x < 17).sum(1) > (self.x > 33).sum(1)).astype("int64")

    def __getitem__(self, i):
        return self.x[i], self.y[i]

    def __len__(self):
        return len(self.x)


class TextCNN(nn.Layer):
    def __init__(self, dim=32):
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, dim)
        self.convs = nn.LayerList([nn.Conv1D(dim, 32, k, padding=k // 2) for k in (1, 3)])
        self.fc = nn.Linear(64, 2)

    def forward(self, ids):
        e = self.embedding(ids).transpose([0, 2, 1])
        h = [nn.functional.relu(c(e)).mean(-1) for c in self.convs]
        return self.fc(paddle.concat(h, axis=1))


def evaluate(model, loader):
    model.eval()
    m = paddle.metric.Accuracy()
    for x, y in loader:
        m.update(m.compute(model(x), y.unsqueeze(1)))
    model.train()
    return m.accumulate()


train_loader = DataLoader(Sentences(2000), batch_size=50, shuffle=True)
dev_loader = DataLoader(Sentences(400), batch_size=100)
model = TextCNN()
steps = len(train_loader) * 6
base = paddle.optimizer.lr.PolynomialDecay(5e-3, decay_steps=steps, end_lr=1e-5)
lr_scheduler = paddle.optimizer.lr.LinearWarmup(base, warmup_steps=20, start_lr=0.0, end_lr=5e-3)
optimizer = paddle.optimizer.AdamW(learning_rate=lr_scheduler, parameters=model.parameters(), weight_decay=0.01)
criterion = nn.CrossEntropyLoss()
for epoch in range(6):
    for batch_x, batch_y in train_loader:
        loss = criterion(model(batch_x), batch_y)
        loss.backward()
        optimizer.step()
        lr_scheduler.step()
        optimizer.clear_grad()
    print(f"epoch {epoch} lr {optimizer.get_lr():.6f} loss {float(loss):.4f} dev acc {evaluate(model, dev_loader):.4f}")
