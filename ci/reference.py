"""docs/reference.md, made of what the code says of itself: `make reference`.

What `import parity` gives, with signatures and docstrings, and every command's help. tests/docs/test_reference.py sees to it that
the page has them all.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

import parity
from parity import door
from parity.cli.main import SECTIONS, cli
from parity.doctor.session import Doctor

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"
WIDTH = 110
BEHIND = {"compare": door.compare, "doctor": Doctor}  # of packages that are called like functions
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def page() -> str:
    """The whole page, in Markdown."""
    names = sorted((name for name in parity.__all__ if name != "__version__"), key=str.lower)
    lines = ["# Reference", "", "Made by `make reference` from the docstrings and the commands' help.", "", "## Python", "",
             *(line for name in names for line in _python(name)),
             "## Commands", "", *(line for section in SECTIONS.values() for name in section for line in _command(name))]
    return "\n".join(lines)


def _python(name: str) -> Iterator[str]:
    thing = getattr(parity, name)
    thing = BEHIND.get(name, thing)
    yield from (f"### parity.{name}", "", "```text")
    yield _signature(f"parity.{name}", thing)
    yield from ("", inspect.cleandoc(thing.__doc__ or ""), "```", "")
    for method, function in inspect.getmembers(thing, inspect.isfunction) if inspect.isclass(thing) else ():
        if not method.startswith("_") and function.__doc__ and method in vars(thing):
            yield from (f"**{name}.{method}**: {' '.join(inspect.cleandoc(function.__doc__).split())}", "")


def _signature(name: str, thing: object) -> str:
    """An argument a line where they do not fit into one; nothing of a class that nobody is to make."""
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return name
    arguments = list(_arguments(signature))
    line = f"{name}({', '.join(arguments)})"
    return line if len(line) <= WIDTH else f"{name}(\n" + "".join(f"    {argument},\n" for argument in arguments) + ")"


def _arguments(signature: inspect.Signature) -> Iterator[str]:
    """As they are written in the code."""
    named = False
    for argument in signature.parameters.values():
        if argument.name == "self":
            continue
        if argument.kind is argument.KEYWORD_ONLY and not named:
            yield "*"
        named = named or argument.kind in (argument.KEYWORD_ONLY, argument.VAR_POSITIONAL)
        stars = {argument.VAR_POSITIONAL: "*", argument.VAR_KEYWORD: "**"}.get(argument.kind, "")
        kind = "" if argument.annotation is argument.empty else f": {argument.annotation}"
        default = "" if argument.default is argument.empty else f" = {_ADDRESS.sub('', repr(argument.default))}"
        yield f"{stars}{argument.name}{kind}{default}"


def _command(name: str) -> Iterator[str]:
    _, command, _ = cli.resolve_command(click.Context(cli), [name])
    context = click.Context(command, info_name=f"parity {name}", max_content_width=WIDTH, terminal_width=WIDTH)
    yield from (f"### parity {name}", "", "```text", command.get_help(context).rstrip(), "```", "")


def main() -> int:
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
