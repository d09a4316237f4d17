"""What a page computes for its visitors, by name: here, or in replicas of its process."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gen_core.progress import Progress


@dataclass(frozen=True)
class Order:
    """What somebody wants of a `Work`: its arguments, and whose session it is, "" for nobody's."""

    name: str
    session: str = ""
    args: Sequence[Any] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """A function that computes for visitors, and how the engine runs it."""

    name: str
    """The same in every process that builds the same page."""
    fn: Callable[..., Any]
    light: bool = False
    """Whether it takes a single pass; without this, whether it does without `steps`."""
    own_process: bool = False
    """Whether it is done in a process of its own, without a turn on the device."""
    at_home: bool = False
    """Whether it needs what only the page's process has, such as a visitor's last run."""


@dataclass(frozen=True)
class Line(Progress):
    """Progress of an engine that is not the page's own, with what the run's line says of it."""

    line: str = ""


@dataclass(frozen=True)
class About:
    """What the page says of a machine that computes for it."""

    device_title: str
    most_work: int
    process: int


class Replicas(Protocol):
    """Processes that build the same page, and compute in place of the one that serves it."""

    def about(self) -> About:
        """One of them, which waits for the first."""

    def fault(self) -> str:
        """Why they answer nobody at the moment; "" where they do. May take a while."""

    def stream(self, order: Order) -> Iterator[Any]:
        """What the work yields, as it travels, and a `Line` for each Progress. Raises what the
        work raised. Closing it ends the work."""
