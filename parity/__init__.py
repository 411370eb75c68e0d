"""Are a PyTorch program and its Paddle twin the same computation? If not: where first, how far, why?

`ladder.compare` compares one subject, `lockstep.follow` two trainings; `ugatit` declares the first pair; `faults.inject` puts
known bugs into the twin; `cli.main` is the command line.
"""
