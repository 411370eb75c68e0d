"""Whose tensor is whose, on networks of names and shapes alone."""

import pytest

from parity.pairing.correspondence import correspond
from tests.unit.networks import linear, network
from weights_convert import DEFAULT


def paired(reference, twin, names=None):
    """(reference's name -> twin's name, layout) of all tensors, and the rest of what was found."""
    found = correspond(reference, twin, DEFAULT, names)
    return {name: (entry.target, entry.rule) for name, entry in found.plan.entries.items()}, found


def both(**layers):
    """The same names on both sides: name -> (inputs, outputs)."""
    return [network(kind, **{name: linear(kind, *size) for name, size in layers.items()}) for kind in ("torch", "paddle")]


def test_equal_names_are_partners_and_layouts_go_by_type():
    entries, found = paired(*both(first=(3, 4), second=(4, 4)))
    assert entries == {"first.weight": ("first.weight", "transpose"), "first.bias": ("first.bias", "identity"),
                       "second.weight": ("second.weight", "transpose"), "second.bias": ("second.bias", "identity")}
    assert found.problems == () and found.guesses == () and found.modules == {"": "", "first": "first", "second": "second"}


def test_a_square_weight_is_transposed_too():
    assert paired(*both(only=(4, 4)))[0]["only.weight"] == ("only.weight", "transpose")


def test_equal_names_win_over_the_order_of_definition():
    reference = network("torch", a=linear("torch", 4, 4), b=linear("torch", 4, 4))
    twin = network("paddle", b=linear("paddle", 4, 4), a=linear("paddle", 4, 4))
    entries, found = paired(reference, twin)
    assert entries["a.weight"][0] == "a.weight" and entries["b.weight"][0] == "b.weight" and found.guesses == ()


def test_names_that_differ_in_style_alone_win_over_the_order_of_definition():
    reference = network("torch", upConv=linear("torch", 4, 4), convUp=linear("torch", 4, 4))
    twin = network("paddle", conv_up=linear("paddle", 4, 4), up_conv=linear("paddle", 4, 4))
    _, found = paired(reference, twin)
    assert found.modules == {"": "", "up_conv": "upConv", "conv_up": "convUp"} and found.guesses == ()


def test_an_equal_name_is_no_guess_beside_layers_of_other_names():
    reference = network("torch", fc=linear("torch", 4, 4), fc2=linear("torch", 4, 4), x=linear("torch", 4, 4))
    twin = network("paddle", FC=linear("paddle", 4, 4), y=linear("paddle", 4, 4), fc2=linear("paddle", 4, 4))
    _, found = paired(reference, twin)
    assert found.modules == {"": "", "FC": "fc", "fc2": "fc2", "y": "x"}


def test_other_names_are_paired_by_shape_and_said():
    reference = network("torch", up=linear("torch", 3, 8), down=linear("torch", 8, 3))
    twin = network("paddle", shrink=linear("paddle", 8, 3), grow=linear("paddle", 3, 8))
    entries, found = paired(reference, twin)
    assert {name: target for name, (target, _) in entries.items()} == {
        "up.weight": "grow.weight", "up.bias": "grow.bias", "down.weight": "shrink.weight", "down.bias": "shrink.bias"}
    [guess] = found.guesses  # nothing ambiguous in it: the shapes leave one way
    assert "up = grow" in guess and "down = shrink" in guess and found.problems == ()


def test_alike_layers_go_by_order_which_is_said_to_be_a_guess():
    reference = network("torch", up=linear("torch", 4, 4), down=linear("torch", 4, 4))
    twin = network("paddle", key=linear("paddle", 4, 4), query=linear("paddle", 4, 4))
    entries, found = paired(reference, twin)
    assert entries["up.weight"][0] == "key.weight" and entries["down.weight"][0] == "query.weight"
    assert len(found.guesses) == 2 and "order of definition" in found.guesses[1] and found.silent == ()


