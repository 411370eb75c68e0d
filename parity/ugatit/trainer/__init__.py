"""Training U-GAT-IT in either framework, from folders of pictures to checkpoints, over the twins' ``training.py``.

`Trainer` runs, `Options` says with what, `resume_exactly` and `resume_weights` continue; `Translator` uses the result.
Both twins see the same bits: weights and batches come from one seed through numpy. ``frameworks.py`` has the interface.
"""

from .checkpoint import Snapshot, load_state, load_weights, save_state, save_weights
from .data import Domain, Draws, find_images, read_image, test_array, to_array, to_image, train_array
from .errors import TrainerError
from .grid import heat_picture, sample_grid
from .logs import Log, read_losses
from .loop import Trainer, resume_exactly, resume_weights
from .options import Options
from .transforms import Difference, compare_transforms
from .translate import Translator, image_files, translate_files

__all__ = [
    "Difference",
    "Domain",
    "Draws",
    "Log",
    "Options",
    "Snapshot",
    "Trainer",
    "TrainerError",
    "Translator",
    "compare_transforms",
    "find_images",
    "heat_picture",
    "image_files",
    "load_state",
    "load_weights",
    "read_image",
    "read_losses",
    "resume_exactly",
    "resume_weights",
    "sample_grid",
    "save_state",
    "save_weights",
    "test_array",
    "to_array",
    "to_image",
    "train_array",
    "translate_files",
]
