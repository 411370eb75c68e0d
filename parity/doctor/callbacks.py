"""The doctor as a callback of the trainers: paddle.Model.fit, Lightning, Hugging Face's Trainer, PaddleNLP's Trainer.

    model.fit(data, callbacks=[parity.doctor.callbacks.hapi()])                       # paddle.Model
    Trainer(callbacks=[parity.doctor.callbacks.lightning()])                          # Lightning
    Trainer(model, arguments, ..., callbacks=[parity.doctor.callbacks.transformers()])  # Hugging Face
    Trainer(model, arguments, ..., callbacks=[parity.doctor.callbacks.paddlenlp()])

Each watches the first iterations of the training, tells what it found, and is out of the way from then on. The libraries are
imported where their callback is asked for.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Sequence
from typing import Any

from parity.doctor.diagnosis import Diagnosis
from parity.doctor.session import Doctor
from parity.files import InputError

Tell = Callable[[str], Any]
_LOG = logging.getLogger("parity.doctor")


class Watching:
    """What all of them do. diagnosis: what was found, once `iterations` were watched or the training has ended; None before."""

    def __init__(self, iterations: int = 20, expect: Sequence[str] = (), tell: Tell = _LOG.warning) -> None:
        super().__init__()  # the library's class, which stands beside this one
        self.diagnosis: Diagnosis | None = None
        self._iterations, self._expect, self._tell = iterations, expect, tell
        self._doctor: Doctor | None = None

    def _begin(self, models: Any, optimizers: Any) -> None:
        if self.diagnosis is None:
            self._doctor = Doctor(models, optimizers, expect=self._expect, most=self._iterations).start(None)

    def _iteration(self) -> None:
        """One begins."""
        if self._doctor is not None:
            self._doctor.mark()
            if self._doctor.enough:
                self._end()

    def _end(self) -> None:
        if self._doctor is not None:
            self._doctor.stop()
            self.diagnosis = self._doctor.diagnose()
            self._tell(str(self._doctor))
            self._doctor = None


def hapi(iterations: int = 20, expect: Sequence[str] = (), tell: Tell = _LOG.warning) -> Any:
    """For `paddle.Model.fit`. tell: is given the text of what was found; by default it is logged as a warning."""
    base = _class("paddle.callbacks", "Callback")

    class DoctorCallback(Watching, base):
        def on_train_begin(self, logs: Any = None) -> None:
            self._begin({"network": self.model.network}, {"optimizer": self.model._optimizer})

        def on_train_batch_begin(self, step: int, logs: Any = None) -> None:
            self._iteration()

        def on_train_end(self, logs: Any = None) -> None:
            self._end()

    return DoctorCallback(iterations, expect, tell)


def lightning(iterations: int = 20, expect: Sequence[str] = (), tell: Tell = _LOG.warning) -> Any:
    """For Lightning's `Trainer` (`lightning` or `pytorch_lightning`); see `hapi`."""
    base = _class("lightning.pytorch.callbacks", "Callback", "pytorch_lightning.callbacks")

    class DoctorCallback(Watching, base):
        def on_train_start(self, trainer: Any, module: Any) -> None:
            self._begin({"module": module}, list(trainer.optimizers))

        def on_train_batch_start(self, trainer: Any, module: Any, batch: Any, number: int) -> None:
            self._iteration()

        def on_train_end(self, trainer: Any, module: Any) -> None:
            self._end()

    return DoctorCallback(iterations, expect, tell)


def transformers(iterations: int = 20, expect: Sequence[str] = (), tell: Tell = _LOG.warning) -> Any:
    """For Hugging Face's `Trainer`; an iteration is a step of the optimizer, with all that it accumulates. See `hapi`."""
    return _of_a_trainer("transformers", iterations, expect, tell)


def paddlenlp(iterations: int = 20, expect: Sequence[str] = (), tell: Tell = _LOG.warning) -> Any:
    """For PaddleNLP's `Trainer`; see `transformers`."""
    return _of_a_trainer("paddlenlp.trainer", iterations, expect, tell)


def _of_a_trainer(library: str, iterations: int, expect: Sequence[str], tell: Tell) -> Any:
    base = _class(library, "TrainerCallback")

    class DoctorCallback(Watching, base):
        def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, optimizer: Any = None,
                           **others: Any) -> None:
            # What accelerate has put around an optimizer calls the step of the one inside.
            self._begin({"model": model}, {"optimizer": getattr(optimizer, "optimizer", optimizer)})

        def on_step_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
            self._iteration()

        def on_train_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
            self._end()

    return DoctorCallback(iterations, expect, tell)


def _class(module: str, name: str, older: str | None = None) -> type:
    """The library's class. Raises InputError where the library is not installed."""
    for place in filter(None, (module, older)):
        try:
            return getattr(importlib.import_module(place), name)
        except ImportError:
            continue
    raise InputError(f"expected {module.partition('.')[0]} to be installed, for its {name}; it cannot be imported")
