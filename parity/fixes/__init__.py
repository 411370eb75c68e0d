"""Edits of the twin's source, in memory, under its own line numbers."""
