import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
rng = np.random.RandomState(0)
ALPHABET = "abcd"
glyphs = rng.randn(len(ALPHABET), 3, 8).astype("float32")
char_to_id = {c: i + 1 for i, c in enumerate(ALPHABET)}


def render(n, length=4):
    words, strips = [], []
    for _ in range(n):
        w = "".join(rng.choice(list(ALPHABET), length))
        cols = []
        for ch in w:
            cols.append(glyphs[ALPHABET.index(ch)])
            cols.append(np.zeros((2, 8), dtype="float32"))
        strip = np.concatenate(cols)
        words.append(w)
        strips.append(strip + 0.1 * rng.randn(*strip.shape))
    x = torch.tensor(np.array(strips), dtype=torch.float32)
    y = torch.tensor([[char_to_id[c] for c in w] for w in words])
    return x, y, words


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 48, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(96, len(ALPHABET) + 1)

    def forward(self, x):
        return F.log_softmax(self.fc(self.rnn(x)[0]), dim=-1)


id_to_char = {i: c for c, i in char_to_id.items()}


def decode(log_probs):
    out = []
    for path in log_probs.argmax(-1).tolist():
        kept = [p for i, p in enumerate(path) if p != 0 and (i == 0 or p != path[i - 1])]
        out.append("".join(id_to_char.get(p, "?") for p in kept))
    return out


model = Reader()
ctc = nn.CTCLoss(blank=0)
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
x_test, _, w_test = render(200)
for step in range(1, 161):
    x, y, _ = render(32)
    lp = model(x)
    loss = ctc(lp.transpose(0, 1), y, torch.full((32,), x.size(1)), torch.full((32,), y.size(1)))
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 40 == 0:
        with torch.no_grad():
            acc = np.mean([a == b for a, b in zip(decode(model(x_test)), w_test)])
        print(f"step {step} ctc {loss.item():.3f} word accuracy {acc:.3f}")
