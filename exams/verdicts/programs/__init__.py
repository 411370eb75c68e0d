"""The exam's programs, an area a file. Each file has a list PROGRAMS; `everything` is all of them."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace

from exams.verdicts.program import Pair


def everything() -> list[Pair]:
    """All pairs, in the order of areas and programs. Raises ValueError where two have one name."""
    found = []
    for area in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        programs = importlib.import_module(f"{__name__}.{area}").PROGRAMS
        found += [pair for program in programs for pair in replace(program, area=area).pairs()]
    stems = [pair.stem for pair in found]
    twice = {stem for stem in stems if stems.count(stem) > 1}
    if twice:
        raise ValueError(f"programs need names of their own, found twice: {', '.join(sorted(twice))}")
    return found
