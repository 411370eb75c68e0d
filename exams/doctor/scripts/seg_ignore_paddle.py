import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
np.random.seed(0)


def make(n, s=16):
    img = 0.25 * np.random.randn(n, 1, s, s).astype("float32")
    lab = np.zeros((n, s, s), dtype="int64")
    for i in range(n):
        for c, v in ((1, 1.0), (2, -1.0)):
            h, w = np.random.randint(4, 7, 2)
            r, q = np.random.randint(0, s - h), np.random.randint(0, s - w)
            img[i, 0, r:r + h, q:q + w] += v
            lab[i, r:r + h, q:q + w] = c
    lab[:, 0, :] = 255      # unlabelled border row
    return paddle.to_tensor(img), paddle.to_tensor(lab)


class SegNet(nn.Layer):
    def __init__(self, n_cls=3):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2D(1, 16, 3, padding=1), nn.BatchNorm2D(16), nn.ReLU(), nn.MaxPool2D(2),
                                  nn.Conv2D(16, 32, 3, padding=1), nn.ReLU())
        self.up = nn.Conv2DTranspose(32, 16, 2, stride=2)
        self.out = nn.Conv2D(17, n_cls, 3, padding=1)

    def forward(self, x):
        u = nn.functional.relu(self.up(self.down(x)))
        return self.out(paddle.concat([u, x], axis=1))


def masked_ce(logits, lab):
    valid = (lab != 255)
    lab = paddle.where(valid, lab, paddle.zeros_like(lab))
    loss = criterion(logits, lab)
    return (loss * valid.astype("float32")).sum() / valid.astype("float32").sum()


criterion = nn.CrossEntropyLoss(axis=1, reduction="none")
model = SegNet()
opt = paddle.optimizer.Adam(5e-3, parameters=model.parameters())
for step in range(80):
    img, lab = make(16)
    loss = masked_ce(model(img), lab)
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 8 == 0:
        print(f"iter {step} loss {float(loss):.4f}")
model.eval()
img, lab = make(64)
pred, lab = model(img).argmax(axis=1).numpy(), lab.numpy()
for c in range(3):
    inter, union = ((pred == c) & (lab == c)).sum(), (((pred == c) & (lab != 255)) | (lab == c)).sum()
    print(f"class {c} iou {inter / union:.3f}")
