"""Two texts side by side: which statement is whose partner, and where they say different things of the way back."""

import ast

import pytest

from parity.trace.graph_words import ELSEWHERE, OTHER_FUNCTION, OTHER_NUMBERS, OTHER_WORDS, places, switches
from parity.trace.statements import lines_of, plain, side_by_side, tokens


def lines(text):
    return lines_of(ast.parse(text).body[0])


def function(*body):
    return lines("\n".join(["def forward(self, x):", *(f"    {one}" for one in body)]))


def partners(ours, theirs):
    return [tuple(line.first if line else None for line in pair) for pair in side_by_side(function(*ours), function(*theirs))]


def test_statements_that_say_the_same_in_both_frameworks_words_are_partners():
    ours, theirs = ["y = torch.cat([x, x], dim=1)", "return y"], ["y = paddle.cat([x, x], axis=1)", "return y"]
    assert partners(ours, theirs) == [(2, 2, None), (3, 3, None)]
    assert plain(function(*ours)[0]) == plain(function(*theirs)[0])


def test_a_statement_without_a_partner_stands_before_the_one_that_is_in_its_place():
    assert partners(["y = x * 2", "z = y.detach()", "return z + 1"], ["y = x * 2", "return y + 1"])[1:] == [
        (3, None, 3), (4, 3, None)]


def test_a_statement_that_frees_a_leaf_is_one_with_the_one_that_makes_it_and_one_that_freezes_is_not():
    freed = function("y = x.detach()", "y.stop_gradient = False", "return y")
    assert [(line.first, line.last) for line in freed] == [(2, 3), (4, 4)]
    frozen = function("y = self.fc(x)", "y.stop_gradient = True", "return y")
    assert [(line.first, line.last) for line in frozen] == [(2, 2), (3, 3), (4, 4)]


def test_lines_in_branches_and_loops_may_rest_and_those_of_a_with_do_not():
    found = function("with torch.no_grad():", "    a = x", "if self.flag:", "    b = x", "for i in x:", "    c = i")
    assert [line.may_rest for line in found] == [False, False, False, True, False, True]


def test_numbers_operators_and_slices_are_tokens_and_names_are_not():
    one, other = (function(f"y = {text}")[0].inner for text in ("a[1] * 2 + b", "c[1] * 2 + d"))
    assert tokens(one) == tokens(other)
    for text in ("a[:, 1] * 2 + b", "a[1] * 3 + b", "a[1] * 2 - b", "a[1] * 2 + -b"):
        assert tokens(function(f"y = {text}")[0].inner) != tokens(function("y = a[1] * 2 + b")[0].inner)


def said(ours, theirs):
    return [(place.rank, place.reference and place.reference.line, place.twin and place.twin.line)
            for place in places("ours.py", function(*ours), "theirs.py", function(*theirs))]


@pytest.mark.parametrize(("ours", "theirs", "rank"), [
    ("y = self.f(x.detach())", "y = self.f(x)", OTHER_WORDS), ("y = self.f(x)", "y = self.f(x.detach())", OTHER_WORDS),
    ("y = self.f(x) * self.g(x).detach()", "y = self.f(x).detach() * self.g(x)", ELSEWHERE),
    ("y = 0.1 * x + 0.9 * x.detach()", "y = 0.2 * x + 0.8 * x.detach()", OTHER_NUMBERS),
    ("y.register_hook(lambda g: 2 * g)", "y.register_hook(lambda g: 3 * g)", ELSEWHERE),
    ("g = torch.autograd.grad(y, x, create_graph=True)[0]", "g = paddle.grad(y, x)[0]", OTHER_WORDS),
])
def test_what_two_statements_say_otherwise_of_the_way_back(ours, theirs, rank):
    assert said(["x = x + 0", ours, "return y"], ["x = x + 0", theirs, "return y"]) == [(rank, 3, 3)]


@pytest.mark.parametrize(("ours", "theirs"), [
    ("y = x.detach().cpu().numpy()", "y = x.numpy()"), ("y = self.f(x.detach(), dim=1)", "y = self.f(x.detach(), axis=1)"),
    ("y = self.f(x) * 2", "y = self.f(x) * 3"), ("y.requires_grad = False", "y.stop_gradient = True"),
])
def test_what_is_the_same_of_the_way_back_is_no_place(ours, theirs):
    assert said([ours], [theirs]) == []


def test_a_region_without_a_partner_is_placed_at_the_line_in_its_stead():
    assert said(["with torch.no_grad():", "    y = self.f(x)", "return y"], ["y = self.f(x)", "return y"]) == [(OTHER_WORDS, 2, 2)]


SQUARE = """class Square(Function):
    def forward(ctx, x):
        return x * x

    def backward(ctx, g):
        return {} * x * g


def forward(self, x):
    return Square.apply(x)
"""


def test_a_derivative_of_ones_own_is_read_where_it_is_written(tmp_path):
    files = [tmp_path / f"{number}.py" for number in (2, 3)]
    for file, number in zip(files, (2, 3), strict=True):
        file.write_text(SQUARE.format(number))
    ours, theirs = (lines_of(ast.parse(file.read_text()).body[1]) for file in files)
    assert [(place.rank, place.twin.line) for place in places(str(files[0]), ours, str(files[1]), theirs)] == [(OTHER_FUNCTION, 6)]
    assert not list(places(str(files[0]), ours, str(files[0]), ours))


def test_of_lines_that_freeze_those_that_differ_come_first():
    ours = function("self.a.weight.requires_grad = False", "self.b.weight.requires_grad = False")
    theirs = function("self.a.weight.stop_gradient = True", "self.b.weight.stop_gradient = False")
    assert next(place.twin.line for place in switches("ours.py", ours, "theirs.py", theirs)) == 3
    assert not list(switches("ours.py", function("self.a = x"), "theirs.py", function("self.a = x")))
