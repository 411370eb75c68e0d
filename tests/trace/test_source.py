"""From code to statements, from modules to the lines that built them."""

import copy
import functools
import inspect
import sys

import paddle
import pytest
import torch

from parity.trace.source import (
    ConstructionSites,
    Site,
    SourceTree,
    calls_own,
    kept_at,
    kept_value,
    returned_part,
    statements_of,
)


def binds(function):
    """Stripped source line -> the names bound by the statement that stands there."""
    lines, first = inspect.getsourcelines(function)
    found = {}
    for number, text in enumerate(lines, first):
        statement = statements_of(function.__code__).at(number)
        if statement is not None:
            found[text.strip()] = statement.binds
    return found


def reads(function, text):
    lines, first = inspect.getsourcelines(function)
    number = next(n for n, line in enumerate(lines, first) if line.strip() == text)
    return statements_of(function.__code__).at(number).reads


# The functions below are read, never run.
# ruff: noqa: B007, E701, E702, F841, RUF059


def many_lines(x):
    total = (
        x +
        1
    )
    return total


def loops(xs):
    for i, x in enumerate(xs):
        y = x * 2
        while y > 1:
            y = y / 2
    else:
        z = y
    return z


def targets(pair):
    a, (b, *c) = pair
    d = e = a
    f: int = d
    pair.attribute = a
    pair[0] = b
    return f


def walrus(x):
    if (n := len(x)) > 3:
        y = (m := n) + 1
    return y


def with_blocks(lock):
    with lock as held, open(held) as file:
        text = file.read()
    return text


def augmented(x, y):
    x += y
    y[0] *= 2
    return x


def outer(x):
    def inner(x):
        hidden = x + 1
        return hidden
    y = inner(x)
    z = (lambda q: q * 2)(y)
    return z


def attempts(x):
    try:
        a = x + 1
        b = a * 2
    except (ValueError, TypeError):
        b = x
        c = b
    finally:
        d = b
    return d


def matched(x):
    match x:
        case 1:
            y = x
        case _:
            y = x + 1
            z = y
    return y


def one_line(x):
    if x: y = x * 2
    a = y + 1; b = a * 3
    for i in x: c = i
    return b


def comprehended(xs):
    ys = [x * 2 for x in xs]
    return ys


@functools.lru_cache(
    maxsize=None,
    typed=False,
)
@functools.wraps(
    len
)
def decorated(x):
    y = x + 1
    return y


def twice(x):
    first = x
    return first


def test_a_statement_spans_its_lines():
    assert binds(many_lines)["total = ("] == binds(many_lines)["1"] == ("total",)


def test_loop_variables_are_bound_by_the_header_and_bodies_by_themselves():
    found = binds(loops)
    assert found["for i, x in enumerate(xs):"] == ("i", "x")
    assert found["y = x * 2"] == ("y",)
    assert found["while y > 1:"] == ()
    assert found["y = y / 2"] == ("y",)
    assert found["z = y"] == ("z",)


def test_tuple_targets_chains_and_annotations():
    found = binds(targets)
    assert found["a, (b, *c) = pair"] == ("a", "b", "c")
    assert found["d = e = a"] == ("d", "e")
    assert found["f: int = d"] == ("f",)
    assert found["pair.attribute = a"] == found["pair[0] = b"] == ()


def test_walrus():
    assert binds(walrus)["if (n := len(x)) > 3:"] == ("n",)
    assert set(binds(walrus)["y = (m := n) + 1"]) == {"y", "m"}


def test_with_binds_in_its_header_only():
    assert binds(with_blocks)["with lock as held, open(held) as file:"] == ("held", "file")
    assert binds(with_blocks)["text = file.read()"] == ("text",)


def test_augmented_assignment_reads_what_it_binds():
    assert binds(augmented)["x += y"] == ("x",)
    assert reads(augmented, "x += y") == {"x", "y"}
    assert binds(augmented)["y[0] *= 2"] == ()


def test_nested_functions_keep_their_statements_to_themselves():
    found = binds(outer)
    assert "hidden = x + 1" not in found and "def inner(x):" not in found
    assert found["y = inner(x)"] == ("y",)
    inner = next(c for c in outer.__code__.co_consts if getattr(c, "co_name", "") == "inner")
    assert statements_of(inner).at(inner.co_firstlineno + 1).binds == ("hidden",)


def test_each_line_of_a_try_is_a_statement_of_its_own():
    found = binds(attempts)
    assert found["a = x + 1"] == ("a",) and found["b = a * 2"] == ("b",)
    assert found["b = x"] == ("b",) and found["c = b"] == ("c",) and found["d = b"] == ("d",)
    assert found["try:"] == ()


