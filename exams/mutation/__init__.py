"""Faults of the harness itself: each is put into a copy of its core, and the tests of seconds must fail.

    python -m exams.mutation            # the table; exit code 1 where a mutant survives
    python -m exams.mutation few span   # those whose name says so
"""
