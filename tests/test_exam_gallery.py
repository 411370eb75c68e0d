"""The gallery of public models, as far as it can be looked at without their libraries: its files belong together."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from exams.gallery import faults, rules, run, truth
from exams.gallery.run import FaultRow, Row
from parity.fixes.edit import Edit

PAIRS = Path(run.__file__).parent / "pairs"
NAMES = {file.stem for file in PAIRS.glob("*.py")} - {"__init__"}
ROW = Row("bert", "BERT: a against b", 8, 1e-16, "same", "same", "", 10.0, 0.1, 600, 500)


def test_every_pair_has_a_rule_and_every_rule_a_pair():
    assert set(rules.RULES) == NAMES
    assert set(truth.DIFFERS) | set(truth.DIFFERS_IN_TRAIN) | set(truth.DIFFERS_IN_WEIGHTS) | truth.FLOAT32_INSIDE <= NAMES


def test_the_gallery_is_as_large_as_it_promises():
    assert len(NAMES) >= 40
    assert sum("transformers against" in (PAIRS / f"{name}.py").read_text() for name in NAMES) >= 15


def test_pair_files_are_short():
    lines = [run.lines_of(PAIRS / f"{name}.py") for name in NAMES]
    assert sum(count <= 10 for count in lines) >= 0.8 * len(lines)


def test_a_pair_file_says_who_it_is_and_declares_a_pair():
    for name in NAMES:
        tree = ast.parse((PAIRS / f"{name}.py").read_text())
        assert " against " in ast.get_docstring(tree)
        assert [target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets][-1] == "pair"


@pytest.mark.parametrize("name, apart, holds", [("bert", 1e-15, True), ("bert", 1e-5, False), ("t5", 5e-7, True),
                                                ("bert", 5e-7, False), ("fnet", 0.9, True), ("fnet", 1e-15, False)])
def test_a_measured_truth_is_held_against_what_is_expected(name, apart, holds):
    assert truth.holds(name, apart) is holds


def test_a_rule_renames_turns_and_leaves():
    rule = rules.Rule({"layers": "layer", r"norm(\d)": r"ln_\1"}, turned="head")
    assert rule.name("layers.0.norm1.weight") == "layer.0.ln_1.weight"
    assert rule.is_turned("head.weight") and not rule.is_turned("body.weight")
    assert rule.is_fresh("bn.num_batches_tracked") and not rule.is_fresh("bn.weight")


def test_a_fused_weight_comes_apart_in_order():
    state = {"h.0.attn.c_attn.weight": torch.arange(12.0).reshape(2, 6), "h.0.ln_1.weight": torch.ones(2)}
    parts = rules.RULES["gpt2"].prepare(state)
    assert parts["h.0.attn.k_proj.weight"].tolist() == [[2.0, 8.0], [3.0, 9.0]]
    assert set(parts) == {f"h.0.attn.{part}_proj.weight" for part in "qkv"} | {"h.0.ln_1.weight"}


def test_outcomes_and_the_page():
    rows = [ROW, replace(ROW, name="fnet", truth="differs"), replace(ROW, name="vit", said="differs"),
            replace(ROW, name="t5", said="crash")]
    assert [row.outcome for row in rows] == ["right", "false green", "false alarm", "crash"]
    text = run.page(rows, {"torch": "2"})
    assert "4 pairs: 1 right, 3 not" in text and "fftn without axes" in text and "10 (100x)" in text


def test_the_page_counts_faults():
    row = FaultRow("bert", "sign", "modeling.py:5", "return a - b", "differs", True, False, "", "modeling.py:7", 8.0)
    lines = "\n".join(run.fault_lines([row, replace(row, said="same", module=False)]))
    assert "2 faults in 1 pairs: 1 found" in lines and "was changed in 1, in the statement that was changed, or" in lines
    assert "on a line beside the one that was, in 0; a cause is named in 0" in lines
    assert run.fault_lines([]) == []


def test_a_place_in_the_changed_statement_or_beside_the_changed_line_is_right(tmp_path):
    file = tmp_path / "net.py"
    file.write_text("def f(x):\n    layer = make(\n        1,\n        2,\n        3)\n    y = 1\n    return layer\n")
    fault = faults.Fault("bert", "heads", Edit("net:f", "3)", "4)"), str(file), 5, (1, 7))
    assert [run._is_beside(fault, line) for line in range(1, 8)] == [False, True, True, True, True, True, False]


@pytest.mark.parametrize(("new", "line", "right"), [("        self.scale = 2", 6, True), ("        self.scale = 2", 7, False),
                                                    ("        scale = 2", 6, False), ("        self.scale = 2", 10, False)])
def test_a_line_that_reads_what_the_changed_line_keeps_in_its_class_is_right(tmp_path, new, line, right):
    file = tmp_path / "net.py"
    file.write_text("class Net:\n    def __init__(self):\n        self.scale = 1\n\n    def forward(self, x):\n"
                    "        y = x * self.scale\n        return y\n\ndef other(self, x):\n    return x * self.scale\n")
    fault = faults.Fault("bert", "scale", Edit("net:Net.__init__", "        self.scale = 1", new), str(file), 3, (1, 7))
    assert run._is_beside(fault, line) is right
    row = FaultRow("bert", "scale", "net.py:3", new.strip(), "differs", True, right, "", f"net.py:{line}", 1.0)
    assert row.is_read_there is right


class Twin:
    """Lines to make mistakes on."""

    def forward(self, x):
        """The docstring says x = y + 1."""
        h = x + 1  # a sum
        return h


def test_faults_are_made_of_lines_behind_the_docstring():
    found = {(fault.kind, fault.edit.new.strip()) for fault in faults.in_class("here", Twin)}
    assert found == {("sign", "h = x - 1  # a sum"), ("factor", "return h * 1.01")}
