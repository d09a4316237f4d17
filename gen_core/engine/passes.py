"""Forward passes that several requests share."""

import contextlib
import functools
import itertools
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from gen_core.knobs import KnobError

LONGEST_PASS = 0.3
"""Seconds that a forward pass may take, which whoever comes next has to wait."""
FIRST_ROWS, MOST_ROWS = 32, 256
"""Of one pass: before any was measured, and in any case, for the sake of memory."""
SMALL_PASS = 4
"""Rows of single passes up to which one core does on a CPU."""


class NotFiniteAnswer(KnobError):
    """A network answered a request with NaN or infinity."""


# --- trees of tensors -----------------------------------------------------------------------------


def _each(fn: Callable[..., Any], *trees: Any) -> Any:
    """fn of the tensors at each place of trees of one shape; all else as in the first one."""
    first = trees[0]
    if isinstance(first, Tensor):
        return fn(*trees)
    if isinstance(first, Mapping):
        made = {key: _each(fn, *(tree[key] for tree in trees)) for key in first}
        return made if type(first) is dict else type(first)(**made)
    if isinstance(first, tuple | list):
        made = [_each(fn, *parts) for parts in zip(*trees, strict=True)]
        return type(first)(*made) if hasattr(first, "_fields") else type(first)(made)
    return first


def tensors_of(tree: Any) -> list[Tensor]:
    found: list[Tensor] = []
    _each(found.append, tree)
    return found


def _described(tree: Any) -> Any:
    """What has to be equal where rows are put together: all but the number of rows."""
    if isinstance(tree, Tensor):
        return tree.shape[1:], tree.dtype, tree.device
    if isinstance(tree, Mapping):
        return type(tree), tuple((key, _described(value)) for key, value in tree.items())
    if isinstance(tree, tuple | list):
        return type(tree), tuple(map(_described, tree))
    return tree


# --- an evaluation that somebody waits for --------------------------------------------------------


class Asker(Protocol):
    """Whose call it is."""

    light: bool
    seconds: float
    rank: tuple[int, float]


@dataclass(eq=False)
class Call:
    """An evaluation of a network that a request waits for."""

    request: Asker
    network: Callable[..., Any]
    inputs: tuple[tuple[Any, ...], dict[str, Any]]
    modes: tuple[Any, ...]
    """How the one who asks computes: inference mode, and autocast to which type."""
    answer: Any = None
    error: Exception | None = None
    done: int = 0
    """Rows that are answered."""
    parts: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        tensors = tensors_of(self.inputs)
        counts = {len(x) if x.dim() else 0 for x in tensors}
        alike = len(counts) == 1 and 0 not in counts
        self.rows = counts.pop() if alike else 1
        self.shared_by: Hashable = object()
        """Equal where rows may be put together."""
        if alike:
            described = (self.network, self.modes, _described(self.inputs))
            with contextlib.suppress(TypeError):  # a value that cannot be compared
                hash(described)
                self.shared_by = described
        self.divides = alike

    def answered(self, part: Any, rows: int) -> None:
        finite = all(bool(x.isfinite().all()) for x in tensors_of(part) if x.is_floating_point())
        if not finite:
            self.error = NotFiniteAnswer(
                "the network's answer is not a finite number: choose other settings"
            )
        self.parts.append(part)
        self.done += rows
        if self.done >= self.rows:
            joined = len(self.parts) > 1
            self.answer = _each(lambda *x: torch.cat(x), *self.parts) if joined else part


Taken = Sequence[tuple[Call, int, int]]
"""What a pass computes: calls, each with its first row and the one after its last."""


# --- the passes -----------------------------------------------------------------------------------


