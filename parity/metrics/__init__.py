"""Two metrics side by side, on the same predictions."""
