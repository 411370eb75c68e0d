"""A twin that runs elsewhere, under `parity_recorder.py`, in an environment of any age: its outline, and what it is told.

The recorder cannot pair. It writes down what its network is made of; pairing is done here, and goes into the reference's trace.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from parity.compare.ladder import Both
from parity.declare.pair import Subject
from parity.files import InputError
from parity.messages import Message, say
from parity.recordings.format import RecordingError, read_json
from weights_convert.outline import paddles_standing_in

OUTLINE = "parity outline"


def recorder() -> str:
    """The one file."""
    return Path(__file__).with_name("parity_recorder.py").read_text()


def read_outline(path: str | Path) -> dict[str, Any]:
    """Of a Paddle network, as `parity_recorder.py --outline` wrote it. Raises InputError."""
    document = read_json(Path(path))
    if document.get("kind") != OUTLINE or not isinstance(document.get("network"), dict):
        raise RecordingError(f"{path}: expected an outline that parity_recorder.py wrote, found {document.get('kind')!r}")
    if document.get("framework") != "paddle":
        raise InputError(f"{path}: expected the outline of a Paddle network, found one of {document.get('framework')!r}; a torch "
                         f"network needs none: the recorder takes its names as they are")
    try:
        paddles_standing_in(document["network"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise RecordingError(f"{path}: expected the outline of a network, found one that does not fit ({type(error).__name__}: "
                             f"{error}); write it again") from error
    return document["network"]


def told(both: Both) -> dict[str, Any]:
    """What the recorder has to know of the twin, JSON-ready; how the inputs are handed over is all, where nothing else is known.

    entries: [name in the twin, the reference's name, rule, shape there, shape in the twin, rows and axis of a piece]. paths: module
    path in the twin -> the reference's; None where they are the same. hidden, lone: names of the twin's that are never shown, and
    those that are not while they stay as they are. plain: the reference's paths of torch's own layers, which have no activation in
    them. arguments: how the inputs are handed over. census: [name of what the pairing found wrong, what that
    is]; the twin's name of what it alone has.
    """
    arguments = _arguments(both.subject)
    if both.models[1] is None and getattr(both, "outline", None) is None:
        return {"arguments": arguments}
    name, census = both.subject.name, both.census
    entries = [[target, both.reference_name(1, f"{name}.{target}").removeprefix(f"{name}."), entry.rule,
                list(entry.source_shape), list(entry.target_shape), list(entry.rows) if entry.rows else None, entry.axis]
               for target, entry in both.entries().items()]
    hidden = [target for target, source, *_ in entries if source in census.apart] + sorted(census.aside[1])
    paths = both.paths(1, name)
    plain = [path for path, module in both.frameworks[0].modules(both.models[0]) if type(module).__module__.startswith("torch.nn.")]
    return {"entries": entries, "paths": None if paths is None else dict(paths), "hidden": hidden, "lone": sorted(census.lone[1]),
            "plain": plain, "arguments": arguments,
            "census": [[finding.name, str(finding.message)] for finding in census.findings]}


def remarks(both: Both) -> Iterator[Message | str]:
    """What there is to say of the pairing with an outline."""
    for finding in both.census.findings:
        yield say("{name}: {what}", name=finding.name, what=finding.message)
    yield from both.census.guesses


def _arguments(subject: Subject) -> dict[str, Any]:
    given = [object() for _ in subject.inputs]
    positional, keywords = subject.arrange(1, given)
    places = {id(one): number for number, one in enumerate(given)}

    def described(value: Any) -> dict[str, Any]:
        if id(value) in places:
            return {"input": places[id(value)]}
        if isinstance(value, Mapping):
            return {"dict": {str(name): described(item) for name, item in value.items()}}
        if isinstance(value, (tuple, list)):
            return {"tuple" if isinstance(value, tuple) else "list": [described(item) for item in value]}
        try:
            return {"value": json.loads(json.dumps(value))}
        except (TypeError, ValueError):
            return {"unknown": type(value).__qualname__}

    return {"positional": [described(one) for one in positional],
            "keywords": {name: described(one) for name, one in keywords.items()}}
