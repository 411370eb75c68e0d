"""State that forwards move: running statistics, the u and v of spectral norms."""

from __future__ import annotations

from parity.doctor.arrays import checksum
from parity.doctor.record import Iteration
from parity.doctor.watching.scene import Scene


class State:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._before: dict[str, int] = {}
        self.look_again()

    def look_again(self) -> None:
        """The program holds other modules now."""
        moving_state = self._scene.framework.moving_state
        self._moving = [path for path, module in self._scene.program.modules.items() if moving_state(module)]

    def begin(self) -> None:
        self._before = self._sums()

    def end(self, iteration: Iteration) -> None:
        for name, mark in self._sums().items():
            iteration.moved[name] = self._before.get(name) != mark

    def marks_of(self, path: str) -> dict[str, int]:
        """Checksums of one module's state, by full name."""
        framework = self._scene.framework
        state = framework.moving_state(self._scene.program.modules[path])
        return {f"{path}.{name}": checksum(framework.values(value)) for name, value in state.items()}

    def _sums(self) -> dict[str, int]:
        return {name: mark for path in self._moving for name, mark in self.marks_of(path).items()}
