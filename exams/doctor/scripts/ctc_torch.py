"""Toy speech recognition with CTC, sequences of different length, SWA of the weights at the end."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader

import parity

torch.set_num_threads(1)
torch.manual_seed(0)
SYMBOLS, MELS, BLANK = 6, 12, 0
EPOCHS, SWA_START = 3, 1


def utterance():
    n = int(torch.randint(3, 6, ()))
    label = torch.randint(1, SYMBOLS + 1, (n,))
    frames = []
    for s in label:
        frame = torch.zeros(int(torch.randint(3, 6, ())), MELS)
        frame[:, s * 2 - 1] = 2.0
        frames.append(frame)
    x = torch.cat(frames)
    return x + 0.3 * torch.randn_like(x), label


def collate(items):
    xs, ys = zip(*items)
    return (nn.utils.rnn.pad_sequence(xs, batch_first=True), torch.tensor([len(x) for x in xs]),
            torch.cat(ys), torch.tensor([len(y) for y in ys]))


class Recognizer(nn.Module):
    def __init__(self, hidden=48):
        super().__init__()
        self.conv = nn.Conv1d(MELS, hidden, 3, padding=1)
        self.gru = nn.GRU(hidden, hidden, batch_first=True, bidirectional=True)
        self.classify = nn.Linear(2 * hidden, SYMBOLS + 1)

    def forward(self, x, lengths):
        h = F.relu(self.conv(x.transpose(1, 2))).transpose(1, 2)
        packed = nn.utils.rnn.pack_padded_sequence(h, lengths, batch_first=True, enforce_sorted=False)
        h, _ = nn.utils.rnn.pad_packed_sequence(self.gru(packed)[0], batch_first=True)
        return F.log_softmax(self.classify(h), dim=-1)


loader = DataLoader([utterance() for _ in range(112)], batch_size=16, shuffle=True, collate_fn=collate)
model = Recognizer()
swa_model = AveragedModel(model)
optimizer = torch.optim.RAdam(model.parameters(), lr=1e-2)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=2)
ctc = nn.CTCLoss(blank=BLANK, zero_infinity=True)
history = []

with parity.doctor({"model": model}, {"optimizer": optimizer}) as d:
    for epoch in range(EPOCHS):
        total = 0.0
        for x, x_len, y, y_len in d.watch(loader):
            log_probs = model(x, x_len)
            loss = ctc(log_probs.transpose(0, 1), y, x_len, y_len)
            optimizer.zero_grad()
            loss.backward()
            grad_norm = nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            total += loss.item()
            history.append(loss.item())
        scheduler.step(total / len(loader))
        if epoch >= SWA_START:
            swa_model.update_parameters(model)
print(d)
