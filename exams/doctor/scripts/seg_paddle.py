"""Binary segmentation with a trainer, BCE + Dice, weights averaged (EMA) for validation, lr lowered on a plateau."""
import numpy as np
import paddle
from paddle import nn
from paddle.nn import functional as F
from paddle.io import Dataset, DataLoader
from paddle.vision import transforms as T
import parity

EPOCHS = 4


class Discs(Dataset):
    def __init__(self, n, seed, transform):
        rng = np.random.RandomState(seed)
        yy, xx = np.mgrid[:24, :24]
        self.samples, self.transform = [], transform
        for _ in range(n):
            cy, cx, r = rng.randint(6, 18), rng.randint(6, 18), rng.randint(3, 7)
            mask = ((yy - cy) ** 2 + (xx - cx) ** 2 < r * r)
            img = rng.randint(0, 90, (24, 24, 3)) + mask[..., None] * rng.randint(70, 160, 3)
            self.samples.append((img.astype("uint8"), mask[None].astype("float32")))

    def __getitem__(self, i):
        img, mask = self.samples[i]
        return self.transform(img), mask

    def __len__(self):
        return len(self.samples)


class BCEDiceLoss(nn.Layer):
    def forward(self, logit, label):
        bce = F.binary_cross_entropy_with_logits(logit, label)
        p = F.sigmoid(logit).flatten(1)
        t = label.flatten(1)
        dice = 1 - (2 * (p * t).sum(1) + 1.0) / (p.sum(1) + t.sum(1) + 1.0)
        return 0.5 * bce + dice.mean()


class UNet(nn.Layer):
    def __init__(self):
        super().__init__()
        block = lambda i, o: nn.Sequential(nn.Conv2D(i, o, 3, padding=1), nn.BatchNorm2D(o), nn.ReLU())
        self.enc1, self.enc2 = block(3, 8), block(8, 16)
        self.pool, self.drop = nn.MaxPool2D(2), nn.Dropout2D(0.1)
        self.up = nn.Conv2DTranspose(16, 8, 2, stride=2)
        self.dec = block(16, 8)
        self.out = nn.Conv2D(8, 1, 1)

    def forward(self, x):
        a = self.enc1(x)
        b = self.drop(self.enc2(self.pool(a)))
        return self.out(self.dec(paddle.concat([a, self.up(b)], axis=1)))


class EMA:
    def __init__(self, model, decay):
        self.model, self.decay = model, decay
        self.shadow = {k: v.clone().detach() for k, v in model.state_dict().items()}

    @paddle.no_grad()
    def update(self):
        for k, v in self.model.state_dict().items():
            self.shadow[k] = self.decay * self.shadow[k] + (1 - self.decay) * v.detach()

    def apply(self):
        self.backup = {k: v.clone() for k, v in self.model.state_dict().items()}
        self.model.set_state_dict(self.shadow)

    def restore(self):
        self.model.set_state_dict(self.backup)


class Trainer:
    def __init__(self, model, optimizer, scheduler, train_loader, val_loader):
        self.model, self.optimizer, self.scheduler = model, optimizer, scheduler
        self.train_loader, self.val_loader = train_loader, val_loader
        self.criterion, self.ema = BCEDiceLoss(), EMA(model, 0.9)

    def train_step(self, image, mask):
        logits = self.model(image)
        loss = self.criterion(logits, mask)
        loss.backward()
        self.optimizer.step()
        self.optimizer.clear_grad()
        self.ema.update()
        return float(loss)

    @paddle.no_grad()
    def evaluate(self):
        self.model.eval()
        self.ema.apply()
        losses = [float(self.criterion(self.model(x), y)) for x, y in self.val_loader]
        self.ema.restore()
        self.model.train()
        return float(np.mean(losses))

    def fit(self, d):
        for epoch in range(EPOCHS):
            train = [self.train_step(x, y) for x, y in d.watch(self.train_loader)]
            val = self.evaluate()
            self.scheduler.step(val)
            print(f"epoch {epoch} train {np.mean(train):.3f} val {val:.3f} lr {self.optimizer.get_lr():.4f}")


paddle.seed(0)
np.random.seed(0)
tf = T.Compose([T.ToTensor(), T.Normalize(mean=[0.5] * 3, std=[0.5] * 3)])
train_loader = DataLoader(Discs(40, 0, tf), batch_size=8, shuffle=True)
val_loader = DataLoader(Discs(16, 1, tf), batch_size=8)
net = UNet()
plateau = paddle.optimizer.lr.ReduceOnPlateau(learning_rate=0.01, mode="min", factor=0.5, patience=3)
opt = paddle.optimizer.RMSProp(plateau, parameters=net.parameters())
trainer = Trainer(net, opt, plateau, train_loader, val_loader)
with parity.doctor(net, opt) as d:
    trainer.fit(d)
print(d)
