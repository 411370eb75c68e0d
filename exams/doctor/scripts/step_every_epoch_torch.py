import argparse
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def get_args():
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", type=int, default=24)
    p.add_argument("--lr", type=float, default=0.05)
    p.add_argument("--step-size", type=int, default=8)
    p.add_argument("--gamma", type=float, default=0.1)
    return p.parse_args()


def main():
    args = get_args()
    torch.manual_seed(0)
    x = torch.rand(1000, 2) * 6 - 3
    y = (torch.sin(x[:, 0] * 1.5) > x[:, 1] / 2).long()
    loader = DataLoader(TensorDataset(x[:800], y[:800]), batch_size=40, shuffle=True)
    model = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=args.step_size, gamma=args.gamma)
    for epoch in range(args.epochs):
        total = 0.0
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(xb), yb)
            loss.backward()
            optimizer.step()
            total += loss.item()
        scheduler.step()
        print(f"epoch {epoch} lr {scheduler.get_last_lr()[0]:.1e} loss {total / len(loader):.4f}")
    acc = (model(x[800:]).argmax(1) == y[800:]).float().mean().item()
    print("final loss", total / len(loader), "accuracy", acc)


main()
