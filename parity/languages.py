"""The languages of the HTML pages. Each page holds all of them: every message as one `<span lang>` a language, and the page shows
the spans of the language that its reader has chosen, at first the browser's own.

The catalogues are gettext's, in `locale/`; English is the source. `make messages` brings them up to date with the code.
"""

from __future__ import annotations

import functools
import gettext
import io
from collections.abc import Callable
from importlib import resources
from typing import TYPE_CHECKING

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from markupsafe import Markup

if TYPE_CHECKING:
    from parity.messages import Message

SOURCE, TRANSLATED = "en", ("zh-CN",)
NAMES = {"en": "English", "zh-CN": "中文"}


@functools.cache
def translations(language: str) -> gettext.NullTranslations:
    """What the catalogue of a language holds; of English: nothing, it is the source."""
    if language == SOURCE:
        return gettext.NullTranslations()
    path = resources.files("parity.report") / "locale" / language.replace("-", "_") / "LC_MESSAGES" / "parity.po"
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(path.read_bytes()), locale=language.replace("-", "_")))
    return gettext.GNUTranslations(io.BytesIO(compiled.getvalue()))


def translator(language: str) -> Callable[[Message], str]:
    """Message -> its pattern in that language."""
    known = translations(language)

    def translate(message: Message) -> str:
        if not message.pattern:
            return ""  # gettext keeps its header there
        if message.plural is None:
            return known.gettext(message.pattern)
        return known.ngettext(message.pattern, message.plural, message.values["count"])

    return translate


def both(said: Callable[[Callable[[Message], str]], str]) -> Markup:
    """HTML in every language, one `<span lang>` each; as it is where all languages say the same."""
    return _spans({language: said(translator(language)) for language in (SOURCE, *TRANSLATED)})


def plain(text: str, language: str) -> str:
    """A message in one language, for attributes and titles; any other text as it is."""
    return text.text(translator(language)) if hasattr(text, "pattern") else str(text)


def page_gettext(text: str) -> Markup:
    """For Jinja's i18n extension: the text of a {% trans %} block, itself HTML, in every language."""
    return _spans({language: translations(language).gettext(text) for language in (SOURCE, *TRANSLATED)})


def page_ngettext(one: str, many: str, count: int) -> Markup:
    """The same with {% pluralize %}."""
    return _spans({language: translations(language).ngettext(one, many, count) for language in (SOURCE, *TRANSLATED)})


def _spans(said: dict[str, str]) -> Markup:
    if len(set(said.values())) == 1:
        return Markup(said[SOURCE])
    return Markup("").join(Markup(f'<span lang="{language}">{text}</span>') for language, text in said.items())
