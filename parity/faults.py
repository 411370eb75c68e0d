"""The documented name of `parity.ugatit.faults`."""

from parity.ugatit.faults import CATALOGUE, GROUPS, PORT2020, Answer, Edit, EditError, Fault, inject, members

__all__ = ["CATALOGUE", "GROUPS", "PORT2020", "Answer", "Edit", "EditError", "Fault", "inject", "members"]
