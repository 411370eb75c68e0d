"""Which module and which tensor of the twin is which of the reference's, and whether both sides have the same ones."""
