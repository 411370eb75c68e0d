"""What users write: a pair of programs, its inputs, its training step, and the file that declares them."""