def test_each_line_of_a_match_is_a_statement_of_its_own():
    found = binds(matched)
    assert found["match x:"] == ()
    assert found["y = x"] == found["y = x + 1"] == ("y",) and found["z = y"] == ("z",)


def leaves(x, y, flag):
    a = x.detach()
    a.stop_gradient = False
    b = y.detach()
    b.requires_grad_()
    c = x.detach()
    y.stop_gradient = False
    d = x.detach()
    print(d)
    d.stop_gradient = False
    if flag:
        e = x.detach()
    e.requires_grad = True


def test_a_leaf_is_made_by_both_its_lines():
    found = binds(leaves)
    assert found["a.stop_gradient = False"] == found["a = x.detach()"] == ("a",)
    assert found["b.requires_grad_()"] == ("b",)
    assert found["y.stop_gradient = False"] == found["d.stop_gradient = False"] == found["e.requires_grad = True"] == ()


def returns(a, b, c, rest):
    if a:
        return a, (b, [c])
    if b:
        return {"x": a, "y": b + c}
    if c:
        return *rest, a
    return a


@pytest.mark.parametrize("line, path, names", [
    ("return a, (b, [c])", "[0]", {"a"}), ("return a, (b, [c])", "[1][0]", {"b"}), ("return a, (b, [c])", "[1][1][0]", {"c"}),
    ("return a, (b, [c])", "[1]", {"b", "c"}), ("return a, (b, [c])", "[7]", None), ("return a, (b, [c])", "", None),
    ('return {"x": a, "y": b + c}', "['y']", {"b", "c"}), ('return {"x": a, "y": b + c}', "['z']", None),
    ("return *rest, a", "[0]", None), ("return a", "[0]", None), ("if b:", "[0]", None)])
def test_which_names_a_part_of_what_is_returned_is_made_of(line, path, names):
    lines, first = inspect.getsourcelines(returns)
    number = next(n for n, text in enumerate(lines, first) if text.strip() == line)
    assert returned_part(Site(__file__, number), path) == names


def test_statements_that_share_a_line_count_as_one():
    found = binds(one_line)
    assert found["if x: y = x * 2"] == ("y",)
    assert found["a = y + 1; b = a * 3"] == ("a", "b")
    assert set(found["for i in x: c = i"]) == {"i", "c"}


def test_a_decorator_of_many_lines_does_not_hide_the_function():
    code = next(c for c in compile(inspect.getsource(sys.modules[__name__]), __file__, "exec").co_consts
                if getattr(c, "co_name", "") == "decorated")
    line = next(n for n, text in enumerate(inspect.getsource(sys.modules[__name__]).splitlines(), 1)
                if n > code.co_firstlineno and text == "    y = x + 1")
    assert statements_of(code).at(line).binds == ("y",)


def test_two_files_with_equal_code_are_not_confused(tmp_path):
    codes = []
    for name, variable in (("one.py", "a"), ("two.py", "b")):
        (tmp_path / name).write_text(f"def f(x):\n    {variable} = x\n    return x\n")
        module = compile("def f(x):\n    a = x\n    return x\n", str(tmp_path / name), "exec")
        codes.append(module.co_consts[0])
    assert codes[0] == codes[1]
    assert [statements_of(code).at(2).binds for code in codes] == [("a",), ("b",)]


def test_code_without_a_file_has_no_statements():
    namespace = {}
    exec(compile("def f(x):\n    y = x\n    return y\n", "<made up>", "exec"), namespace)
    assert statements_of(namespace["f"].__code__).at(2) is None


# --- source trees ----------------------------------------------------------------------------------------------------


def test_a_tree_holds_folders_and_files_less_helpers(tmp_path):
    tree = SourceTree(tmp_path / "code", tmp_path / "one.py", helpers=[tmp_path / "code" / "help"])
    assert str(tmp_path / "code" / "deep" / "a.py") in tree and str(tmp_path / "one.py") in tree
    assert str(tmp_path / "code" / "help" / "b.py") not in tree
    assert str(tmp_path / "code2" / "a.py") not in tree and str(tmp_path / "two.py") not in tree


def test_a_tree_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        SourceTree()


def test_modules_of_the_user_are_those_of_their_files():
    assert sys.modules[__name__] in SourceTree(__file__).modules() and SourceTree("/nowhere").modules() == []
    assert sys not in SourceTree(".").modules()  # of no file


def test_the_innermost_line_of_the_users_code():
    tree = SourceTree(__file__)
    here = sys._getframe()
    assert tree.site(here) == Site(__file__, here.f_lineno)
    assert SourceTree("/nowhere").site(here) is None


# --- construction sites ----------------------------------------------------------------------------------------------


