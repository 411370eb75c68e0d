"""Patches: pieces of text, a diff, files that are written whole or not at all; a file read as another text."""

import importlib
import os
import subprocess
import sys

import pytest

from parity.files import InputError
from parity.mending import patches
from parity.mending.overlay import overlaid
from parity.mending.patches import Change, Source

TEXT = '"""Größe."""\nx = f("ä", 1)  # é\ny = 2'


def change(text, old, new):
    return Change("net.py", text.index(old), text.index(old) + len(old), new)


def test_places_are_counted_in_characters():
    source = Source("net.py", TEXT)
    assert source.segment(source.tree.body[1].value.args[1]) == "1"


def test_changes_compose_and_the_rest_stays():
    found = patches.patched(TEXT, [change(TEXT, "1", "17"), change(TEXT, "2", "3")])
    assert found == TEXT.replace("1", "17").replace("2", "3")


def test_git_takes_the_diff(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = str(tmp_path / "net.py")
    (tmp_path / "net.py").write_text(TEXT)
    changes = [Change(file, TEXT.index("2"), TEXT.index("2") + 1, "3")]
    (tmp_path / "a.patch").write_text(patches.diff(changes, {file: TEXT}))
    subprocess.run(["git", "apply", "a.patch"], check=True)
    assert (tmp_path / "net.py").read_text() == TEXT.replace("2", "3")


def test_written_are_whole_files_with_their_line_ends_and_their_mode(tmp_path):
    file, text = tmp_path / "net.py", "x = 1\r\ny = 2\r\n"
    file.write_bytes(text.encode())
    os.chmod(file, 0o750)
    held = {str(file): patches.read(str(file))}
    patches.apply([Change(str(file), 4, 5, "7")], held)
    assert file.read_bytes() == b"x = 7\r\ny = 2\r\n" and file.stat().st_mode & 0o777 == 0o750


def test_a_file_that_was_changed_meanwhile_is_not_written(tmp_path):
    file = tmp_path / "net.py"
    file.write_text("x = 1\n")
    with pytest.raises(InputError, match="changed while"):
        patches.apply([Change(str(file), 4, 5, "7")], {str(file): "x = 2\n"})
    assert file.read_text() == "x = 1\n"


def test_an_import_reads_another_text_and_the_file_is_not_touched(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "read_as_another.py"
    file.write_text("x = 1\n")
    with overlaid({os.path.realpath(file): "x = 2\n"}):
        assert importlib.import_module("read_as_another").x == 2
    del sys.modules["read_as_another"]
    assert importlib.import_module("read_as_another").x == 1 and file.read_text() == "x = 1\n"


def test_lines_of_the_changed_text_are_those_of_the_text():
    text = "a\nb\nc\nd\ne\n"
    changes = [Change("f", 0, 0, "import x\n"), Change("f", 4, 5, "C1\nC2"), Change("f", 6, 8, "")]
    assert patches.patched(text, changes) == "import x\na\nb\nC1\nC2\ne\n"
    assert [patches.line_before(line, text, changes) for line in range(1, 7)] == [1, 1, 2, 3, 3, 5]
    assert [patches.line_before(line, text, ()) for line in range(1, 6)] == [1, 2, 3, 4, 5]
