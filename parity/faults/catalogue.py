"""The catalogue: port bugs that people really had, each with its place and its fix."""

from __future__ import annotations

from parity.faults.model_faults import MODEL_FAULTS
from parity.faults.port2020 import PARTS, PORT2020, PORT2020_FAULTS
from parity.faults.training_faults import TRAINING_FAULTS

CATALOGUE = {fault.name: fault for fault in (*PORT2020_FAULTS, *PARTS, *MODEL_FAULTS, *TRAINING_FAULTS)}

GROUPS = {"port2020": PORT2020}
"""Names that stand for several faults together."""
