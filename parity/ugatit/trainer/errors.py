"""What a user gave that cannot be used."""


class TrainerError(Exception):
    """The message, one line, says what was expected, what was found, and what to do."""
