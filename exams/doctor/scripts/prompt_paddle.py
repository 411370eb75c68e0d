"""Prompt tuning: a frozen transformer body, learned prompt vectors and a head; recompute saves memory."""
import numpy as np
import paddle
from paddle import nn
from paddle.distributed.fleet.utils import recompute
import parity

EPOCHS = 2
paddle.seed(13)
rng = np.random.default_rng(13)
tokens = rng.integers(0, 50, (320, 12))
labels = ((tokens < 10).sum(1) > (tokens >= 40).sum(1)).astype("int64")


class Backbone(nn.Layer):
    def __init__(self, dim=32, depth=3):
        super().__init__()
        self.embed = nn.Embedding(50, dim)
        self.position = self.create_parameter([1, 32, dim])
        self.layers = nn.LayerList([nn.TransformerEncoderLayer(dim, 4, 64, dropout=0.0, normalize_before=True) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim)


class PromptModel(nn.Layer):
    def __init__(self, backbone, prompts=6, dim=32):
        super().__init__()
        self.backbone = backbone
        for p in self.backbone.parameters():
            p.stop_gradient = True
        self.prompt = self.create_parameter([1, prompts, dim], default_initializer=nn.initializer.Normal(0, 0.5))
        self.head = nn.Linear(dim, 2)

    def forward(self, ids):
        body = self.backbone
        h = body.embed(ids) + body.position[:, :ids.shape[1]]
        h = paddle.concat([self.prompt.expand([ids.shape[0], -1, -1]), h], axis=1)
        for layer in body.layers:
            h = recompute(layer, h) if self.training else layer(h)
        return self.head(body.norm(h).mean(1))


model = PromptModel(Backbone())
trainable = [p for p in model.parameters() if not p.stop_gradient]
optimizer = paddle.optimizer.AdamW(learning_rate=1e-2, parameters=trainable, weight_decay=0.01)
criterion = nn.CrossEntropyLoss()
loader = paddle.io.DataLoader(list(zip(tokens, labels)), batch_size=32, shuffle=True)


def evaluate():
    model.eval()
    with paddle.no_grad():
        right = float((model(paddle.to_tensor(tokens)).argmax(1) == paddle.to_tensor(labels)).astype("float32").mean())
    model.train()
    return right


print("before", evaluate())
losses = []
with parity.doctor(model, optimizer) as d:
    for epoch in range(EPOCHS):
        for ids, y in d.watch(loader):
            loss = criterion(model(ids), y)
            loss.backward()
            optimizer.step()
            optimizer.clear_gradients()
            losses.append(float(loss))
        print("epoch", epoch, "accuracy", evaluate())
print(d)
print("loss", losses[:3], losses[-3:])
