"""The Markdown pages of the project, block by block."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
_TRANSLATED = sorted(page for page in (ROOT / "docs").glob("*.zh-CN.md") if not page.name.startswith("ports-of-2020"))
# English page, Chinese page, which says the same: what holds for the blocks of the one holds for the other's
TWINS = (READMES, *((page.with_name(page.name.replace(".zh-CN", "")), page) for page in _TRANSLATED))
PAGES = (READMES[0], ROOT / "CONTRIBUTING.md", ROOT / "parity" / "README.md",
         *(page for page in sorted((ROOT / "docs").glob("*.md")) if page not in _TRANSLATED))


@dataclass(frozen=True)
class Block:
    """A block of code. kind: as written behind the fence; "indented" for one without. heading: of the section it is in."""

    page: str
    heading: str
    kind: str
    text: str

    @property
    def commands(self) -> list[list[str]]:
        """Its shell commands, as words; where output stands beside them those after "$ "."""
        if self.kind not in ("sh", "indented", ""):
            return []
        lines = self.text.replace("\\\n", " ").splitlines()
        marked = [line[2:] for line in lines if line.startswith("$ ")]
        if marked or self.kind == "":
            lines = marked
        return [words for line in lines for piece in re.split(r"&&|; ", line.partition("  #")[0])
                if (words := shlex.split(piece, comments=True))]


def blocks(path: Path) -> Iterator[Block]:
    """All blocks of a page, in order."""
    heading, kind, lines = "", None, []
    page = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name
    for line in [*path.read_text().splitlines(), "(end)"]:
        if kind not in (None, "indented"):  # inside a fence
            if line.startswith("```"):
                yield Block(page, heading, kind, "\n".join(lines))
                kind, lines = None, []
            else:
                lines.append(line)
        elif line.startswith("    ") or (kind == "indented" and not line):
            kind = "indented"
            lines.append(line[4:])
        else:
            if kind == "indented":
                yield Block(page, heading, kind, "\n".join(lines).strip("\n"))
                kind, lines = None, []
            if line.startswith("```"):
                kind = line.strip("`").strip()
            elif line.startswith("#"):
                heading = line.strip("# ")
