"""What a step raised, said in the doctor's words."""

from __future__ import annotations

import traceback

from parity.doctor.finding import Finding
from parity.doctor.places import is_library
from parity.doctor.program import Program
from parity.messages import say
from parity.trace.source import Site, SourceTree

# (piece of the message, kind, what it means); the first that fits.
_MESSAGES = (
    (
        "optimizer's learning rate can't be lrscheduler",
        "lr-scheduler-conflict",
        say("set_lr was called on an optimizer that has a scheduler"),
    ),
    (
        "backward through the graph a second time",
        "graph-kept",
        say("this backward reaches a graph that an earlier one has used up: something is carried over from it"),
    ),
    ("does not require grad", "loss-without-graph", say("backward() was called on a loss without a graph")),
    ("called since the last update", "scaler-skips", say("scaler.update() is not called after scaler.step()")),
    ("modified by an inplace operation", "step-between", say("weights were changed between a forward and the backward through it")),
    (
        "empty parameter list",
        "iterator-exhausted",
        say("the optimizer was given no parameters: an iterator that was used up before"),
    ),
    ("does not match the size", "raised", say("shapes do not fit")),
)


def explain(error: Exception, program: Program | None = None, iteration: int = 0, source: SourceTree | None = None) -> Finding:
    """The finding for an exception; its place is the innermost line of the user's."""
    source = program.source if program is not None else source
    text, site = str(error).strip(), None
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename in source if source is not None else not is_library(frame.filename):
            site = Site(frame.filename, frame.lineno)
    last = text.splitlines()[-1][:200] if text else ""
    said = f"{type(error).__name__}: {last}"
    if isinstance(error, StopIteration):
        return Finding("no-data", "loader", say("the iterator over the data ran dry"), said, site, iteration)
    if isinstance(error, IndexError) and site is not None and "optim" in _library_files(error):
        return Finding(
            "iterator-exhausted",
            "optimizer",
            say("the optimizer was given an iterator of parameters that was used up before"),
            said,
            site,
            iteration,
        )
    for piece, kind, meaning in _MESSAGES:
        if piece in text.lower():
            return Finding(kind, "step", meaning, said, site, iteration)
    return Finding("raised", "step", say("the step raised {error}", error=said), site=site, iteration=iteration)


def _library_files(error: Exception) -> str:
    return " ".join(frame.filename for frame in traceback.extract_tb(error.__traceback__) if is_library(frame.filename))
