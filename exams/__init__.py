"""Exams of the harness, run from a checkout: how much it finds, and how often it cries wolf. Not in the wheel."""
