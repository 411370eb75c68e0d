"""CRNN + CTC text recognition in the manner of PaddleOCR: conv backbone, BiLSTM neck, CTC head."""
import numpy as np
import paddle
from paddle import nn
from paddle.io import Dataset, DataLoader
import parity

EPOCHS = 3
CHARS = "abcde"          # index 0 is the CTC blank


class WordDataset(Dataset):
    def __init__(self, n=64, seed=0):
        rng = np.random.RandomState(seed)
        glyphs = rng.rand(len(CHARS), 16, 6) > 0.5
        self.items = []
        for _ in range(n):
            length = rng.randint(3, 6)
            word = rng.randint(0, len(CHARS), length)
            img = np.zeros((1, 16, 48), "float32")
            for i, c in enumerate(word):
                img[0, :, 2 + i * 9:8 + i * 9] = glyphs[c]
            img += 0.1 * rng.randn(*img.shape)
            label = np.zeros(6, "int64")
            label[:length] = word + 1
            self.items.append(((img - 0.5) / 0.5, label, length))

    def __getitem__(self, idx):
        img, label, length = self.items[idx]
        return img.astype("float32"), label, np.array(length, "int64")

    def __len__(self):
        return len(self.items)


class ConvBN(nn.Layer):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv = nn.Conv2D(cin, cout, 3, stride=stride, padding=1, bias_attr=False)
        self.bn = nn.BatchNorm2D(cout)

    def forward(self, x):
        return nn.functional.hardswish(self.bn(self.conv(x)))


class CRNN(nn.Layer):
    def __init__(self, n_class):
        super().__init__()
        self.backbone = nn.Sequential(ConvBN(1, 16, 2), ConvBN(16, 32, (2, 1)), ConvBN(32, 32, (2, 1)))
        self.neck = nn.LSTM(64, 32, direction="bidirectional")
        self.head = nn.Linear(64, n_class)

    def forward(self, x):
        x = self.backbone(x)                              # B, C, 2, 24
        x = x.flatten(1, 2).transpose([0, 2, 1])          # B, W, C
        x, _ = self.neck(x)
        x = self.head(x)
        if not self.training:
            x = nn.functional.softmax(x, axis=2)
        return x


class CTCLoss(nn.Layer):
    def __init__(self):
        super().__init__()
        self.loss_func = nn.CTCLoss(blank=0, reduction="none")

    def forward(self, predicts, batch):
        predicts = predicts.transpose((1, 0, 2))
        N, B, _ = predicts.shape
        preds_lengths = paddle.to_tensor([N] * B, dtype="int64")
        loss = self.loss_func(predicts, batch[1].astype("int32"), preds_lengths, batch[2])
        return {"loss": loss.mean()}


paddle.seed(1)
np.random.seed(1)
loader = DataLoader(WordDataset(), batch_size=8, shuffle=True, drop_last=True)
model = CRNN(len(CHARS) + 1)
loss_class = CTCLoss()
scheduler = paddle.optimizer.lr.LinearWarmup(
    paddle.optimizer.lr.CosineAnnealingDecay(5e-3, T_max=EPOCHS * len(loader)), warmup_steps=4, start_lr=0.0, end_lr=5e-3)
optimizer = paddle.optimizer.Adam(scheduler, parameters=model.parameters(), weight_decay=1e-5)
model.train()

with parity.doctor(model, optimizer) as d:
    for epoch in range(EPOCHS):
        for batch in d.watch(loader):
            preds = model(batch[0])
            loss = loss_class(preds, batch)
            avg_loss = loss["loss"]
            avg_loss.backward()
            optimizer.step()
            optimizer.clear_grad()
            scheduler.step()
        print(epoch, float(avg_loss), optimizer.get_lr())
print(d)
