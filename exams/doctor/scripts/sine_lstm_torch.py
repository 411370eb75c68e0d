import numpy as np
import torch
import torch.nn as nn

np.random.seed(0)
torch.manual_seed(0)
t = np.arange(0, 1200)
series = (np.sin(0.11 * t) + 0.5 * np.sin(0.047 * t + 1.0) + 0.03 * np.random.randn(len(t))).astype(np.float32)


def create_inout_sequences(data, tw):
    xs = np.stack([data[i:i + tw] for i in range(len(data) - tw)])
    return torch.from_numpy(xs).unsqueeze(-1), torch.from_numpy(data[tw:]).unsqueeze(-1)


X, y = create_inout_sequences(series, 20)
n_train = 900
Xtr, ytr, Xte, yte = X[:n_train], y[:n_train], X[n_train:], y[n_train:]


class LSTM(nn.Module):
    def __init__(self, input_size=1, hidden_layer_size=32, output_size=1):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_layer_size, batch_first=True)
        self.linear = nn.Linear(hidden_layer_size, output_size)

    def forward(self, input_seq):
        lstm_out, _ = self.lstm(input_seq)
        return self.linear(lstm_out[:, -1])


model = LSTM()
loss_function = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
for epoch in range(15):
    for idx in torch.randperm(n_train).split(45):
        optimizer.zero_grad()
        single_loss = loss_function(model(Xtr[idx]), ytr[idx])
        single_loss.backward()
        optimizer.step()
    if epoch % 3 == 2:
        with torch.no_grad():
            print(f"epoch {epoch + 1} train {single_loss.item():.5f} test {loss_function(model(Xte), yte).item():.5f}")
