"""Masked language model pretraining in the manner of PaddleNLP, with gradient accumulation."""
import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
import parity

STEPS, ACCUM = 20, 2
VOCAB, PAD, MASK, LENGTH, HIDDEN = 40, 0, 1, 16, 32
rng = np.random.RandomState(0)
paddle.seed(0)


def LinearDecayWithWarmup(learning_rate, total_steps, warmup):
    def lr_lambda(step):
        if step < warmup:
            return float(step) / float(max(1, warmup))
        return max(0.0, float(total_steps - step) / float(max(1, total_steps - warmup)))
    return paddle.optimizer.lr.LambdaDecay(learning_rate, lr_lambda)


class BertForMaskedLM(nn.Layer):
    def __init__(self):
        super().__init__()
        self.word_embeddings = nn.Embedding(VOCAB, HIDDEN, padding_idx=PAD)
        self.position_embeddings = nn.Embedding(LENGTH, HIDDEN)
        self.layer_norm = nn.LayerNorm(HIDDEN)
        layer = nn.TransformerEncoderLayer(HIDDEN, 4, 64, dropout=0.1, activation="gelu")
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.transform = nn.Linear(HIDDEN, HIDDEN)
        self.decoder_bias = self.create_parameter(shape=[VOCAB], is_bias=True)
        for sub in self.sublayers():
            if isinstance(sub, (nn.Linear, nn.Embedding)):
                sub.weight.set_value(paddle.normal(0.0, 0.1, shape=sub.weight.shape))

    def forward(self, input_ids):
        keep = (input_ids != PAD).astype("float32").unsqueeze([1, 2])
        attention_mask = (1.0 - keep) * -1e4
        position = paddle.arange(input_ids.shape[1])
        x = self.layer_norm(self.word_embeddings(input_ids) + self.position_embeddings(position))
        x = self.encoder(x, attention_mask)
        x = F.gelu(self.transform(x))
        return paddle.matmul(x, self.word_embeddings.weight, transpose_y=True) + self.decoder_bias


def make_batch(size=16):
    """Sentences count upwards with a stride; 15 percent of the tokens are to be guessed."""
    start = rng.randint(2, VOCAB, (size, 1))
    ids = (start - 2 + rng.randint(1, 3, (size, 1)) * np.arange(LENGTH)) % (VOCAB - 2) + 2
    ids = np.where(np.arange(LENGTH) < rng.randint(8, LENGTH + 1, (size, 1)), ids, PAD)
    chosen = (rng.rand(size, LENGTH) < 0.15) & (ids != PAD)
    labels = np.where(chosen, ids, -100)
    return paddle.to_tensor(np.where(chosen, MASK, ids)), paddle.to_tensor(labels)


model = BertForMaskedLM()
lr_scheduler = LinearDecayWithWarmup(5e-3, STEPS, max(1, STEPS // 10))
decay_params = [p.name for n, p in model.named_parameters() if not any(nd in n for nd in ["bias", "norm"])]
optimizer = paddle.optimizer.AdamW(
    learning_rate=lr_scheduler, parameters=model.parameters(), weight_decay=0.01,
    apply_decay_param_fun=lambda x: x in decay_params, grad_clip=nn.ClipGradByGlobalNorm(1.0))

model.train()
with parity.doctor({"bert": model}, {"adamw": optimizer}) as d:
    for step in range(STEPS):
        total = 0.0
        for micro in range(ACCUM):
            input_ids, labels = make_batch()
            logits = model(input_ids)
            loss = F.cross_entropy(logits.reshape([-1, VOCAB]), labels.reshape([-1]), ignore_index=-100)
            loss = loss / ACCUM
            loss.backward()
            total += loss.item()
        optimizer.step()
        lr_scheduler.step()
        optimizer.clear_grad()
        if step % 5 == 4:
            print("step", step, "loss", round(total, 3))
print(d)
