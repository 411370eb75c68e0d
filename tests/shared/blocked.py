"""`python tests/shared/blocked.py torch ARGUMENTS`: the command `parity` in a process that cannot import that framework."""

import sys


class Blocked:
    """A finder that comes first, and knows one thing."""

    def __init__(self, name):
        self.name = name

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == self.name:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


if __name__ == "__main__":
    sys.meta_path.insert(0, Blocked(sys.argv[1]))
    from parity.cli import main
    sys.exit(main(sys.argv[2:]))
