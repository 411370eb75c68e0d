import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(0)
text = ("the quick brown fox jumps over the lazy dog and then it sleeps under the old oak tree "
        "while the rain falls softly on the quiet hills and the river runs to the sea ") * 12
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
ids = torch.tensor([stoi[c] for c in text])
B, CHUNK = 8, 24
n = len(ids) // B
stream = ids[:n * B].view(B, n)


class CharRNN(nn.Module):
    def __init__(self, v, h=64):
        super().__init__()
        self.emb = nn.Embedding(v, 24)
        self.rnn = nn.LSTM(24, h, batch_first=True)
        self.out = nn.Linear(h, v)

    def forward(self, x, state=None):
        y, state = self.rnn(self.emb(x), state)
        return self.out(y), state


model = CharRNN(len(chars))
opt = torch.optim.RMSprop(model.parameters(), lr=3e-3)
ce = nn.CrossEntropyLoss()

for epoch in range(1, 13):
    state, losses = None, []
    for i in range(0, n - 1 - CHUNK, CHUNK):
        x, y = stream[:, i:i + CHUNK], stream[:, i + 1:i + 1 + CHUNK]
        if state is not None:
            state = tuple(s.detach() for s in state)
        logits, state = model(x, state)
        loss = ce(logits.reshape(-1, len(chars)), y.reshape(-1))
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        opt.step()
        losses.append(loss.item())
    if epoch % 3 == 0 or epoch == 1:
        print(f"epoch {epoch} perplexity {np.exp(np.mean(losses)):.2f}")

with torch.no_grad():
    x, state, out = torch.tensor([[stoi["t"]]]), None, "t"
    for _ in range(40):
        logits, state = model(x, state)
        x = logits[:, -1].argmax(-1, keepdim=True)
        out += chars[x.item()]
print(out)
