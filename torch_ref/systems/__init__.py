"""The systems that the paper's tables compare U-GAT-IT with, in PyTorch, with the official state-dict keys: one file each."""