class TorchMade(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)
        self.many = torch.nn.Sequential(
            torch.nn.ReLU(),
        )


class PaddleMade(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.layer = paddle.nn.Linear(2, 2)
        self.many = paddle.nn.Sequential(
            paddle.nn.ReLU(),
        )


@pytest.mark.parametrize(("made", "base", "name"), [(TorchMade, torch.nn.Module, "torch"),
                                                  (PaddleMade, paddle.nn.Layer, "paddle")])
def test_every_module_knows_the_line_that_built_it(made, base, name):
    sites, untouched = ConstructionSites(), base.__init__
    with sites.watch(base, SourceTree(__file__)):
        model = made()
    assert sites.of(model.layer).text == f"self.layer = {name}.nn.Linear(2, 2)"
    assert sites.of(model.many[0]).text == f"{name}.nn.ReLU(),"
    assert sites.of(model).text == "model = made()"
    assert base.__init__ is untouched


@pytest.mark.parametrize("base", [torch.nn.Module, paddle.nn.Layer])
def test_the_constructor_comes_back_after_an_exception(base):
    untouched = base.__init__
    with pytest.raises(RuntimeError), ConstructionSites().watch(base, SourceTree(__file__)):
        raise RuntimeError
    assert base.__init__ is untouched


@pytest.mark.parametrize(("base", "build"), [(torch.nn.Module, lambda: torch.nn.Linear(2, 2)),
                                             (paddle.nn.Layer, lambda: paddle.nn.Linear(2, 2))])
def test_a_copy_was_built_where_its_original_was(base, build):
    sites = ConstructionSites()
    with sites.watch(base, SourceTree(__file__)):
        original = build()
        copied = copy.deepcopy(original)
    assert sites.of(copied) == sites.of(original) is not None and "__deepcopy__" not in vars(base)
    assert copied.weight is not original.weight and (copied.weight == original.weight).all()
    assert sites.of(copy.deepcopy(original)) is None


def test_a_function_that_an_object_keeps_is_written_where_it_keeps_it(tmp_path):
    file = tmp_path / "model.py"
    file.write_text("class Net:\n    def __init__(self, own):\n        self.act = torch.relu\n        self.way = torch.relu\n"
                    "        self.way = torch.tanh\n        self.fc = Linear(3)\n        self.leak = nn.LeakyReLU()\n"
                    "    def forward(self, x):\n"
                    "        x = self.act(x)\n        x = self.way(x)\n        x = self.fc(x)\n        return self.leak(x)\n")
    assert kept_at(Site(str(file), 9), "relu") == Site(str(file), 3)
    assert kept_at(Site(str(file), 9), "tanh") is None  # what the line computes besides
    assert kept_at(Site(str(file), 10), "relu") is None  # one of two
    assert kept_at(Site(str(file), 11), "linear") == Site(str(file), 6) and kept_at(Site(str(file), 12), "leaky_relu") == Site(
        str(file), 7)
    assert kept_at(None, "relu") is None


def test_modules_built_outside_or_by_libraries_alone_have_no_site():
    sites = ConstructionSites()
    early = torch.nn.Linear(1, 1)
    with sites.watch(torch.nn.Module, SourceTree("/nowhere")):
        foreign = torch.nn.Linear(1, 1)
    assert sites.of(early) is None and sites.of(foreign) is None and sites.of(None) is None


def test_what_a_line_reads_of_values_and_what_only_of_their_kind(tmp_path):
    lines = ["bias = zeros(n, dtype=scores.dtype)", "y = x.reshape(x.shape[:1])", "z = x + scores.shape[0]", "n = x.shape[1]"]
    code = functions(tmp_path, "def forward(self, x, scores, n):\n" + "".join(f"    {line}\n" for line in lines))["forward"]
    assert [sorted(statement.values & {"x", "scores", "n"}) for statement in statements_of(code).all] == [["n"], ["x"], ["x"], []]
    assert "scores" in statements_of(code).all[0].reads


def functions(folder, text):
    file = folder / "functions.py"
    file.write_text(text)
    names = {}
    exec(compile(text, str(file), "exec"), names)
    return {name: value.__code__ for name, value in names.items() if hasattr(value, "__code__")}


def test_a_line_that_calls_what_its_object_keeps(tmp_path):
    file = tmp_path / "model.py"
    file.write_text("class Net:\n    def __init__(self, act, width):\n        self.act, self.width = act, width * 2\n"
                    "    def forward(self, x):\n        x = x * self.width\n        return self.act(x)\n")
    assert [calls_own(Site(str(file), line)) for line in (5, 6)] == [False, True] and not calls_own(None)
    assert [kept_value(Site(str(file), 3), name) for name in ("act", "width", "other")] == ["act", None, None]
