"""Three sound classifiers on spectrograms, trained side by side in one loop, and averaged."""
import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
import parity

paddle.seed(21)
rng = np.random.RandomState(21)
EPOCHS = 3
N, RATE, CLASSES = 120, 1024, 4
label = rng.randint(0, CLASSES, N)
t = np.arange(RATE) / RATE
pitch = 60 + 70 * label + rng.randint(-15, 15, N)
wave = np.sin(2 * np.pi * pitch[:, None] * t + rng.rand(N, 1) * 6) + 0.3 * rng.randn(N, RATE)
wave, label = paddle.to_tensor(wave.astype("float32")), paddle.to_tensor(label.astype("int64"))


class SpecNet(nn.Layer):
    def __init__(self, width):
        super().__init__()
        self.register_buffer("window", paddle.audio.functional.get_window("hann", 64).astype("float32"))
        self.convs = nn.Sequential(nn.Conv2D(1, width, 3, padding=1, stride=2), nn.GroupNorm(2, width), nn.ReLU(),
                                   nn.Conv2D(width, 2 * width, 3, padding=1, stride=(2, 1)), nn.ReLU())
        self.out = nn.Linear(2 * width * 9, CLASSES)

    def spectrogram(self, x):
        with paddle.no_grad():
            s = paddle.signal.stft(x, n_fft=64, hop_length=32, window=self.window).abs()
            s = paddle.log1p(s)
            if self.training:                                 # SpecAugment: hide a few frequencies
                low = int(rng.randint(0, 30))
                s[:, low:low + 2] = 0
            return s.unsqueeze(1)

    def forward(self, x):
        h = self.convs(self.spectrogram(x))
        return self.out(h.mean(axis=3).flatten(1))


members = [SpecNet(w) for w in (4, 6, 8)]
opts = [paddle.optimizer.Momentum(0.05, 0.9, parameters=m.parameters(), weight_decay=1e-4) for m in members]
with parity.doctor(members, opts) as d:
    for epoch in range(EPOCHS):
        for m in members:
            m.train()
        perm = rng.permutation(96)
        for start in range(0, 96, 16):
            d.mark()
            idx = paddle.to_tensor(perm[start:start + 16])
            x, y = paddle.index_select(wave, idx), paddle.index_select(label, idx)
            for m, opt in zip(members, opts):
                loss = F.cross_entropy(m(x), y)
                loss.backward()
                opt.step()
                opt.clear_grad()
        for m in members:
            m.eval()
        with paddle.no_grad():
            vote = sum(F.softmax(m(wave[96:]), axis=-1) for m in members) / 3
            print(epoch, float(loss), float((vote.argmax(-1) == label[96:]).astype("float32").mean()))
print(d)
