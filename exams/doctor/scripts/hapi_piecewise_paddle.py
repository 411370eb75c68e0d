import numpy as np, paddle, paddle.nn as nn
paddle.seed(0); rng = np.random.default_rng(0)
X = rng.normal(size=(480, 1, 8, 8)).astype("float32"); W = rng.normal(size=(64, 4)); Y = (X.reshape(480, 64) @ W).argmax(1)[:, None]
class Data(paddle.io.Dataset):
    def __len__(self): return 480
    def __getitem__(self, i): return X[i], Y[i]
net = nn.Sequential(nn.Conv2D(1, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(512, 4))
lr = paddle.optimizer.lr.PiecewiseDecay(boundaries=[45, 90], values=[0.05, 0.0005, 0.00005])
model = paddle.Model(net)
model.prepare(paddle.optimizer.Momentum(lr, 0.9, parameters=net.parameters()), nn.CrossEntropyLoss(), paddle.metric.Accuracy())
model.fit(Data(), epochs=8, batch_size=32, verbose=0)
print("metric:", model.evaluate(Data(), batch_size=64, verbose=0)["loss"][0])
