"""`parity init TORCH PADDLE`: a pair file for two classes that are there already, with the pairing that was guessed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from parity.declare import inputs as recipes
from parity.declare import port as porting
from parity.files import InputError, make_folder, write
from parity.pairing.listing import Listing

TEST = '''"""pytest runs this: `pytest {test}.py --parity-report=report`."""

from {pair} import pair


def test_the_port_is_the_same_computation(parity):
    parity(pair)
'''


def declare(torch_name: str, paddle_name: str, specified: Sequence[str], path: str | Path) -> tuple[list[Path], Listing]:
    """Write the pair file and its test; returns their paths and the pairing.

    torch_name, paddle_name: "file.py:Class" or "module:Class"; specified: inputs as `parity.inputs.parse` reads them; path: of the
    pair file. Raises InputError, where a file is there already, too: nothing is written then.
    """
    path = Path(path)
    if not (path.suffix == ".py" and path.stem.isidentifier()):
        raise InputError(f"{path}: expected a name for a Python file that can be imported, as in my_pair.py")
    test = path.with_name(f"test_{path.name}")
    if there := [str(file) for file in (path, test) if file.exists()]:
        raise InputError(f"{', '.join(there)}: there already; choose another name with --out")
    names = (torch_name, paddle_name)
    found = porting.load(names, specified=specified).listing()
    make_folder(path.parent, "to write into")
    write(path, "\n".join(_lines(names, [recipes.parse(text) for text in specified], found, path)) + "\n")
    write(test, TEST.format(test=test.stem, pair=path.stem))
    return [path, test], found


def _lines(names: tuple[str, str], inputs: Sequence[tuple[str | None, recipes.Recipe]], found: Listing, path: Path) -> list[str]:
    built, by_file = zip(*(_beside(name, path) for name in names), strict=True)
    used = sorted({recipe.call.partition("(")[0] for _, recipe in inputs})
    listed = list(found.lines())
    mapped = len(listed) > 3 or not found.complete  # more than the count, and the map's two brackets
    places, named = [r.call for name, r in inputs if name is None], {name: r.call for name, r in inputs if name is not None}
    fed = [f"    inputs=[{', '.join(places)}],"] if places else []
    fed += [f"    keywords={{{', '.join(f'{name!r}: {call}' for name, call in named.items())}}},"] if named else []
    return [f'"""Is {names[1]} the same computation as {names[0]}? `parity compare {path.name}`."""', "",
            *(["from pathlib import Path", ""] if any(by_file) else []),
            f"from parity.inputs import {', '.join(used)}", "from parity.port import Port", "",
            *(["HERE = Path(__file__).resolve().parent", ""] if any(by_file) else []),
            *([*listed, ""] if mapped else []),
            "pair = Port(", *(f"    {text}," for text in built), *fed, *(["    names=names,"] if mapped else []), ")"]


def _beside(name: str, path: Path) -> tuple[str, bool]:
    """A name as the pair file writes it: a file by its way from there; and whether it is a file's."""
    file, _, attribute = name.rpartition(":")
    if not file.endswith(".py"):
        return repr(name).replace("'", '"'), False
    way = Path(os.path.relpath(Path(file).resolve(), path.resolve().parent)).as_posix()
    return f'f"{{HERE}}/{way}:{attribute}"', True
