"""Sentences that can be said in another language later: English text that remembers its pattern and what was put into it.

    say("{count} values differ in {network}", count=3, network="genA2B")

is the string "3 values differ in genA2B" for terminals, JSON and comparisons, and still knows the whole sentence that a
translator sees. What goes through an f-string, + or join afterwards is plain text again. Needs nothing else of the project.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from markupsafe import Markup, escape


class Message(str):
    """An English sentence; `pattern`, `values`: what it was made of (`several`: and the pattern for many, `plural`)."""

    pattern: str
    values: Mapping[str, Any]
    plural: str | None

    def __new__(cls, pattern: str, values: Mapping[str, Any] = {}, plural: str | None = None) -> Message:
        chosen = pattern if plural is None or values["count"] == 1 else plural
        self = super().__new__(cls, chosen.format(**values) if values else chosen)
        self.pattern, self.values, self.plural = pattern, values, plural
        return self

    def __getnewargs__(self) -> tuple:
        return self.pattern, dict(self.values), self.plural

    def text(self, translate: Callable[[Message], str]) -> str:
        """The sentence by these patterns, as plain text."""
        values = {name: value.text(translate) if isinstance(value, Message) else value for name, value in self.values.items()}
        return translate(self).format(**values) if values else translate(self)

    def html(self, translate: Callable[[Message], str]) -> Markup:
        """The same as HTML: what was put in is escaped; a new line in the pattern is one on the page."""
        values = {name: value.html(translate) if isinstance(value, Message) else value for name, value in self.values.items()}
        pattern = escape(translate(self)).replace("\n", Markup("<br>"))
        return pattern.format(**values) if values else pattern

    def __html__(self) -> Markup:
        from parity.languages import both
        return both(self.html)


def say(pattern: str, /, **values: Any) -> Message:
    """The sentence. Without values the pattern is taken as it is, braces and all."""
    return Message(pattern, values)


def several(pattern: str, plural: str, /, count: int, **values: Any) -> Message:
    """The one or the other sentence, by `{count}`."""
    return Message(pattern, {"count": count, **values}, plural)


def together(messages: Iterable[str], separator: str = ", ") -> Message:
    """Several messages one after the other; the separator is not translated."""
    values = {f"part{number}": message for number, message in enumerate(messages)}
    return Message(separator.join(f"{{{name}}}" for name in values), values)


def some(names: Iterable[str], limit: int = 3) -> str:
    """A few of the names, and how many there are."""
    names = list(names)
    if len(names) <= limit:
        return ", ".join(names)
    return say("{names} and {count} more", names=", ".join(names[:limit]), count=len(names) - limit)


TERMS = {str(term): term for term in (
    say("census"), say("data"), say("forward"), say("losses"), say("gradients"), say("update"), say("state"),
    say("same"), say("noise"), say("explained"), say("uncompared"), say("undecided"), say("diverged"), say("same up to summary"),
    say("free"), say("replay"), say("resync"), say("reference"), say("twin"), say("good"), say("broken"), say("not run"),
    say("masked"), say("amplified"), say("the program"),
    say("a buffer"), say("a trained parameter"), say("a frozen parameter"),
)}


def term(word: str) -> str:
    """A word of the harness's own (a stage, a verdict, a kind of run) as a message; any other as it is."""
    return TERMS.get(word, word)
