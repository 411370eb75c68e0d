"""What a difference of the frameworks is: a `Difference` with its reproduction, its size, and its imitation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parity.differences.imitation import Acted


@dataclass(frozen=True)
class Reproduction:
    """What a difference measures on the installed Paddle. `holds`: whether the difference is there."""

    measured: float
    expected: tuple[float, float]
    version: str

    @property
    def holds(self) -> bool:
        low, high = self.expected
        return low <= self.measured <= high


@dataclass(frozen=True)
class Difference:
    """One way in which Paddle differs from torch.

    measure: the minimal reproduction; returns the size. expected: the range of that size where the difference is
    there. control: the same figure for a healthy operation, outside that range. figures: what `measure` gave, by Paddle
    version (run once each). correct: what it should give. size, effect: a sentence each. is_bug: plainly a bug of
    Paddle. avoided_by: how the twin gets around it; None where it uses Paddle's own. imitate: makes torch behave so for
    the time of a `with`; None where no number of a run could show it. material: no rounding and no convention, but another
    result, for which a twin has to be written otherwise: what it accounts for stays diverged, with this as its cause. of_data:
    what it takes away is a gradient of labels: where no weight has lost one for it, that is explained, material as it is.
    remembers: it changes nothing but what buffers are after a forward, neither its values nor gradients.
    """

    name: str
    title: str
    where: str
    size: str
    measure: Callable[[], float]
    expected: tuple[float, float]
    control: Callable[[], float]
    correct: str
    figures: Mapping[str, float]
    effect: str = ""
    avoided_by: str | None = None
    is_bug: bool = False
    material: bool = False
    of_data: bool = False
    remembers: bool = False
    imitate: Callable[[], AbstractContextManager[Acted]] | None = None

    def reproduce(self) -> Reproduction:
        """Measure it now, on the installed Paddle."""
        import paddle
        return Reproduction(float(self.measure()), self.expected, paddle.__version__)

    @cached_property
    def present(self) -> bool:
        """Whether the installed Paddle shows it: by measurement, so that no list of versions can be out of date."""
        return self.reproduce().holds

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions in which it was seen."""
        low, high = self.expected
        return tuple(version for version, figure in self.figures.items() if low <= figure <= high)
