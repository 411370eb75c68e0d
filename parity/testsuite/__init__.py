"""The suite that `pytest parity/` runs: the U-GAT-IT twins against each other, and the exam of the harness."""
