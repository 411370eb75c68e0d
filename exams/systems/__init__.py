"""Pairs of the systems that U-GAT-IT's paper compares with: each module of them, and a training step, at small sizes."""
