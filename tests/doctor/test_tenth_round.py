"""What the tenth blind round has shown, and whether what is stored of the rounds fits together."""

from __future__ import annotations

import ast

import pytest

from exams.doctor import blind
from parity.doctor.finding import KINDS


@pytest.mark.parametrize("one", blind.ROUNDS, ids=lambda one: one.name)
def test_what_is_stored_of_a_round_fits_its_cases(one):
    for cases, rows in ((one.faults, one.first_run.get("faults", [])), (one.healthy, one.first_run["healthy"])):
        assert [(case.script, case.name) for case in cases] == [(row["script"], row["name"]) for row in rows]
    for row in one.first_run.get("faults", []):
        assert row["found"] <= bool(row["said"]) and row["named"] <= row["found"] and row["placed"] <= row["named"]


@pytest.mark.parametrize("one", blind.ROUNDS, ids=lambda one: one.name)
def test_each_case_of_a_round_is_a_program_and_asks_for_kinds_and_lines_that_there_are(one):
    for case in (*one.faults, *one.healthy):
        ast.parse(case.text)
        assert all(1 <= line <= len(case.text.splitlines()) for line in case.at), case.name
        assert {*case.ids, *case.declared} <= KINDS.keys(), case.name
    scripts = [case.script for case in one.faults]
    assert all(case.edits for case in one.faults) and (one.name != "tenth" or len(set(scripts)) == len(scripts))
