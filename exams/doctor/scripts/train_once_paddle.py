import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
w = rng.normal(size=(40, 1))
x = rng.normal(size=(400, 40)).astype("float32")
y = ((x @ w + 3.0 * rng.normal(size=(400, 1))) > 0).astype("float32")
xt, yt, xv, yv = x[:120], y[:120], x[120:], y[120:]
loss_fn = nn.BCEWithLogitsLoss()


def validate(model):
    model.eval()
    with paddle.no_grad():
        return float(loss_fn(model(paddle.to_tensor(xv)), paddle.to_tensor(yv)))


def main(epochs=25):
    model = nn.Sequential(nn.Linear(40, 128), nn.ReLU(), nn.Dropout(0.8), nn.Linear(128, 1))
    opt = paddle.optimizer.Adam(learning_rate=2e-3, parameters=model.parameters())
    for epoch in range(epochs):
        model.train()
        for i in range(0, 120, 20):
            loss = loss_fn(model(paddle.to_tensor(xt[i:i + 20])), paddle.to_tensor(yt[i:i + 20]))
            loss.backward()
            opt.step()
            opt.clear_grad()
        val = validate(model)
        if epoch % 4 == 0:
            print(f"epoch {epoch} loss {float(loss):.4f} val loss {val:.4f}")
    print("final val loss", val)


main()
