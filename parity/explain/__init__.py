"""Why the Paddle port of 2020 diverged from its PyTorch original, and why its loss did not fall: the answer, measured.

`plan` says which runs the answer needs, `runs` makes them in parallel, `explanation` draws the conclusions, `report` shows
them. All runs begin where `start` says: the very weights and pictures with which the real port was recorded.
"""