def test_names_that_resemble_each_other_tell_alike_layers_apart():
    reference = network("torch", q=linear("torch", 4, 4), k=linear("torch", 4, 4))
    twin = network("paddle", key=linear("paddle", 4, 4), query=linear("paddle", 4, 4))
    entries, found = paired(reference, twin)
    assert entries["q.weight"][0] == "query.weight" and entries["k.weight"][0] == "key.weight"
    assert len(found.guesses) == 1 and "other names" in found.guesses[0]


@pytest.mark.parametrize("names", [{"q": "query", "k": "key"}, {"q": "query"}])
def test_a_name_that_the_user_gives_settles_it(names):
    reference = network("torch", q=linear("torch", 4, 4), k=linear("torch", 4, 4))
    twin = network("paddle", key=linear("paddle", 4, 4), query=linear("paddle", 4, 4))
    entries, found = paired(reference, twin, names)
    assert entries["q.weight"][0] == "query.weight" and entries["k.weight"][0] == "key.weight"
    assert not any("order of definition" in guess for guess in found.guesses)


def test_a_name_that_the_user_gives_counts_for_more_than_one_that_resembles():
    reference = network("torch", q=linear("torch", 4, 4), k=linear("torch", 4, 4))
    twin = network("paddle", key=linear("paddle", 4, 4), query=linear("paddle", 4, 4))
    entries, _ = paired(reference, twin, {"q": "key"})
    assert entries["q.weight"][0] == "key.weight" and entries["k.weight"][0] == "query.weight"


def test_equal_names_are_partners_whatever_else_is_there():
    """Of two blocks of one content, beside a third that only one side has."""
    def block(kind):
        return network(kind, fc=linear(kind, 4, 4))

    reference = network("torch", left=block("torch"), right=block("torch"))
    twin = network("paddle", middle=block("paddle"), right=block("paddle"), left=block("paddle"))
    entries, found = paired(reference, twin)
    assert {name: target for name, (target, _) in entries.items()} == {
        name: name for side in ("left", "right") for name in (f"{side}.fc.weight", f"{side}.fc.bias")}
    assert {problem.name for problem in found.problems} == {"middle.fc.weight", "middle.fc.bias"}


@pytest.mark.parametrize(("names", "said"), [({"qq": "key"}, "qq: the reference"), ({"q": "kye"}, "kye: the twin")])
def test_a_name_that_nobody_has_is_refused(names, said):
    reference, twin = both(q=(4, 4))
    with pytest.raises(NameError, match=said):
        correspond(reference, twin, DEFAULT, names)


def test_the_same_name_with_another_shape_is_a_problem_and_no_pair():
    reference, twin = network("torch", out=linear("torch", 3, 4)), network("paddle", out=linear("paddle", 3, 5))
    entries, found = paired(reference, twin)
    assert entries == {} and [problem.name for problem in found.problems] and "out" in str(found.problems[0])


def test_what_has_no_partner_is_a_problem():
    reference, twin = both(first=(3, 4))
    reference._modules["second"] = linear("torch", 4, 9)
    entries, found = paired(reference, twin)
    assert set(entries) == {"first.weight", "first.bias"}
    assert any("second" in str(problem) and "reference" in str(problem) for problem in found.problems)


def test_what_is_nested_otherwise_is_found_by_type_and_shape():
    stem, head = (network("torch", name, fc=linear("torch", *size)) for name, size in (("Stem", (3, 7)), ("Head", (7, 2))))
    reference = network("torch", stem=stem, head=head)
    twin = network("paddle", last=linear("paddle", 7, 2), first=linear("paddle", 3, 7))
    entries, found = paired(reference, twin)
    assert entries["stem.fc.weight"] == ("first.weight", "transpose") and entries["head.fc.weight"] == ("last.weight", "transpose")
    assert found.problems == () and found.modules["first"] == "stem.fc"


