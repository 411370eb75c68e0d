"""Attention with masks of all kinds, and recurrent layers."""

from exams.verdicts.program import Program

TOKENS = "normal(2, 5, 6)"
MASKED = "normal(2, 5, 6), np.array([[1, 1, 1, 1, 0], [1, 1, 1, 0, 0]], dtype=bool)"


def attention(name: str, scores: str, *mistakes: str, paddle: str = "", inputs: str = TOKENS, arguments: str = "self, x", **more) -> Program:
    """One head; `scores` makes of `s`, the scores, what softmax takes."""
    def text(line: str, transposed: str) -> str:
        return (f"self.q, self.k, self.v = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 6)\ndef forward({arguments}):\n"
                f"    s = self.q(x) @ self.k(x).{transposed} / 6 ** 0.5\n    {line}\n    return F.softmax(s, -1) @ self.v(x)\n")
    return Program(name, inputs, text(scores, "transpose(1, 2)"), text(paddle or scores.replace("torch", "paddle"), "transpose([0, 2, 1])"), mistakes, **more)


def recurrent(name: str, built: str, line: str, *mistakes: str, paddle: str = "", inputs: str = "normal(2, 5, 3)", twin_line: str = "", **more) -> Program:
    text = "{}\ndef forward(self, x):\n    return {}\n".format
    return Program(name, inputs, text(built, line), text(paddle, twin_line or line), mistakes, **more)