class Passes:
    """Says which calls a pass answers, and computes it.

    A pass takes no longer than `longest` seconds, as far as the passes before it tell, and has at
    most `most_rows` rows.
    """

    def __init__(self, longest: float, most_rows: int) -> None:
        self.longest, self.most_rows = longest, most_rows
        self.rows: list[int] = []
        """Of the last thousand passes."""
        self._pace: dict[Callable[..., Any], tuple[float, float]] = {}
        """By network: seconds and rows of its passes, the last ones counting most."""
        self._limits: dict[Callable[..., Any], int] = {}
        """By network: rows beyond which the device had no memory."""

    def together(self, calls: Sequence[Call]) -> Taken:
        """What the next pass computes of the calls that wait; [] where none does.

        The first in order, and whoever waits for the same network; no long request makes a single
        pass longer.
        """
        calls = sorted(calls, key=lambda call: call.request.rank)
        if not calls:
            return []
        first, room, taken = calls[0], self._room(calls[0].network), []
        for call in calls:
            fits = call.shared_by == first.shared_by and room > 0
            if fits and (call.request.light or not first.request.light):
                rows = min(call.rows - call.done, room) if call.divides else call.rows
                taken.append((call, call.done, call.done + rows))
                room -= rows
        return taken

    def _room(self, network: Callable[..., Any]) -> int:
        seconds, rows = self._pace.get(network, (0.0, 0.0))
        fitting = int(self.longest * rows / seconds) if seconds else FIRST_ROWS
        return max(1, min(fitting, self.most_rows, self._limits.get(network, self.most_rows)))

    def compute(self, taken: Taken) -> None:
        """Answers the calls, or a part of their rows, and counts the time for those who asked."""
        began = time.perf_counter()
        try:
            self._answer(taken)
        except Exception as error:  # an answer that cannot be divided into rows
            for call, _, _ in taken:
                call.error = error
        seconds = time.perf_counter() - began
        rows, network = _rows(taken), taken[0][0].network
        self.rows = [*self.rows[-999:], rows]
        before = self._pace.get(network, (0.0, 0.0))
        self._pace[network] = (0.8 * before[0] + seconds, 0.8 * before[1] + rows)
        for call, start, stop in taken:
            call.request.seconds += seconds * (stop - start) / rows

    def _answer(self, taken: Taken) -> None:
        """One pass; where it fails, smaller ones, until the failure is one request's own."""
        rows, first = _rows(taken), taken[0][0]
        small = rows <= SMALL_PASS and first.request.light and first.modes[0] == "cpu"
        try:
            outputs = (
                _on_one_core().submit(self._pass, taken).result() if small else self._pass(taken)
            )
        except Exception as error:
            if isinstance(error, torch.OutOfMemoryError) and rows > 1:
                self._limits[taken[0][0].network] = max(1, rows // 2)
                for half in _halves(taken):
                    self._answer(half)
            elif len(taken) > 1:
                for one in taken:
                    self._answer([one])
            else:
                taken[0][0].error = error
            return
        for (call, start, stop), part in zip(taken, outputs, strict=True):
            call.answered(part, stop - start)

    def _pass(self, taken: Taken) -> list[Any]:
        """The network's answers to each, in order."""
        first = taken[0][0]
        device, inference, autocast, dtype = first.modes
        mode = torch.inference_mode(inference), torch.autocast(device, dtype, enabled=autocast)
        with torch.no_grad(), mode[0], mode[1]:
            if len(taken) == 1 and taken[0][1:] == (0, first.rows):
                args, kwargs = first.inputs
                return [first.network(*args, **kwargs)]
            pieces = [_each(lambda x, a=a, b=b: x[a:b], call.inputs) for call, a, b in taken]
            args, kwargs = _each(lambda *x: torch.cat(x), *pieces)
            out = first.network(*args, **kwargs)
        sizes = [stop - start for _, start, stop in taken]
        ends = [*itertools.accumulate(sizes)]
        return [
            _each(lambda x, a=end - size, b=end: x[a:b], out)
            for size, end in zip(sizes, ends, strict=True)
        ]


def _rows(taken: Taken) -> int:
    return sum(stop - start for _, start, stop in taken)


def _halves(taken: Taken) -> list[Taken]:
    """Two passes instead of one: of half the requests each, or of half the one's rows."""
    if len(taken) > 1:
        middle = len(taken) // 2
        return [list(taken[:middle]), list(taken[middle:])]
    ((call, start, stop),) = taken
    middle = (start + stop) // 2
    return [[(call, start, middle)], [(call, middle, stop)]]


@functools.cache
def _on_one_core() -> ThreadPoolExecutor:
    """A thread whose computations get no help from others.

    One small picture takes about a millisecond on one core. Shared with a second one, each layer
    waits for the slower of the two: on two cores that others use as well, 550 ms instead of 10.
    """
    usual, alone = torch.get_num_threads(), ThreadPoolExecutor(1, "engine-small")
    alone.submit(torch.get_num_threads).result()  # torch sets a thread up when first asked
    alone.submit(torch.set_num_threads, 1).result()  # for that thread, and for those to come
    torch.set_num_threads(usual)  # those to come get what they had
    return alone