def test_what_is_found_inside_a_neighbour_is_no_partner_for_its_kind_alone():
    """A head whose decoder shares its weight with an embedding elsewhere; beside it, one whose layer has another size."""
    head = network("torch", around=network("torch", dense=linear("torch", 4, 4)), decoder=linear("torch", 4, 9))
    reference, twin = network("torch", head=head), network("paddle", head=network("paddle", transform=linear("paddle", 4, 4)))
    entries, found = paired(reference, twin)
    assert entries["head.around.dense.weight"][0] == "head.transform.weight"
    assert [problem.name for problem in found.problems] == ["head.decoder.weight", "head.decoder.bias"]
    wrong = network("paddle", head=network("paddle", transform=linear("paddle", 5, 9)))
    assert "(9, 4)" in str(paired(network("torch", head=network("torch", decoder=linear("torch", 4, 9))), wrong)[1].problems[0])


def test_a_tensor_of_ones_own_is_paired_by_shape_where_its_name_differs():
    entries, found = paired(network("torch", gamma=(5,), table=(5, 2)), network("paddle", weight=(5,), table=(5, 2)))
    assert entries == {"gamma": ("weight", "identity"), "table": ("table", "identity")} and len(found.guesses) == 1


def test_no_tensor_of_the_twin_is_given_twice():
    reference = network("torch", a=(5,), b=(5,))
    entries, _ = paired(reference, network("paddle", b=(5,), c=(5,)))
    assert {name: target for name, (target, _) in entries.items()} == {"b": "b", "a": "c"}
    entries, _ = paired(reference, network("paddle", c=(5,), d=(5,)))
    assert {name: target for name, (target, _) in entries.items()} == {"a": "c", "b": "d"}


def test_what_is_wrapped_in_twos_is_unwrapped():
    def block(kind, **layers):
        return network(kind, "Block", **{name: linear(kind, *size) for name, size in layers.items()})

    reference = network("torch", words=linear("torch", 3, 4), places=linear("torch", 5, 4),
                        h=network("torch", "ModuleList", **{number: block("torch", fused=(4, 12), out=(4, 4)) for number in "01"}),
                        last=linear("torch", 4, 2))
    twin = network("paddle", enter=network("paddle", "Enter", w=linear("paddle", 3, 4), p=linear("paddle", 5, 4)),
                   decoder=network("paddle", "Decoder", end=linear("paddle", 4, 2), layers=network("paddle", "LayerList", **{
                       number: block("paddle", q=(4, 4), k=(4, 4), v=(4, 4), o=(4, 4)) for number in "01"})))
    entries, found = paired(reference, twin)
    assert found.problems == () and found.modules["decoder.layers.1"] == "h.1"
    assert entries["h.1.out.weight"][0] == "decoder.layers.1.o.weight"
    assert entries["h.1.fused.weight[4:8]"] == ("decoder.layers.1.k.weight", "transpose")
    assert entries["places.weight"][0] == "enter.p.weight" and entries["last.bias"][0] == "decoder.end.bias"


def test_what_is_unwrapped_keeps_its_place():
    reference = network("torch", inner=network("torch", "Inner", up=linear("torch", 4, 4), down=linear("torch", 4, 4)),
                        after=linear("torch", 4, 4), last=linear("torch", 4, 2))
    twin = network("paddle", e=linear("paddle", 4, 4), f=linear("paddle", 4, 4), g=linear("paddle", 4, 4), h=linear("paddle", 4, 2))
    entries, _ = paired(reference, twin)
    assert [entries[f"{name}.weight"][0] for name in ("inner.up", "inner.down", "after")] == ["e.weight", "f.weight", "g.weight"]


def test_a_vector_of_a_norm_is_no_bias():
    reference = network("torch", conv=network("torch", "Conv2d", weight_orig=(1, 3, 4, 4), weight_u=(1,), weight_v=(48,)))
    inside = {"layer": network("paddle", "Conv2D", bias=(1,)),
              "norm": network("paddle", "SpectralNorm", weight_u=(3,), weight_v=(16,))}
    twin = network("paddle", conv=network("paddle", "Spectral", weight_orig=(1, 3, 4, 4), **inside))
    entries, found = paired(reference, twin)
    assert entries == {"conv.weight_orig": ("conv.weight_orig", "identity")}
    assert [problem.name for problem in found.problems] == ["conv.layer.bias"]
    assert "over dim 1 of the twin's weight" in found.misfits[0].problem.message
