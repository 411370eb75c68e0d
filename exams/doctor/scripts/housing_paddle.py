import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)


def load_data():
    x = np.random.rand(1000, 13).astype("float32") * np.linspace(1, 100, 13, dtype="float32")
    z = (x - x.mean(0)) / x.std(0)
    price = 22 + 4 * z[:, 5] - 3 * z[:, 12] + 2 * z[:, 0] * z[:, 1] + 0.5 * np.random.randn(1000)
    data = np.concatenate([x, price[:, None].astype("float32")], axis=1)
    offset = 800
    mx, mn, avg = data[:offset].max(0), data[:offset].min(0), data[:offset].mean(0)
    data = (data - avg) / (mx - mn)
    return data[:offset], data[offset:], float(mx[-1] - mn[-1])


class Regressor(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(13, 32)
        self.fc2 = nn.Linear(32, 1)

    def forward(self, inputs):
        return self.fc2(F.relu(self.fc1(inputs)))


training_data, test_data, scale = load_data()
model = Regressor()
model.train()
opt = paddle.optimizer.Adam(learning_rate=0.005, parameters=model.parameters())
EPOCH_NUM, BATCH_SIZE = 20, 20
for epoch_id in range(EPOCH_NUM):
    np.random.shuffle(training_data)
    for k in range(0, len(training_data), BATCH_SIZE):
        mini = training_data[k:k + BATCH_SIZE]
        features = paddle.to_tensor(mini[:, :-1])
        y = paddle.to_tensor(mini[:, -1:])
        predicts = model(features)
        loss = F.square_error_cost(predicts, label=y)
        avg_loss = paddle.mean(loss)
        avg_loss.backward()
        opt.step()
        opt.clear_grad()
    if epoch_id % 5 == 4:
        print("epoch: {}, loss is: {:.5f}".format(epoch_id + 1, float(avg_loss)))

model.eval()
pred = model(paddle.to_tensor(test_data[:, :-1])).numpy()[:, 0]
print("test RMSE", round(float(np.sqrt(((pred - test_data[:, -1]) ** 2).mean()) * scale), 4))
