"""The messages of the HTML pages and their translations: `make messages` brings the catalogue up to date with the code.

New messages come in without a translation, and those that the code no longer has are dropped; where a message was changed a
little, its old translation stays and is marked `fuzzy`: look at it and take the mark away.
tests/report/test_language.py says what is left to do.
"""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
CATALOGUE = ROOT / "parity" / "report" / "locale" / "zh_CN" / "LC_MESSAGES" / "parity.po"
CALLS = {"say": None, "several": (1, 2)}
FIELDS = {"Fault": {"what": 2, "fix": 3}, "Difference": {"title": 1}, "Problem": {"pattern": 1}}  # said by name or by position


def messages() -> Catalog:
    """Every message in the templates and the code, without translations."""
    found = Catalog(charset="utf-8")
    for path in sorted((ROOT / "parity" / "report" / "templates").glob("*.html")):
        options = {"trimmed": "true", "extensions": "jinja2.ext.i18n", "silent": "false"}
        calls = {"gettext": None, "ngettext": (1, 2), **CALLS}
        for line, message, _, _ in extract_from_file("jinja2.ext:babel_extract", path, calls, options=options):
            found.add(message, locations=[(str(path.relative_to(ROOT)), line)])
    for path in sorted([*(ROOT / "parity").rglob("*.py"), ROOT / "weights_convert" / "plan.py"]):
        name = str(path.relative_to(ROOT))
        for line, message, _, _ in extract_from_file("python", path, CALLS):
            found.add(message, locations=[(name, line)])
        for line, message in _fields(ast.parse(path.read_text())):
            found.add(message, locations=[(name, line)])
    return found


def _fields(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Sentences that are handed to a constructor as they are, and said elsewhere."""
    for node in ast.walk(tree):
        named = FIELDS.get(getattr(node.func, "id", None), {}) if isinstance(node, ast.Call) else {}
        for name, position in named.items():
            given = [word.value for word in node.keywords if word.arg == name] or node.args[position:position + 1]
            if given and isinstance(given[0], ast.Constant) and given[0].value:
                yield node.lineno, given[0].value


def translated() -> Catalog:
    """The catalogue as it stands."""
    return read_po(io.BytesIO(CATALOGUE.read_bytes()), locale="zh_CN")


def main() -> int:
    catalogue = translated()
    catalogue.update(messages(), update_header_comment=False)
    catalogue.obsolete.clear()
    head, out = CATALOGUE.read_bytes().partition(b"\n\n")[0], io.BytesIO()
    # Without line numbers and dates: they change at every edit, and nobody reads them here.
    write_po(out, catalogue, width=120, include_lineno=False, omit_header=True)
    CATALOGUE.write_bytes(head + b"\n\n" + out.getvalue())
    left = sum(message.fuzzy or not all(written(message)) for message in catalogue if message.id)
    print(f"{CATALOGUE}: {len(catalogue)} messages, {left} to translate")
    return 0


def written(message: Message) -> tuple[str, ...]:
    """The translation: one sentence, or one for each plural form."""
    return message.string if isinstance(message.string, tuple) else (message.string,)


if __name__ == "__main__":
    sys.exit(main())
