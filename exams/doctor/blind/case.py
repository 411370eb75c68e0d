"""A script as users write it, what is changed in it, the answer asked for, and the answer given."""

from __future__ import annotations

import contextlib
import gc
import io
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import paddle
import torch

from parity.doctor.diagnosis import Diagnosis
from parity.doctor.script import diagnose_script

SCRIPTS = Path(__file__).parents[1] / "scripts"


@dataclass(frozen=True)
class Case:
    """A script with pieces of its text changed.

    edits: ((old, new), ...), each `old` exactly once in the script. ids: the kinds of finding that name the fault (none: the run is
    healthy, or no run without a reference can show it). line: a piece of the line at which it must be placed. declared: of a healthy
    run, warnings that it may earn. later: kinds and lines that were accepted only after the first run. at: lines at which it may be
    placed, or beside them, where they were written down as numbers.
    """

    name: str
    script: str
    edits: tuple[tuple[str, str], ...] = ()
    ids: tuple[str, ...] = ()
    line: str = ""
    declared: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    at: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """The script as this case has it. ValueError where an edit does not fit it."""
        text = (SCRIPTS / f"{self.script}.py").read_text()
        for old, new in self.edits:
            if text.count(old) != 1:
                raise ValueError(f"{self.name}: {old!r} stands {text.count(old)} times in {self.script}.py, not once")
            text = text.replace(old, new)
        return text

    @property
    def framework(self) -> str:
        return self.script.rpartition("_")[2]


@dataclass(frozen=True)
class Answer:
    """What the doctor said to a case."""

    case: Case
    said: Diagnosis

    @property
    def found(self) -> bool:
        return self.said.first is not None

    @property
    def named(self) -> bool:
        """Its first line is of a kind that the case asks for."""
        return self.found and self.said.first.id in (*self.case.ids, *self.case.later)

    @property
    def placed(self) -> bool:
        site = self.said.first.site if self.named else None
        if site is None:
            return False
        if self.case.at:
            return any(abs(site.line - line) <= 1 for line in self.case.at)
        return any(text in site.text for text in (self.case.line, *self.case.later))

    @property
    def false_alarms(self) -> tuple[str, ...]:
        return tuple(found.id for found in self.said.errors)


def sit(case: Case) -> Answer:
    """Run the script as a user does, from its first line to its last, and take what the doctor in it, or around it, has to say."""
    gc.collect()  # loaders of an earlier script, which the doctor would take for this one's
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"{case.script}.py"
        file.write_text(case.text)
        module, before = ModuleType("__main__"), sys.modules["__main__"]
        module.__file__ = str(file)
        sys.modules["__main__"] = module
        settings = torch.get_default_dtype(), paddle.get_default_dtype(), torch.get_num_threads()
        graphs = torch.is_grad_enabled(), paddle.is_grad_enabled()
        try:
            if "parity" not in case.text:
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                    return Answer(case, diagnose_script(str(file)).diagnosis or Diagnosis((), 0))
            with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
                exec(compile(case.text, str(file), "exec"), vars(module))  # what it raises, the doctor has noted
            return Answer(case, module.d.diagnose())
        finally:
            sys.modules["__main__"] = before
            torch.set_default_dtype(settings[0])
            paddle.set_default_dtype(settings[1])
            torch.set_num_threads(settings[2])
            torch.set_grad_enabled(graphs[0])
            paddle.set_grad_enabled(graphs[1])


def accepting(cases: Iterable[Case], later: Mapping[str, tuple[str, ...]]) -> tuple[Case, ...]:
    """The cases, with what was accepted later of those named."""
    return tuple(replace(case, later=later.get(case.name, ())) for case in cases)