PROGRAMS = [
    attention("plain", "s = s", "/ 6 ** 0.5 => / 6", "F.softmax(s, -1) => F.softmax(s, 1)", "@ self.v(x) => @ x"),
    attention("causal, minus infinity", "s = s.masked_fill(torch.ones(5, 5).triu(1).bool(), float('-inf'))", "triu(1) => triu(2)",
              paddle="s = s.masked_fill(paddle.ones([5, 5]).triu(1).astype('bool'), float('-inf'))"),
    attention("causal, the smallest number", "s = s.masked_fill(torch.ones(5, 5).triu(1).bool(), torch.finfo(torch.float32).min)",
              "triu(1) => triu(0)",
              paddle="s = s.masked_fill(paddle.ones([5, 5]).triu(1).astype('bool'), paddle.finfo(paddle.float32).min)"),
    attention("causal, minus ten thousand", "s = s + torch.ones(5, 5).triu(1) * -1e4", "* -1e4 => * -1e0", paddle="s = s + paddle.ones([5, 5]).triu(1) * -1e4"),
    attention("a mask of padding", "s = s.masked_fill(~mask.unsqueeze(1), float('-inf'))", "~mask.unsqueeze(1) => mask.unsqueeze(1)", inputs=MASKED, arguments="self, x, mask"),
    attention("an additive mask of padding", "s = s + (1.0 - mask[:, None].to(s.dtype)) * -1e9",
              "* -1e9 => * -1.0", inputs=MASKED, arguments="self, x, mask", paddle="s = s + (1.0 - mask[:, None].astype(s.dtype)) * -1e9"),
    attention("distances as a bias", "s = s - 0.5 * (torch.arange(5)[:, None] - torch.arange(5)).abs()", "0.5 * => 0.25 *",
              paddle="s = s - 0.5 * (paddle.arange(5)[:, None] - paddle.arange(5)).abs().astype(s.dtype)"),
    attention("scores capped by tanh", "s = 2.0 * torch.tanh(s / 2.0)", "s / 2.0 => s"),
    attention("sparse scores", "s = s.masked_fill(s < s.topk(2, -1).values[..., -1:], float('-inf'))", "topk(2, => topk(3,",
              paddle="s = s.masked_fill(s < s.topk(2, -1)[0][..., -1:], float('-inf'))"),
    attention("logits of a masked model", "s = s.masked_fill(x[..., :5] > 1, -3.4e38)", "-3.4e38) => -3.4e38) * 0.999", options='modes=["eval"]'),
    Program("several heads", TOKENS, """
self.qkv = nn.Linear(6, 18)
self.out = nn.Linear(6, 6)
def forward(self, x):
    b, n, c = x.shape
    q, k, v = self.qkv(x).reshape(b, n, 3, 2, 3).permute(2, 0, 3, 1, 4)
    s = (q @ k.transpose(-2, -1)) * 3 ** -0.5
    y = (s.softmax(-1) @ v).transpose(1, 2).reshape(b, n, c)
    return self.out(y)
""", """
self.qkv = nn.Linear(6, 18)
self.out = nn.Linear(6, 6)
def forward(self, x):
    b, n, c = x.shape
    q, k, v = self.qkv(x).reshape([b, n, 3, 2, 3]).transpose([2, 0, 3, 1, 4])
    s = (q @ k.transpose([0, 1, 3, 2])) * 3 ** -0.5
    y = (F.softmax(s, -1) @ v).transpose([0, 2, 1, 3]).reshape([b, n, c])
    return self.out(y)
""", ["reshape([b, n, 3, 2, 3]).transpose([2, 0, 3, 1, 4]) => reshape([b, n, 2, 3, 3]).transpose([3, 0, 2, 1, 4])",
      "* 3 ** -0.5 => * 6 ** -0.5", ".transpose([0, 2, 1, 3]).reshape => .reshape", "q, k, v = => k, q, v ="]),
    Program("scaled dot product", "normal(2, 2, 5, 4), normal(2, 2, 5, 4), normal(2, 2, 5, 4)", """
self.fc = nn.Linear(4, 4)
def forward(self, q, k, v):
    return F.scaled_dot_product_attention(self.fc(q), k, v, is_causal=True)
""", """
self.fc = nn.Linear(4, 4)
def forward(self, q, k, v):
    q, k, v = (t.transpose([0, 2, 1, 3]) for t in (self.fc(q), k, v))
    return F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose([0, 2, 1, 3])
""", ["is_causal=True => is_causal=False"]),
    Program("grouped keys", "normal(2, 5, 8)", """
self.q, self.kv = nn.Linear(8, 8), nn.Linear(8, 4)
def forward(self, x):
    q = self.q(x).reshape(2, 5, 4, 2).transpose(1, 2)
    k = self.kv(x).reshape(2, 5, 2, 2).transpose(1, 2).repeat_interleave(2, dim=1)
    return torch.softmax(q @ k.transpose(2, 3), -1) @ k
""", """
self.q, self.kv = nn.Linear(8, 8), nn.Linear(8, 4)
def forward(self, x):
    q = self.q(x).reshape([2, 5, 4, 2]).transpose([0, 2, 1, 3])
    k = self.kv(x).reshape([2, 5, 2, 2]).transpose([0, 2, 1, 3]).repeat_interleave(2, axis=1)
    return F.softmax(q @ k.transpose([0, 1, 3, 2]), -1) @ k
""", ["repeat_interleave(2, axis=1) => tile([1, 2, 1, 1])"]),
    Program("linear attention", TOKENS, """
self.q, self.k, self.v = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 6)
def forward(self, x):
    q, k, v = F.elu(self.q(x)) + 1, F.elu(self.k(x)) + 1, self.v(x)
    context = k.transpose(1, 2) @ v
    norm = q @ k.sum(1, keepdim=True).transpose(1, 2)
    return q @ context / norm
""", """
self.q, self.k, self.v = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 6)
def forward(self, x):
    q, k, v = F.elu(self.q(x)) + 1, F.elu(self.k(x)) + 1, self.v(x)
    context = k.transpose([0, 2, 1]) @ v
    norm = q @ k.sum(1, keepdim=True).transpose([0, 2, 1])
    return q @ context / norm
""", ["k.sum(1, keepdim=True) => k.mean(1, keepdim=True)", "F.elu(self.k(x)) + 1 => F.elu(self.k(x)) + 1.1"]),
    Program("windows of a picture", "normal(1, 3, 4, 4)", """
self.fc = nn.Linear(3, 3)
def forward(self, x):
    x = torch.roll(x, shifts=(-1, -1), dims=(2, 3))
    w = x.reshape(1, 3, 2, 2, 2, 2).permute(0, 2, 4, 3, 5, 1).reshape(4, 4, 3)
    return torch.softmax(self.fc(w) @ w.transpose(1, 2), -1) @ w
""", """
self.fc = nn.Linear(3, 3)
def forward(self, x):
    x = paddle.roll(x, shifts=(-1, -1), axis=(2, 3))
    w = x.reshape([1, 3, 2, 2, 2, 2]).transpose([0, 2, 4, 3, 5, 1]).reshape([4, 4, 3])
    return F.softmax(self.fc(w) @ w.transpose([0, 2, 1]), -1) @ w
""", ["shifts=(-1, -1) => shifts=(1, 1)", "[0, 2, 4, 3, 5, 1] => [0, 2, 4, 5, 3, 1]"]),
    Program("an encoder layer", "normal(2, 5, 8)", """
self.layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, dropout=0.0, activation="relu", batch_first=True)
def forward(self, x):
    return self.layer(x)
""", """
self.layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, dropout=0.0, activation="relu")
def forward(self, x):
    return self.layer(x)
""", ['dropout=0.0, activation="relu" => dropout=0.0, activation="gelu"', 'activation="relu" => activation="relu", normalize_before=True']),
    Program("an encoder before its norms", "normal(2, 5, 8)", """
self.layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, dropout=0.0, activation="gelu", norm_first=True, batch_first=True)
def forward(self, x):
    mask = nn.Transformer.generate_square_subsequent_mask(5)
    return self.layer(x, src_mask=mask.to(x.dtype))
""", """
self.layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, dropout=0.0, activation="gelu", normalize_before=True)
def forward(self, x):
    mask = paddle.triu(paddle.full([5, 5], float('-inf')), 1)
    return self.layer(x, src_mask=mask.astype(x.dtype))
""", ["src_mask=mask.astype(x.dtype) => src_mask=None"]),
    Program("crossed attention", "normal(2, 4, 8), normal(2, 6, 8)", """
self.attend = nn.MultiheadAttention(8, 2, batch_first=True)
def forward(self, x, memory):
    y, weights = self.attend(x, memory, memory, average_attn_weights=False)
    return y, weights
""", """
self.attend = nn.MultiHeadAttention(8, 2, need_weights=True)
def forward(self, x, memory):
    y, weights = self.attend(x, memory, memory)
    return y, weights
""", ["self.attend(x, memory, memory) => self.attend(x, memory, memory * 1.1)", "nn.MultiHeadAttention(8, 2 => nn.MultiHeadAttention(8, 4"]),
    recurrent("lstm", "self.rnn = nn.LSTM(3, 4, batch_first=True)", "self.rnn(x)[0]", "self.rnn(x)[0] => self.rnn(x.flip([1]))[0]", paddle="self.rnn = nn.LSTM(3, 4)"),
    recurrent("lstm's last state", "self.rnn = nn.LSTM(3, 4, batch_first=True)", "self.rnn(x)[1][0][-1]", "[1][0][-1] => [1][1][-1]", paddle="self.rnn = nn.LSTM(3, 4)"),
    recurrent("lstm, batch and time", "self.rnn = nn.LSTM(3, 4)", "self.rnn(x)[0]", "time_major=True => time_major=False", paddle="self.rnn = nn.LSTM(3, 4, time_major=True)"),
    recurrent("lstm of two layers and directions", "self.rnn = nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True)", "self.rnn(x)[0].mean(1)",
              "self.rnn(x)[0].mean(1) => self.rnn(x)[0][:, -1]", paddle="self.rnn = nn.LSTM(3, 4, num_layers=2, direction='bidirect')"),
    recurrent("gru", "self.rnn = nn.GRU(3, 4, batch_first=True)", "self.rnn(x)[0]", "self.rnn(x)[0] => self.rnn(x)[0] + self.rnn(x)[1].transpose([1, 0, 2])",
              paddle="self.rnn = nn.GRU(3, 4)"),
    recurrent("rnn with relu", "self.rnn = nn.RNN(3, 4, nonlinearity='relu', batch_first=True)", "self.rnn(x)[0]", "activation='relu' => activation='tanh'",
              paddle="self.rnn = nn.SimpleRNN(3, 4, activation='relu')"),
    Program("cells by hand", "normal(2, 5, 3)", """
self.cell = nn.LSTMCell(3, 4)
def forward(self, x):
    h = c = torch.zeros(2, 4, dtype=x.dtype)
    for t in range(5):
        h, c = self.cell(x[:, t], (h, c))
    return h, c
""", """
self.cell = nn.LSTMCell(3, 4)
def forward(self, x):
    h = c = paddle.zeros([2, 4], dtype=x.dtype)
    for t in range(5):
        _, (h, c) = self.cell(x[:, t], (h, c))
    return h, c
""", ["self.cell(x[:, t], (h, c)) => self.cell(x[:, 4 - t], (h, c))", "self.cell(x[:, t], (h, c)) => self.cell(x[:, t], (c, h))"]),
    Program("gru cells with a readout", "normal(2, 4, 3)", """
self.cell = nn.GRUCell(3, 4)
self.read = nn.Linear(4, 2)
def forward(self, x):
    h = torch.zeros(2, 4, dtype=x.dtype)
    out = []
    for t in range(x.shape[1]):
        h = self.cell(x[:, t], h)
        out.append(self.read(h))
    return torch.stack(out, 1)
""", """
self.cell = nn.GRUCell(3, 4)
self.read = nn.Linear(4, 2)
def forward(self, x):
    h = paddle.zeros([2, 4], dtype=x.dtype)
    out = []
    for t in range(x.shape[1]):
        _, h = self.cell(x[:, t], h)
        out.append(self.read(h))
    return paddle.stack(out, 1)
""", ["paddle.stack(out, 1) => paddle.stack(out[::-1], 1)", "out.append(self.read(h)) => out.append(self.read(h.detach()))"]),
    Program("a recurrence written out", "normal(2, 6, 4)", """
self.a = nn.Linear(4, 4)
self.b = nn.Linear(4, 4, bias=False)
def forward(self, x):
    h = torch.zeros_like(x[:, 0])
    for t in range(6):
        h = torch.tanh(self.a(x[:, t]) + self.b(h))
    return h
""", """
self.a = nn.Linear(4, 4)
self.b = nn.Linear(4, 4, bias_attr=False)
def forward(self, x):
    h = paddle.zeros_like(x[:, 0])
    for t in range(6):
        h = paddle.tanh(self.a(x[:, t]) + self.b(h))
    return h
""", ["self.b(h)) => self.b(h.detach()))", "range(6) => range(5)"]),
    Program("a tagger with words", "integers(2, 6, high=12)", """
self.words = nn.Embedding(12, 4)
self.rnn = nn.GRU(4, 3, bidirectional=True, batch_first=True)
self.out = nn.Linear(6, 5)
def forward(self, x):
    h, _ = self.rnn(self.words(x))
    return F.log_softmax(self.out(h), dim=-1)
""", """
self.words = nn.Embedding(12, 4)
self.rnn = nn.GRU(4, 3, direction="bidirectional")
self.out = nn.Linear(6, 5)
def forward(self, x):
    h, _ = self.rnn(self.words(x))
    return F.log_softmax(self.out(h), axis=-1)
""", ["F.log_softmax(self.out(h), axis=-1) => F.log_softmax(self.out(h), axis=1)"]),
    Program("a state space", "normal(2, 8, 3)", """
self.decay = nn.Parameter(torch.ones(3))
self.mix = nn.Linear(3, 3)
def forward(self, x):
    a = torch.exp(-F.softplus(self.decay))
    h, out = torch.zeros_like(x[:, 0]), []
    for t in range(8):
        h = a * h + (1 - a) * x[:, t]
        out.append(h)
    return self.mix(torch.stack(out, dim=1))
""", """
self.decay = self.create_parameter([3], default_initializer=nn.initializer.Constant(1.0))
self.mix = nn.Linear(3, 3)
def forward(self, x):
    a = paddle.exp(-F.softplus(self.decay))
    h, out = paddle.zeros_like(x[:, 0]), []
    for t in range(8):
        h = a * h + (1 - a) * x[:, t]
        out.append(h)
    return self.mix(paddle.stack(out, axis=1))
""", ["(1 - a) * x => x", "a * h + => a.detach() * h +"]),
]
