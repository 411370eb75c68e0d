"""The catalogue: port bugs that people really had, each with its place and its fix."""

from __future__ import annotations

from parity.ugatit.faults.data_faults import DATA_FAULTS
from parity.ugatit.faults.evaluation_faults import EVALUATION_FAULTS
from parity.ugatit.faults.model_faults import MODEL_FAULTS
from parity.ugatit.faults.port2020 import PARTS, PORT2020, PORT2020_FAULTS
from parity.ugatit.faults.port_faults import PORT_FAULTS
from parity.ugatit.faults.start_faults import START_FAULTS
from parity.ugatit.faults.training_faults import TRAINING_FAULTS

_ALL = (*PORT2020_FAULTS, *PARTS, *DATA_FAULTS, *START_FAULTS, *MODEL_FAULTS, *PORT_FAULTS, *TRAINING_FAULTS, *EVALUATION_FAULTS)

CATALOGUE = {fault.name: fault for fault in _ALL}

GROUPS = {"port2020": PORT2020}
"""Names that stand for several faults together."""
