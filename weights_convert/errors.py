"""What can go wrong, one class per place. Every message is meant to be shown to the user as it is."""

_SHOWN = 8
_LONGEST = 2000


class ConversionError(Exception):
    """Base of everything this package raises on bad input. One printable line, whatever names the file holds."""

    def __init__(self, message: str):
        line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in message[:_LONGEST])
        super().__init__(line + " ..." * (len(message) > _LONGEST))


class LayoutError(ConversionError):
    """Two networks cannot be paired: an unknown layer type, a tensor without partner, other shapes."""


class StateError(ConversionError):
    """A state (name -> array) does not fit the plan: missing, extra, misshapen, wrong kind of dtype."""


class CheckpointError(ConversionError):
    """A file or folder cannot be read or written, or is not the checkpoint that it should be."""


class VerificationError(ConversionError):
    """What was written does not read back as what was meant: never expected, always fatal."""


def listed(problems: list[str]) -> str:
    """All problems in one line, the first few spelled out."""
    rest = len(problems) - _SHOWN
    return "; ".join(problems[:_SHOWN]) + (f"; and {rest} more" if rest > 0 else "")


def brief(error: BaseException) -> str:
    """A foreign exception in one short line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # the argument of a KeyError can be anything that a file makes up
        lines = []
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
