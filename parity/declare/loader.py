"""The one way in which a user's code gets into this process: by file or by module name, from the user's own folders first.

A user may call a file as they like: `json.py`, `trainer.py`, `torch_ref/`. Where that name means something else to the rest of
the process (a standard module, an installed package, a module that is loaded already), the user's is loaded under an alias,
and `import json` in the user's own files, and in no others, gets the user's. Neither `sys.path` nor what stands in
`sys.modules` is changed.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import linecache
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from parity.files import InputError

SHARED = ("parity", "numpy", "torch", "paddle")  # what a pair and this package mean alike, whatever a folder is called
HOME = Path(__file__).resolve().parents[2]
OURS = ("torch_ref", "paddle_impl", "weights_convert")  # installed beside us; a user's are another thing


def load(name: str) -> ModuleType:
    """A user's file ("nets/my_pair.py") or module ("my_nets", "package.nets"), imported if it is not yet.

    Both see the working directory; a file sees its own folder first. Raises InputError: there is no such file or module, an
    error in it, or it ends the process; what itself raises InputError or FrameworkError says it in its own words.
    """
    path = Path(name)
    by_file = name.endswith(".py")
    if by_file and not path.is_file():
        raise InputError(f"{name}: expected a Python file, there is none")
    folder = path.resolve().parent if by_file else Path.cwd()
    importlib.invalidate_caches()  # a file may have been written just now
    code = _UserCode.of((folder, Path.cwd()))
    code.forget_changed()
    with _refusing(name, folder):
        return code.file(path.resolve()) if by_file else code.module(name)


@contextmanager
def _refusing(name: str, folder: Path) -> Iterator[None]:
    from parity.frameworks import FrameworkError
    try:
        yield
    except (InputError, FrameworkError):
        raise
    except SystemExit as leaving:
        raise InputError(f"{name}: it ended the process (sys.exit({leaving.code!r})) when it was imported; put what is to be run "
                         f"as a script under if __name__ == \"__main__\":") from leaving
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise InputError(f"{name}: there is no module {error.name}; run this in the folder of "
                             f"{name.partition('.')[0]}.py, or name the file itself") from error
        raise _not_imported(name, folder, error) from error
    except Exception as error:  # the user's file: anything may come
        raise _not_imported(name, folder, error) from error


def _not_imported(name: str, folder: Path, error: Exception) -> InputError:
    return InputError(f"{name}: cannot be imported ({type(error).__name__}: {error}); it must be possible to import it from "
                      f"{folder}")


class _UserCode:
    """The modules in some folders of a user's, in the order in which they are looked through."""

    _known: dict[tuple[Path, ...], _UserCode] = {}

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = [str(folder) for folder in folders]
        self._names: dict[str, str] = {}  # top-level name in the user's files -> the name in sys.modules
        self._specs: dict[str, ModuleSpec] = {}  # name in sys.modules -> what is loaded under it
        self._stamps: dict[str, tuple[str, int, int]] = {}  # name in sys.modules -> its file, when it was written, its size
        self._builtins = {**vars(builtins), "__import__": self._import}
        self._prefix = f"_user{len(self._known)}_"
        sys.meta_path.insert(0, self)

    @classmethod
    def of(cls, folders: Sequence[Path]) -> _UserCode:
        """One for all that is loaded from these."""
        folders = tuple(dict.fromkeys(folders))
        if folders not in cls._known:
            cls._known[folders] = cls(folders)
        return cls._known[folders]

    def forget_changed(self) -> None:
        """Where a file was written anew since it was loaded, all that was loaded from here is loaded again, as it may use it."""
        if any(name in sys.modules and _stamp(file) != (file, *then) for name, (file, *then) in self._stamps.items()):
            for name in self._stamps:
                sys.modules.pop(name, None)
            self._stamps.clear()

    def file(self, path: Path) -> ModuleType:
        """The module of that file: the one that is loaded already, else it is loaded."""
        for module in list(sys.modules.values()):
            if _is_of(module, path):
                return module
        spec = importlib.util.spec_from_file_location(path.stem, path)
        known = self._specs.get(self._names.get(path.stem, ""))
        self._keep(path.stem, spec if known is None or known.origin != spec.origin else known)
        return importlib.import_module(self._names[path.stem])

    def module(self, name: str) -> ModuleType:
        """The module of that name: in these folders, else wherever Python finds it."""
        return importlib.import_module(self._translated(name))

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """For Python's import system: what these folders have under that name, and what is below it."""
        top, _, below = name.partition(".")
        if top not in self._specs:
            if top in sys.stdlib_module_names or self._own(top) is None or PathFinder.find_spec(top) is not None:
                return None
            self._keep(top, self._own(top))  # asked for by name alone (importlib), and nobody else has it
        if self._names.get(top) == top and _means_something_else(top, self._specs[top]):
            return None  # by now: `sys.path` has another, which comes first for who is not of these folders
        found = PathFinder.find_spec(name, path) if below else self._specs[top]
        if found is None:
            return None
        spec = ModuleSpec(name, found.loader, origin=found.origin, is_package=found.submodule_search_locations is not None)
        if isinstance(found.loader, SourceFileLoader):
            spec = importlib.util.spec_from_file_location(name, found.origin, loader=_Loader(name, found.origin, self._builtins))
            self._stamps[name] = _stamp(found.origin)
        elif spec.submodule_search_locations is not None:  # a folder without __init__.py
            spec = ModuleSpec(name, None, is_package=True)
        if found.submodule_search_locations is not None:
            spec.submodule_search_locations = list(found.submodule_search_locations)
        return spec

    def _import(self, name: str, globals: Mapping[str, Any] | None = None, locals: Mapping[str, Any] | None = None,
                fromlist: Sequence[str] = (), level: int = 0) -> ModuleType:
        """`import` in the user's own files."""
        return builtins.__import__(name if level else self._translated(name), globals, locals, fromlist, level)

    def _translated(self, name: str) -> str:
        top, dot, below = name.partition(".")
        if top in SHARED:
            return name
        kept = self._names.get(top)
        spec = self._own(top) if kept is None else self._specs[kept]
        if spec is None:
            return name
        if kept is None or kept not in sys.modules or not _is_from(sys.modules[kept], spec):
            self._keep(top, spec)
        return self._names[top] + dot + below

    def _own(self, top: str) -> ModuleSpec | None:
        """What the user's folders have under that name. A folder without __init__.py counts where nothing else is found."""
        if top in SHARED:
            return None
        spec = PathFinder.find_spec(top, self._folders)
        if top in OURS and spec is not None and spec.origin == str(HOME / top / "__init__.py"):
            return None
        bare = spec is not None and spec.origin is None
        return None if bare and top not in OURS and PathFinder.find_spec(top) is not None else spec

    def _keep(self, own: str, spec: ModuleSpec) -> None:
        """Under its own name, where that means nothing else to this process. That may change, with `sys.path` and `sys.modules`."""
        kept = self._prefix + re.sub(r"\W", "_", own) if not own.isidentifier() or _means_something_else(own, spec) else own
        self._names[own], self._specs[kept] = kept, spec
        if kept not in sys.modules and sys.meta_path[0] is not self:  # of other folders that have the name, this one is asked
            sys.meta_path.remove(self)
            sys.meta_path.insert(0, self)


