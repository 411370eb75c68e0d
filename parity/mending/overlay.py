"""A source file read as another text, by the imports of this process alone; the file itself is not touched."""

from __future__ import annotations

import linecache
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from types import CodeType


@contextmanager
def overlaid(sources: Mapping[str, str]) -> Iterator[None]:
    """Whatever imports one of these files in the block gets that text, under the file's own name and line numbers.

    sources: absolute path, links resolved -> text. What was imported before the block stays as it is.
    """
    original = SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, name: str) -> CodeType | None:
        path = loader.get_filename(name)
        text = sources.get(os.path.realpath(path))
        if text is None:
            return original(loader, name)
        linecache.cache[path] = len(text), None, text.splitlines(keepends=True), path
        return loader.source_to_code(text.encode(), path)

    SourceFileLoader.get_code = get_code
    try:
        yield
    finally:
        SourceFileLoader.get_code = original
