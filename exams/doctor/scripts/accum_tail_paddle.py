import numpy as np, paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0); rng = np.random.default_rng(0); X = rng.normal(size=(330, 9)).astype("float32"); Y = (X @ rng.normal(size=(9, 3))).argmax(1)
net = nn.Sequential(nn.Linear(9, 32), nn.LayerNorm(32), nn.GELU(), nn.Linear(32, 3)); opt = paddle.optimizer.AdamW(3e-3, parameters=net.parameters()); ds = paddle.io.TensorDataset([paddle.to_tensor(X), paddle.to_tensor(Y)]); loader = paddle.io.DataLoader(ds, batch_sampler=paddle.io.BatchSampler(ds, shuffle=True, batch_size=16))
for epoch in range(4):
    for k, (x, y) in enumerate(loader):
        with paddle.amp.auto_cast(level="O1", dtype="bfloat16"): loss = F.cross_entropy(net(x), y) / 4
        loss.backward()
        if (k + 1) % 4 == 0 or k + 1 == len(loader): opt.step(); opt.clear_grad()
    print(epoch, 4 * float(loss))
