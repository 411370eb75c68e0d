import torch
import torch.nn as nn

torch.manual_seed(42)
means = torch.tensor([[5.0, 3.4, 1.5, 0.2], [5.9, 2.8, 4.3, 1.3], [6.6, 3.0, 5.6, 2.0]])
y = torch.randint(0, 3, (600,))
X = means[y] + torch.randn(600, 4) * torch.tensor([0.4, 0.3, 0.35, 0.2])
X_train, y_train, X_test, y_test = X[:480], y[:480], X[480:], y[480:]


class Model(nn.Module):
    def __init__(self, in_features=4, h1=16, h2=16, out_features=3):
        super().__init__()
        self.fc1 = nn.Linear(in_features, h1)
        self.fc2 = nn.Linear(h1, h2)
        self.out = nn.Linear(h2, out_features)

    def forward(self, x):
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.out(x)


model = Model()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
losses = []
for i in range(150):
    y_pred = model(X_train)
    loss = criterion(y_pred, y_train)
    losses.append(loss.item())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if i % 30 == 0:
        print(f"Epoch: {i} and loss: {loss.item():.4f}")
with torch.no_grad():
    correct = (model(X_test).argmax(1) == y_test).sum().item()
print("accuracy", correct / len(y_test))
