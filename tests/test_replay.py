"""A stream that breaks is begun again, and nobody sees twice what they have seen."""

from __future__ import annotations

import pytest

from demos.cluster.replay import ATTEMPTS, replayed
from gen_core.progress import Progress


class Lost(Exception):
    """A machine is gone."""


def run(seed: int = 7, stages: int = 2, steps: int = 3):
    """Previews after each step, and at last the picture."""
    for stage in range(stages):
        for step in range(steps):
            yield Progress(f"Stage {stage}", step, steps)
            yield f"{seed}: {stage}.{step}"
    yield f"{seed}: done"


class Machines:
    """Each gets as far as `lasts` says, and the one after the last to the end."""

    def __init__(self, *lasts: int) -> None:
        self.lasts, self.begun = list(lasts), 0

    def begin(self):
        self.begun += 1
        most = self.lasts.pop(0) if self.lasts else None
        for i, piece in enumerate(run()):
            if i == most:
                raise Lost
            yield piece


def shown(pieces) -> list[str]:
    return [piece for piece in pieces if isinstance(piece, str)]


@pytest.mark.parametrize("lasts", [(), (0,), (1,), (2,), (5,), (7,), (12,), (5, 3), (3, 9, 4)])
def test_each_preview_is_shown_once_and_in_order(lasts):
    machines = Machines(*lasts)
    assert shown(replayed(machines.begin, Lost)) == shown(run())
    assert machines.begun == len(lasts) + 1


def test_progress_goes_on_while_the_lost_part_is_done_again():
    done = [p.done for p in replayed(Machines(5).begin, Lost) if isinstance(p, Progress)]
    assert done == [0, 1, 2, 0, 1, 2, 0, 1, 2]


def test_the_end_is_shown_even_if_it_comes_no_later_than_what_was_seen():
    """Slow as it was, the first machine had told of the last step; the second tells of none."""
    pieces = [[Progress("Step", 3, 3), "preview", Lost()], [Progress("Step", 2, 3), "early", "end"]]

    def begin():
        for piece in pieces.pop(0):
            if isinstance(piece, Lost):
                raise piece
            yield piece

    assert shown(replayed(begin, Lost)) == ["preview", "end"]


def test_what_the_work_itself_raises_is_not_done_again():
    calls = []

    def begin():
        calls.append(1)
        yield "preview"
        raise ValueError("the work's own")

    with pytest.raises(ValueError, match="own"):
        list(replayed(begin, Lost))
    assert len(calls) == 1


def test_it_gives_up_when_every_machine_is_lost():
    machines = Machines(*[1] * ATTEMPTS)
    with pytest.raises(Lost):
        list(replayed(machines.begin, Lost))
    assert machines.begun == ATTEMPTS


def test_closing_it_closes_the_stream():
    closed = []

    def begin():
        try:
            yield from run()
        finally:
            closed.append(True)

    pieces = replayed(begin, Lost)
    next(pieces)
    pieces.close()
    assert closed == [True]
