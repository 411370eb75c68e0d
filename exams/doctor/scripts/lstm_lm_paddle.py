"""Word-level language model with truncated back-propagation: the LSTM state is carried from batch to batch."""
import numpy as np
import paddle
import paddle.nn as nn
import parity

EPOCHS, BPTT, BATCH, VOCAB, HIDDEN = 2, 12, 8, 30, 48
paddle.seed(7)
rng = np.random.RandomState(7)

# a corpus from a sparse second-order Markov chain
successors = rng.randint(0, VOCAB, (VOCAB, 3))
corpus = [0]
for _ in range(BATCH * (BPTT * 10 + 1)):
    corpus.append(successors[corpus[-1], rng.choice(3, p=[0.8, 0.15, 0.05])])


def batchify(ids, bsz):
    n = len(ids) // bsz
    return np.array(ids[:n * bsz], "int64").reshape(bsz, n)


def batches(data):
    for i in range(0, data.shape[1] - 1 - BPTT + 1, BPTT):
        yield paddle.to_tensor(data[:, i:i + BPTT]), paddle.to_tensor(data[:, i + 1:i + 1 + BPTT])


class PtbModel(nn.Layer):
    def __init__(self, vocab_size, hidden_size, num_layers=2, dropout=0.2):
        super().__init__()
        uniform = nn.initializer.Uniform(-0.1, 0.1)
        self.num_layers, self.hidden_size = num_layers, hidden_size
        self.embedding = nn.Embedding(vocab_size, hidden_size, weight_attr=paddle.ParamAttr(initializer=uniform))
        self.lstm = nn.LSTM(hidden_size, hidden_size, num_layers=num_layers, dropout=dropout)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def init_state(self, batch_size):
        shape = [self.num_layers, batch_size, self.hidden_size]
        return paddle.zeros(shape), paddle.zeros(shape)

    def forward(self, ids, state):
        x = self.dropout(self.embedding(ids))
        out, state = self.lstm(x, state)
        return self.fc(self.dropout(out)), state


class CrossEntropyLossForLm(nn.Layer):
    def forward(self, logits, label):
        loss = nn.functional.cross_entropy(logits, label.unsqueeze(-1), reduction="none")
        return loss.squeeze(-1).mean(axis=[0]).sum()      # mean over the batch, sum over the steps


data = batchify(corpus, BATCH)
network = PtbModel(VOCAB, HIDDEN)
criterion = CrossEntropyLossForLm()
scheduler = paddle.optimizer.lr.ExponentialDecay(0.01, gamma=0.9)
optimizer = paddle.optimizer.Adam(learning_rate=scheduler, parameters=network.parameters(),
                                  grad_clip=nn.ClipGradByGlobalNorm(clip_norm=5.0))

network.train()
with parity.doctor({"lm": network}, {"adam": optimizer}) as d:
    for epoch in range(EPOCHS):
        state = network.init_state(BATCH)
        total = 0.0
        for i, (x, y) in enumerate(d.watch(batches(data))):
            state = tuple(s.detach() for s in state)
            logits, state = network(x, state)
            loss = criterion(logits, y)
            loss.backward()
            optimizer.step()
            optimizer.clear_grad()
            total += float(loss)
        scheduler.step()
        print("epoch", epoch, "ppl", float(np.exp(total / (i + 1) / BPTT)))
print(d)
