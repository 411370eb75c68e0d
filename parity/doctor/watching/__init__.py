"""The parts of the watch: each has one thing in view, and writes what it sees of it into the iteration in progress.

Values are read, never written; nothing random is drawn; no tensor is kept beyond the event that shows it.
"""