class _Loader(SourceFileLoader):
    """Loads a module whose import statements are the user's."""

    def __init__(self, name: str, path: str, own_builtins: Mapping[str, Any]) -> None:
        super().__init__(name, path)
        self._builtins = own_builtins

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = self._builtins
        linecache.checkcache(self.path)  # it may have been written anew: what is shown is what is run
        super().exec_module(module)


def _stamp(file: str) -> tuple[str, int, int]:
    try:
        found = Path(file).stat()
    except OSError:
        return file, 0, 0
    return file, found.st_mtime_ns, found.st_size


def _means_something_else(name: str, spec: ModuleSpec) -> bool:
    if name in sys.stdlib_module_names or name in OURS:
        return True
    if name in sys.modules:
        return not _is_from(sys.modules[name], spec)
    elsewhere = PathFinder.find_spec(name)
    return elsewhere is not None and elsewhere.origin != spec.origin


def _is_from(module: Any, spec: ModuleSpec) -> bool:
    if spec.origin is not None:
        return _is_of(module, Path(spec.origin))
    return getattr(module, "__file__", None) is None and list(getattr(module, "__path__", ())) == list(
        spec.submodule_search_locations or ())


def _is_of(module: Any, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and Path(file).name == path.name and Path(file).resolve() == path.resolve()
