"""Pickles read as data: a small machine that builds containers and numbers, and calls nothing from the file.

`pickletools` (the standard library's disassembler) decodes the operations; those that weights need are carried out here,
any other is refused. What a file asks to import is looked up in a table of our own functions. Long byte strings are
views of the file: nothing large is copied.
"""

import pickletools
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_OPERATIONS = 4_000_000  # some 100 000 tensors; as many take five seconds
_SMALL = 1 << 12


class Refused(Exception):
    """A pickle that asks for what is not given to it. The message says what was expected and what was found."""


class Stateful:
    """What a pickle may give a state to, by `set_state`."""

    def set_state(self, state: Any) -> None:
        raise Refused("expected plain arrays, but the file sets the state of something else")


class Name(str):
    """A name that the file imports: a key of the table, never the thing itself."""


class _Mark:
    pass


class Source:
    """A file in memory, or mapped, to read pickles from; one may follow another."""

    def __init__(self, buffer: memoryview, position: int = 0):
        self._buffer, self._position, self._operation = buffer, position, b""

    def read(self, count: int) -> bytes | memoryview:
        start = self._position
        found = self._buffer[start : start + min(count, len(self._buffer) - start)]
        self._position += len(found)
        if count == 1:
            self._operation = bytes(found)
        as_view = len(found) > _SMALL and self._operation in b"B\x8e"  # BINBYTES, BINBYTES8
        return found if as_view else bytes(found)

    def readline(self) -> bytes:
        line, newline, _ = bytes(self._buffer[self._position : self._position + _SMALL]).partition(b"\n")
        self._position += len(line + newline)
        return line + newline

    def tell(self) -> int:
        return self._position


def load(source: Source, known: Mapping[str, Callable], persistent: Callable[[Any], Any] | None = None) -> Any:
    """The next pickle in the source.

    Args:
        known: "module.name" -> what a call of it gives; anything else that the file wants to import is refused.
        persistent: what a persistent id stands for.
    Raises:
        Refused: an import, an operation or an object that no weights need.
        Exception: nearly any, for a damaged file.
    """
    return _Machine(known, persistent).run(source)


class _Machine:
    def __init__(self, known, persistent):
        self._known, self._persistent = known, persistent
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self, source: Source) -> Any:
        for count, (operation, argument, _) in enumerate(pickletools.genops(source)):
            if count > _OPERATIONS:
                raise Refused(f"expected weights, found a pickle of more than {_OPERATIONS} operations")
            if operation.name == "STOP":
                return self._stack.pop()
            try:
                carry_out = _CARRIED_OUT[operation.name]
            except KeyError:
                raise Refused(_unusual(operation.name)) from None
            carry_out(self, argument)
        raise EOFError("the pickle has no end")

    def push(self, value: Any) -> None:
        self._stack.append(value)

    def since_mark(self) -> list[Any]:
        for index in range(len(self._stack) - 1, -1, -1):
            if self._stack[index] is _Mark:
                found = self._stack[index + 1 :]
                del self._stack[index:]
                return found
        raise ValueError("no mark")

    def last(self, count: int) -> None:
        if len(self._stack) < count:
            raise IndexError("stack underflow")
        self._stack[-count:] = [tuple(self._stack[-count:])]

    def append(self, values: list[Any]) -> None:
        self._of_type(list).extend(values)

    def set_items(self, values: list[Any]) -> None:
        target = self._of_type(dict)
        for key, value in _pairs(values):
            target[key] = value

    def imported(self, name: str) -> None:
        if name not in self._known:
            raise Refused(f"expected arrays only, but the file asks to import {name[:200]}; its code was not run; "
                          "save a plain state_dict, or use a file that you trust")
        self.push(Name(name))

    def call(self) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        if type(function) is not Name or type(arguments) is not tuple:
            raise ValueError("a call of no function")
        self.push(self._known[function](*arguments))

    def build(self) -> None:
        state, target = self._stack.pop(), self._stack[-1]
        if isinstance(target, Stateful):
            target.set_state(state)
        elif type(target) is not OrderedDict or type(state) is not dict:
            raise ValueError("a state for what has none")
        elif isinstance(state.get("_metadata"), dict):  # torch's: versions of the layers
            target._metadata = state["_metadata"]

    def persistent(self) -> None:
        if self._persistent is None:
            raise ValueError("a persistent id")
        self.push(self._persistent(self._stack.pop()))

    def pop(self, count: int = 1) -> Any:
        found = self._stack[-1]
        del self._stack[-count:]
        return found

    def remember(self, index: int | None) -> None:
        self._memo[len(self._memo) if index is None else index] = self._stack[-1]

    def recall(self, index: int) -> None:
        self.push(self._memo[index])

    def stack_global(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if type(name) is not str or type(module) is not str:
            raise ValueError("an import of no name")
        self.imported(f"{module}.{name}")

    def _of_type(self, kind: type) -> Any:
        if not isinstance(self._stack[-1], kind):
            raise ValueError(f"no {kind.__name__} to add to")
        return self._stack[-1]


def _pairs(values: list[Any]) -> Iterator[tuple[Any, Any]]:
    if len(values) % 2:
        raise ValueError("a key without a value")
    for key, value in zip(values[::2], values[1::2], strict=True):
        if type(key) not in (str, int):  # hashing a tuple of tuples of tuples... takes for ever
            raise Refused(f"expected names, found a key that is of type {type(key).__name__}")
        yield key, value


def _unusual(operation: str) -> str:
    if operation.startswith("EXT"):
        return "expected arrays only, but the file uses pickle's extension registry"
    return f"expected Paddle parameters or PyTorch weights, found a pickle with the operation {operation}"


def _constant(value: Any) -> Callable:
    return lambda machine, _: machine.push(value)


def _nothing(machine: _Machine, _: Any) -> None:
    pass


_CARRIED_OUT: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(("PROTO", "FRAME"), _nothing),
    "NONE": _constant(None), "NEWTRUE": _constant(True), "NEWFALSE": _constant(False), "MARK": _constant(_Mark),
    **dict.fromkeys(("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "UNICODE",
                     "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINSTRING", "SHORT_BINSTRING", "BINBYTES",
                     "SHORT_BINBYTES", "BINBYTES8"), _Machine.push),
    "EMPTY_TUPLE": _constant(()), "EMPTY_LIST": lambda m, _: m.push([]), "EMPTY_DICT": lambda m, _: m.push({}),
    "TUPLE": lambda m, _: m.push(tuple(m.since_mark())), "LIST": lambda m, _: m.push(m.since_mark()),
    "DICT": lambda m, _: m.push(dict(_pairs(m.since_mark()))),
    "TUPLE1": lambda m, _: m.last(1), "TUPLE2": lambda m, _: m.last(2), "TUPLE3": lambda m, _: m.last(3),
    "APPEND": lambda m, _: m.append([m.pop()]), "APPENDS": lambda m, _: m.append(m.since_mark()),
    "SETITEM": lambda m, _: m.set_items([m._stack[-2], m.pop(2)]), "SETITEMS": lambda m, _: m.set_items(m.since_mark()),
    "POP": lambda m, _: m.pop(), "POP_MARK": lambda m, _: m.since_mark(),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _Machine.remember),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Machine.recall),
    "GLOBAL": lambda m, name: m.imported(name.replace(" ", ".")), "STACK_GLOBAL": lambda m, _: m.stack_global(),
    **dict.fromkeys(("REDUCE", "NEWOBJ"), lambda m, _: m.call()), "BUILD": lambda m, _: m.build(),
    "BINPERSID": lambda m, _: m.persistent(),
}  # fmt: skip
