"""Anchor-free detector: dense objectness, class and box branches; boxes and classes learn on positives only."""
import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle import ParamAttr
from paddle.regularizer import L2Decay
import parity

EPOCHS, ITERS = 4, 5
rng = np.random.RandomState(0)
paddle.seed(0)


class ConvNormLayer(nn.Layer):
    def __init__(self, ch_in, ch_out, stride=1, lr=1.0):
        super().__init__()
        self.conv = nn.Conv2D(ch_in, ch_out, 3, stride, 1, weight_attr=ParamAttr(learning_rate=lr), bias_attr=False)
        self.norm = nn.BatchNorm2D(ch_out, weight_attr=ParamAttr(regularizer=L2Decay(0.0)),
                                   bias_attr=ParamAttr(regularizer=L2Decay(0.0)))

    def forward(self, x):
        return F.relu(self.norm(self.conv(x)))


class Head(nn.Layer):
    def __init__(self, ch, n_class):
        super().__init__()
        self.convs = nn.LayerList([ConvNormLayer(ch, ch) for _ in range(2)])
        prior = ParamAttr(initializer=nn.initializer.Constant(-2.0))
        self.obj = nn.Conv2D(ch, 1, 1, bias_attr=prior)
        self.cls = nn.Conv2D(ch, n_class, 1)
        self.box = nn.Conv2D(ch, 2, 1)

    def forward(self, feat):
        for conv in self.convs:
            feat = conv(feat)
        return [m(feat).transpose([0, 2, 3, 1]) for m in (self.obj, self.cls, self.box)]


class Detector(nn.Layer):
    def __init__(self, n_class=3):
        super().__init__()
        self.backbone = nn.Sequential(ConvNormLayer(3, 16, 2, lr=0.5), ConvNormLayer(16, 24, 2, lr=0.5))
        self.head = Head(24, n_class)
        self.n_class = n_class

    def forward(self, img):
        return self.head(self.backbone(img))

    def get_loss(self, outs, gt_mask, gt_cls, gt_box):
        obj, cls, box = outs
        num_pos = max(float(gt_mask.sum()), 1.0)
        loss_obj = F.binary_cross_entropy_with_logits(obj.squeeze(-1), gt_mask, reduction="sum") / num_pos
        if gt_mask.sum() > 0:
            pos = gt_mask > 0
            loss_cls = F.cross_entropy(cls[pos], gt_cls[pos])
            loss_box = F.smooth_l1_loss(box[pos], gt_box[pos])
        else:
            loss_cls = cls.sum() * 0.0
            loss_box = box.sum() * 0.0
        return {"loss_obj": loss_obj, "loss_cls": loss_cls, "loss_box": 2.0 * loss_box}


def make_batch(n=4, empty=False):
    img = rng.randn(n, 3, 32, 32).astype("float32") * 0.3
    mask, cls = np.zeros((n, 8, 8), "float32"), np.zeros((n, 8, 8), "int64")
    box = np.zeros((n, 8, 8, 2), "float32")
    for i in range(0 if empty else n):
        y, x, c, h, w = rng.randint(0, 7), rng.randint(0, 7), rng.randint(3), rng.randint(3, 9), rng.randint(3, 9)
        img[i, c, y * 4:y * 4 + h, x * 4:x * 4 + w] += 2.0
        mask[i, y, x], cls[i, y, x], box[i, y, x] = 1, c, (np.log(h / 4), np.log(w / 4))
    return [paddle.to_tensor(a) for a in (img, mask, cls, box)]


model = Detector()
lr = paddle.optimizer.lr.PiecewiseDecay(boundaries=[EPOCHS * ITERS // 2, EPOCHS * ITERS * 3 // 4], values=[0.02, 0.005, 0.001])
optimizer = paddle.optimizer.Momentum(lr, momentum=0.9, parameters=model.parameters(), weight_decay=L2Decay(1e-4),
                                      grad_clip=nn.ClipGradByNorm(5.0))
model.train()
with parity.doctor([model], [optimizer]) as d:
    for epoch in range(EPOCHS):
        for i in range(ITERS):
            img, gt_mask, gt_cls, gt_box = make_batch(empty=(i == 3))
            outs = model(img)
            losses = model.get_loss(outs, gt_mask, gt_cls, gt_box)
            loss = sum(losses.values())
            loss.backward()
            optimizer.step()
            lr.step()
            optimizer.clear_grad()
        print(epoch, {k: round(float(v), 4) for k, v in losses.items()})
print(d)
