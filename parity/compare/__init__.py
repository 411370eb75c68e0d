"""One forward and backward pass of a pair, compared: both sides, the ladder, the one pass, the runner that users call."""
