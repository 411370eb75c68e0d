"""The systems that the paper's tables compare U-GAT-IT with: the twins of ``torch_ref.systems``, file for file."""
