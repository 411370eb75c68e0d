"""Everything that knows U-GAT-IT, the first pair: subjects, cases, training, faults, explanation, trainer, demo, conversion."""
