"""The mutants of `exams/mutation` are of the code as it stands; that each is killed is `make mutants`."""

import pytest

from exams.mutation.mutants import MUTANTS
from exams.mutation.run import ROOT


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_stands_in_the_code(mutant):
    text = (ROOT / mutant.file).read_text()
    assert text.count(mutant.old) == 1 and mutant.new != mutant.old and mutant.what


def test_names_are_unique():
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 12
