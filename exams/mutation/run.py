"""Each mutant in a copy of the tree, under the fast tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from exams.mutation.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
COPIED = ["parity", "weights_convert", "torch_ref", "paddle_impl", "tests", "pyproject.toml"]
NOT_OF_THE_CORE = [f"--ignore=tests/unit/test_{name}.py" for name in ("house", "mutants")]
FAST = ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "tests/unit", *NOT_OF_THE_CORE]


def main(names: Sequence[str] = ()) -> int:
    """Print a table of the mutants (those whose name has one of the words), and the exit code: 1 where one survives."""
    chosen = [mutant for mutant in MUTANTS if not names or any(word in mutant.name for word in names)]
    if not chosen:
        print(f"no mutant is called {' or '.join(names)}", file=sys.stderr)
        return 2
    if (said := tried(None)) is not None:
        print(f"the tests fail without a mutant: {said}", file=sys.stderr)
        return 2
    survivors = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for mutant, killer in zip(chosen, pool.map(tried, chosen), strict=True):
            survivors += killer is None
            print(f"{'killed' if killer else 'SURVIVED':<9} {mutant.name:<42} {killer or mutant.what}", flush=True)
    print(f"{len(chosen)} mutants: {len(chosen) - survivors} killed, {survivors} survived")
    return int(survivors > 0)


def tried(mutant: Mutant | None) -> str | None:
    """The test that fails; None where none does. Raises ValueError where the mutant's line does not stand there, once."""
    with tempfile.TemporaryDirectory() as folder:
        for name in COPIED:
            path = ROOT / name
            if path.is_dir():  # without compiled files, which name those that they were made of
                shutil.copytree(path, Path(folder, name), ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(path, Path(folder, name))
        if mutant is not None:
            apply(mutant, Path(folder))
        done = subprocess.run([sys.executable, *FAST], cwd=folder, capture_output=True, text=True,
                              env={**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"})
    if done.returncode == 0:
        return None
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].partition(" ")[2].partition(" - ")[0].removeprefix("tests/unit/") if failed else done.stderr[-200:]


def apply(mutant: Mutant, root: Path) -> None:
    path = root / mutant.file
    text = path.read_text()
    if text.count(mutant.old) != 1:
        raise ValueError(f"{mutant.name}: its line stands {text.count(mutant.old)} times in {mutant.file}: {mutant.old!r}")
    path.write_text(text.replace(mutant.old, mutant.new))
