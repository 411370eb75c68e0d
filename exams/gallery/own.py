"""A module of a library as the user's own file: the twin of a gallery pair, changed on disk, and nothing installed touched."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

_PLAIN = int, float, str, bytes, tuple, type(None)  # equal ones may be one object


def put(name: str, file: str) -> None:
    """Run a file as the module of that name, in this process: whatever its library holds of the old one becomes the new one's.

    Modules that inherit from what was replaced are run again.
    """
    old = sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    instead = {id(vars(old)[key]): value for key, value in vars(module).items() if not key.startswith("__") and key in vars(old)
               and vars(old)[key] is not value and not isinstance(value, (*_PLAIN, ModuleType))}
    library, heirs = name.partition(".")[0], []
    for other in [one for key, one in sys.modules.items() if key.partition(".")[0] == library and one is not module]:
        held = {key: instead[id(value)] for key, value in vars(other).items() if id(value) in instead}
        if not held or other is old:
            continue
        vars(other).update(held)
        own = [value for value in vars(other).values() if isinstance(value, type) and value.__module__ == other.__name__]
        if any(id(base) in instead for kind in own for base in kind.__bases__):
            heirs.append(other)
    for heir in heirs:
        put(heir.__name__, heir.__file__)
