import numpy as np, paddle, paddle.nn as nn
paddle.seed(0); rng = np.random.default_rng(1)
U, I = rng.integers(0, 30, 600), rng.integers(0, 40, 600); R = (np.sin(U)[:] * np.cos(I)).astype("float32")[:, None]
class D(paddle.io.Dataset):
    def __len__(self): return 600
    def __getitem__(self, i): return U[i], I[i], R[i]
class Net(nn.Layer):
    def __init__(self): super().__init__(); self.u, self.i, self.f = nn.Embedding(30, 8), nn.Embedding(40, 8), nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 1))
    def forward(self, u, i): return self.f(paddle.concat([self.u(u), self.i(i)], -1))
m = paddle.Model(Net(), inputs=[paddle.static.InputSpec([None], "int64", "u"), paddle.static.InputSpec([None], "int64", "i")], labels=[paddle.static.InputSpec([None, 1], "float32", "r")])
m.prepare(paddle.optimizer.Adam(1e-2, parameters=m.parameters()), nn.MSELoss()); m.fit(D(), D(), epochs=4, batch_size=50, verbose=0, callbacks=[paddle.callbacks.EarlyStopping("loss", patience=2)]); print(m.evaluate(D(), batch_size=100, verbose=0))
