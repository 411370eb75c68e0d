"""A user's code is loaded from the user's folder, whatever its files are called, and nothing else is disturbed by it."""

from __future__ import annotations

import importlib
import json
import sys

import pytest

import torch_ref
from parity.declare.loader import load
from parity.declare.port import Port  # noqa: F401 (both frameworks are imported, with what they do to sys.path)
from parity.files import InputError
from parity.trace.source import Site


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of a user's, who works in it; what the process has afterwards is what it had before."""
    monkeypatch.chdir(tmp_path)
    path, modules = list(sys.path), dict(sys.modules)
    yield tmp_path
    assert sys.path == path
    for name in set(sys.modules) - set(modules):
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
    assert all(sys.modules.get(name) is module for name, module in modules.items())


def written(folder, **files: str) -> None:
    for name, text in files.items():
        path = folder / (name.replace("__in__", "/") + ".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize("name", ["json", "trainer", "torch_ref", "paddle_impl", "weights_convert", "helper"])
def test_a_neighbour_of_any_name_is_the_users(folder, name):
    written(folder, **{name: "WHOSE = 'the user\\'s'"}, my_pair=f"import {name}\nfrom {name} import WHOSE\nalso = {name}.WHOSE")
    assert load("my_pair.py").also == load("my_pair.py").WHOSE == "the user's"
    assert "WHOSE" not in vars(json) and "WHOSE" not in vars(torch_ref)


@pytest.mark.parametrize("bare", [False, True])
def test_a_package_of_the_name_of_ours(folder, bare):
    files = {} if bare else {"torch_ref__in____init__": "from .nets import Net"}
    written(folder, **files, torch_ref__in__nets="from torch_ref.parts import Part\nclass Net: part = Part",
            torch_ref__in__parts="class Part: pass", my_pair="import torch_ref.nets as nets\nfrom torch_ref.nets import Net")
    pair = load("my_pair.py")
    assert pair.nets.Net is pair.Net and pair.Net.part.__name__ == "Part"
    assert not hasattr(torch_ref, "nets")


def test_a_lazy_import_is_the_users_and_a_librarys_is_not(folder):
    written(folder, json="mine = True", this="mine = True", my_pair="def late():\n    import json, this\n    return json, this")
    assert all(module.mine for module in load("my_pair.py").late())
    assert importlib.import_module("this").s  # a library's first import of a standard module


@pytest.mark.parametrize("name", ["json", "trainer", "my-pair", "pair.v2", "parity", "torch"])
def test_the_file_itself_may_have_any_name(folder, name):
    (folder / f"{name}.py").write_text("import torch\nfrom parity.port import Port\nkind = torch.Tensor, Port")
    loaded = load(f"{name}.py")
    assert loaded.kind == (sys.modules["torch"].Tensor, sys.modules["parity.port"].Port)
    assert load(f"{name}.py") is loaded


def test_two_folders_with_the_same_names(folder, monkeypatch):
    for one in "ab":
        (folder / one).mkdir()
        (folder / one / "net.py").write_text(f"FOLDER = {one!r}")
        (folder / one / "pair.py").write_text("from net import FOLDER")
    assert [load(f"{one}/pair.py").FOLDER for one in "ab"] == ["a", "b"]
    monkeypatch.chdir(folder / "b")
    assert load("net").FOLDER == "b"


@pytest.fixture
def two(tmp_path, monkeypatch):
    """Two folders of like-named files; a pair of the first has been loaded, and its modules dropped, as a notebook does."""
    for one in "ab":
        (tmp_path / one).mkdir()
        (tmp_path / one / "like_named.py").write_text(f"FOLDER = {one!r}")
        (tmp_path / one / "its_pair.py").write_text("def late():\n    import like_named\n    return like_named.FOLDER")
    pair = load(str(tmp_path / "a" / "its_pair.py"))
    assert pair.late() == "a"
    for name in ("like_named", "its_pair"):
        monkeypatch.delitem(sys.modules, name)
    return tmp_path, pair


def test_who_is_first_on_the_path_is_imported_elsewhere(two, monkeypatch):
    folder, pair = two
    monkeypatch.syspath_prepend(str(folder / "b"))
    import like_named
    assert like_named.FOLDER == "b"
    assert pair.late() == "a" and sys.modules["like_named"] is like_named  # and its own where the user's files ask
    assert load(str(folder / "b" / "its_pair.py")).late() == "b" and pair.late() == "a"


def test_each_folder_has_its_own_whoever_was_looked_at_last(two):
    folder, pair = two
    other = load(str(folder / "b" / "its_pair.py"))
    assert pair.late() == "a" and other.late() == "b"
    assert [load(str(folder / one / "its_pair.py")).late() for one in "ab"] == ["a", "b"]


def test_modules_see_the_working_directory(folder):
    written(folder, nets__in__one="from nets import two", nets__in__two="from . import one")
    assert load("nets.one").two.one is load("nets.one")


@pytest.mark.parametrize(("text", "said"), [
    ("import sys; sys.exit(0)", r"ended the process \(sys.exit\(0\)\)"), ("1 / 0", "ZeroDivisionError"),
    ("import nowhere_at_all", "nowhere_at_all"), ("def", "SyntaxError"),
])
def test_what_cannot_be_imported(folder, text, said):
    (folder / "my_pair.py").write_text(text)
    with pytest.raises(InputError, match=said):
        load("my_pair.py")
    with pytest.raises(InputError, match=said):
        load("my_pair")


def test_what_is_not_there(folder):
    with pytest.raises(InputError, match=r"nothing\.py: expected a Python file"):
        load("nothing.py")
    with pytest.raises(InputError, match="there is no module nothing"):
        load("nothing.at.all")


def test_a_file_that_was_written_anew_is_loaded_anew(tmp_path):
    (tmp_path / "part_of_it.py").write_text("VALUE = 1\n")
    pair = tmp_path / "written_anew.py"
    pair.write_text("from part_of_it import VALUE\n")
    first = load(str(pair))
    assert load(str(pair)) is first and first.VALUE == 1
    (tmp_path / "part_of_it.py").write_text("VALUE = 22\n")
    assert load(str(pair)).VALUE == 22


def test_lines_are_shown_as_they_were_loaded(tmp_path):
    pair = tmp_path / "shown_anew.py"
    for value in (1, 22):
        pair.write_text(f"VALUE = {value}\n")
        load(str(pair))
        assert Site(str(pair), 1).text == f"VALUE = {value}"
