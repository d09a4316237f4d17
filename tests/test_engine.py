"""The engine: order, same only once, shared passes; and what one request never does to another."""

import asyncio
import contextlib
import threading
import time

import pytest
import torch
from torch import nn

from conftest import awaited
from engine_fixtures import Gathered, order_of, row, shown, steps, talkative, wait_until
from gen_core import Noise, final
from gen_core.engine import (
    MOST_RUNNING,
    MOST_WAITING,
    Busy,
    Engine,
    aside,
    current,
    device_clock,
)
from gen_core.engine import request as requests
from gen_core.engine.passes import NotFiniteAnswer
from gen_core.family import Family, registry
from gen_core.progress import Progress

# --- order ------------------------------------------------------------------------------------


def test_single_passes_go_before_long_runs(engine, net):
    with Gathered(engine, net):
        ended, tickets = order_of(
            engine,
            {
                "long": (lambda: steps(net, 1, 5), {}),
                "slider": (lambda: steps(net, 2, 1), {"kind": "slider", "light": True}),
            },
        )
    [ticket.result() for ticket in tickets]
    assert ended == ["slider", "long"]
    assert net.part.rows[1:3] == [[2], [1]]  # nor does the long run make its pass longer


def test_everybody_sees_something_before_anybody_is_done_and_then_the_least_work_goes_first(net):
    engine = Engine(most_rows=2)  # two at a time
    engine.share_passes(net)
    net.part.fault = lambda x: time.sleep(0.01)
    with Gathered(engine, net):
        ended, tickets = order_of(
            engine, {n: (lambda n=n: shown(net, n, n, rows=2), {}) for n in (6, 4, 2)}
        )
    [ticket.result() for ticket in tickets]
    assert net.part.rows[1:4] == [[6, 6], [4, 4], [2, 2]]
    assert ended == [2, 4, 6]
    engine.close()


def test_a_first_value_that_takes_some_evaluations_goes_before_all_seconds_too(net):
    """To encode a text, a step, and to decode two pictures: it waited for everybody's end."""
    engine = Engine(most_rows=1)
    engine.share_passes(net)
    net.part.fault = lambda x: time.sleep(0.01)
    with Gathered(engine, net):
        tickets = [
            engine.submit(lambda n=n, f=f: shown(net, n, 9, first=f)) for n, f in ((1, 1), (2, 4))
        ]
    [ticket.result() for ticket in tickets]
    (begun,) = net.part.rows[1]
    assert begun == 1 and net.part.rows[2:6] == [[2]] * 4
    engine.close()


def test_a_second_stage_is_not_expected_to_take_as_long_as_all_before_it_at_each_step(engine, net):
    """Two pictures drawn one after the other went behind everybody after the first one."""
    left = []

    def stages():
        for _ in range(2):
            for step in range(10):
                net(row(1.0))
                yield Progress("", step + 1, 10)
                left.append((current().left, current().seconds))

    engine.submit(stages).result()
    seconds_left, seconds_so_far = left[10]
    assert seconds_left < 4 * seconds_so_far  # it was nine times


def test_a_visitor_with_64_pictures_delays_a_slider_by_at_most_one_pass(engine, net):
    engine.passes.most_rows = 16
    with Gathered(engine, net):
        big, sliders = engine.submit(lambda: steps(net, 1, 10, rows=64), session="greedy"), []

        def moved(x):
            if len(x) == 16 and not sliders:  # during the first of its passes
                sliders.append(engine.submit(lambda: net(row(7)), kind="slider", light=True))

        net.part.fault = moved
    big.result()
    assert sliders[0].result() == 14
    assert net.part.rows[1:3] == [[1] * 16, [7]]


def test_a_session_has_one_long_run_at_a_time_and_its_sliders_do_not_wait(engine, net):
    with Gathered(engine, net):
        ended, tickets = order_of(
            engine,
            {
                "first": (lambda: steps(net, 1, 3), {"session": "a"}),
                "second": (lambda: steps(net, 2, 1), {"session": "a"}),
                "slider": (lambda: steps(net, 3, 1), {"session": "a", "light": True, "kind": "s"}),
                "another's": (lambda: steps(net, 4, 2), {"session": "b"}),
            },
        )
    [ticket.result() for ticket in tickets]
    assert ended == ["slider", "another's", "first", "second"]


def test_runs_that_compute_for_long_by_themselves_take_turns_with_passes(engine, net):
    """Not all of them before each pass."""

    def busy():
        for step in range(20):
            time.sleep(0.03)
            yield Progress("", step + 1, 20)
        yield "busy"

    with Gathered(engine, net):
        ended, tickets = order_of(
            engine,
            {
                **{k: (busy, {}) for k in range(4)},
                "sampler": (lambda: steps(net, 1, 10), {}),
                "slider": (lambda: steps(net, 2, 1), {"light": True, "kind": "slider"}),
            },
        )
    [ticket.result() for ticket in tickets]
    assert ended[:2] == ["slider", "sampler"]


def test_who_tells_progress_does_not_miss_the_next_pass(engine, net):
    with Gathered(engine, net):
        tickets = [
            engine.submit(lambda: steps(net, 1, 30, rows=20)),
            engine.submit(lambda: talkative(net)),
        ]
    [ticket.result() for ticket in tickets]
    own = [number for number, rows in enumerate(net.part.rows) if rows == [2]]
    assert own == [*range(own[0], own[0] + 8)]  # no pass of the long run between them


def test_it_learns_which_kind_of_request_is_light(engine, net, monkeypatch):
    monkeypatch.setattr(requests, "LIGHT", 0.05)
    monkeypatch.setattr(requests, "SAID_LIGHT", 0.2)
    net.part.fault = lambda x: time.sleep({9.0: 0.08, 99.0: 0.3}.get(float(x[0]), 0))
    engine.submit(lambda: steps(net, 99, 3), kind="slider", light=True).result()
    again = engine.submit(lambda: None, kind="slider", light=True)
    assert again.request.light  # the first one loads
    for _ in range(14):
        engine.submit(lambda: steps(net, 1, 1), kind="quick").result()
        engine.submit(lambda: steps(net, 9, 1), kind="large", light=True).result()
        engine.submit(lambda: steps(net, 99, 1), kind="slow", light=True).result()
    said = {"quick": False, "large": True, "slow": True}
    asked = {k: engine.submit(lambda: None, kind=k, light=light) for k, light in said.items()}
    light = {kind: ticket.request.light for kind, ticket in asked.items()}
    assert light == {"quick": True, "large": True, "slow": False}


def test_closing_gives_each_request_its_last_turn(engine, net):
    """Else its thread would wait for ever, and what it holds with it."""
    closed = []

    def until_closed():
        try:
            yield from steps(net, 1, 500)
        finally:
            closed.append(True)

    with Gathered(engine, net):
        for _ in range(MOST_RUNNING):
            engine.submit(until_closed)
    wait_until(lambda: len(engine._started) == MOST_RUNNING)
    engine.close()
    assert not engine._started and len(closed) == MOST_RUNNING


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_it_says_why_it_answers_nobody_any_more(net, monkeypatch):
    engine = Engine()
    assert engine.submit(lambda: net(row(1))).result() is not None and engine.fault == ""
    engine.close()
    assert engine.fault == "the engine is closed"

    def dies(self):
        raise MemoryError

    monkeypatch.setattr(Engine, "_admit", dies)
    engine = Engine()
    engine.submit(lambda: net(row(1)))
    wait_until(lambda: engine.fault)
    assert engine.fault == "the engine's thread has died"


def test_too_many_are_refused_with_a_message(engine, net):
    with Gathered(engine, net):
        tickets = [engine.submit(lambda: net(row(1)), session="one") for _ in range(MOST_WAITING)]
        with pytest.raises(Busy, match="requests are waiting: try again"):
            engine.submit(lambda: net(row(1)), session="one")
    for ticket in tickets:
        ticket.cancel()
    wait_until(lambda: not engine.busy)


def test_a_slider_is_answered_while_a_hundred_runs_wait(engine, net):
    with Gathered(engine, net):
        runs = [engine.submit(lambda: steps(net, 1, 500)) for _ in range(MOST_RUNNING + 36)]
        slider = engine.submit(lambda: net(row(7)), kind="slider", light=True)
    assert slider.result() == 14
    assert net.part.rows[1] == [7]
    for run in runs:
        run.cancel()
    wait_until(lambda: not engine.busy)


# --- same only once ---------------------------------------------------------------------------


def test_equal_requests_are_computed_once(engine, net):
    with Gathered(engine, net):
        tickets = [engine.submit(lambda: steps(net, 1, 2), key="same") for _ in range(10)]
    assert [ticket.result() for ticket in tickets] == [2] * 10
    assert [ticket.shared for ticket in tickets] == [False] + [True] * 9
    later = engine.submit(lambda: steps(net, 1, 2), key="same")
    assert later.shared and later.result() == 2
    assert net.part.rows == [[-1], [1], [1]]


def test_a_result_is_not_kept_for_ever(engine, net):
    engine.submit(lambda: steps(net, 1, 1), key="same").result()
    engine.kept.seconds = 0
    assert not engine.submit(lambda: steps(net, 1, 1), key="same").shared


def test_results_are_kept_within_a_bound(engine):
    engine.kept.size = 1000
    for k in range(5):
        engine.submit(lambda: {"picture": "x" * 400}, key=k).result()
    assert [k for k in range(5) if engine.kept.get(k)] == [3, 4]


def test_a_failure_is_not_kept(engine):
    with pytest.raises(ValueError):
        engine.submit(lambda: int("no number"), key="same").result()
    assert engine.submit(lambda: 1, key="same").result() == 1


def test_work_that_two_wait_for_goes_on_when_one_leaves(engine, net):
    with Gathered(engine, net):
        one, other = (engine.submit(lambda: steps(net, 1, 2), key="same") for _ in range(2))
        one.cancel()
    assert other.result() == 2


# --- stop, errors, threads --------------------------------------------------------------------


def test_rows_of_a_request_that_is_gone_are_not_computed(engine, net):
    closed, leave = threading.Event(), []

    def work():
        try:
            yield from steps(net, 1, 5)
        finally:
            closed.set()

    with Gathered(engine, net):
        net.part.fault = lambda x: [ticket.cancel() for ticket in leave if 1 in x]
        gone, stays = engine.submit(work), engine.submit(lambda: steps(net, 2, 3))
        leave.append(gone)  # during the first pass of both
    assert stays.result() == 4 and closed.wait(10)
    assert net.part.rows == [[-1], [1, 2], [2], [2]]
    wait_until(lambda: not engine.busy)


def test_who_waits_can_leave_before_it_has_begun(engine, net):
    with Gathered(engine, net):
        tickets = [engine.submit(lambda k=k: net(row(k)), session="one") for k in range(3)]
        tickets[1].cancel()
    tickets[2].result()
    assert [1.0] not in net.part.rows


def test_a_failing_network_fails_its_own_request(engine, net):
    def fault(x):
        if 13 in x:
            raise ValueError("not this one")

    net.part.fault = fault
    with Gathered(engine, net):
        tickets = [engine.submit(lambda k=k: net(row(k))) for k in (12, 13, 14)]
    assert tickets[0].result() == 24 and tickets[2].result() == 28
    with pytest.raises(ValueError, match="not this one"):
        tickets[1].result()


def test_what_goes_wrong_where_nobody_expects_it_fails_its_own_request(engine, net):
    def careless():
        try:
            yield from steps(net, 1, 2)
        finally:
            raise OSError("while it cleaned up")

    class Scalar(nn.Module):
        networks = ("mean",)

        def mean(self, x):
            return x.mean()  # of all rows: an answer that has none

    with pytest.raises(OSError, match="cleaned up"):
        engine.submit(careless).result()
    whole = engine.share_passes(Scalar())
    with Gathered(engine, net):
        tickets = [engine.submit(lambda: whole.mean(row(1, 2))) for _ in range(2)]
    for ticket in tickets:
        with contextlib.suppress(Exception):
            ticket.result()
    assert engine.submit(lambda: steps(net, 3, 1)).result() == 6


def test_nan_fails_the_request_whose_rows_they_are(engine, net):
    with Gathered(engine, net):
        good, bad = (
            engine.submit(lambda: net(row(1))),
            engine.submit(lambda: net(row(float("nan")))),
        )
    assert good.result() == 2
    with pytest.raises(NotFiniteAnswer, match="not a finite number"):
        bad.result()


def test_without_memory_the_passes_become_smaller(engine, net):
    def fault(x):
        if len(x) > 3:
            raise torch.OutOfMemoryError

    net.part.fault = fault
    assert torch.equal(engine.submit(lambda: net(row(*range(12)))).result(), 2 * row(*range(12)))
    with Gathered(engine, net):
        tickets = [engine.submit(lambda k=k: net(row(k))) for k in range(8)]
    assert [ticket.result().item() for ticket in tickets] == [2 * k for k in range(8)]
    assert max(len(rows) for rows in net.part.rows[-3:]) <= 3
    net.part.fault = lambda x: (_ for _ in ()).throw(torch.OutOfMemoryError())
    with pytest.raises(torch.OutOfMemoryError):
        engine.submit(lambda: net(row(1, 2))).result()


def test_who_is_aside_holds_nobody_up(engine, net):
    gate = threading.Event()

    def slow():
        with aside():
            assert gate.wait(10)
        return net(row(1))

    waiting = engine.submit(slow)
    assert engine.submit(lambda: net(row(2))).result() == 4
    gate.set()
    assert waiting.result() == 2


def test_work_outside_needs_no_turn_and_can_be_cancelled(engine):
    gate, closed = threading.Event(), threading.Event()

    def work():
        try:
            for _ in range(1000):
                yield Progress("waiting")
                gate.wait(0.01)
        finally:
            closed.set()

    ticket = engine.submit(work, outside=True)
    assert engine.submit(lambda: 5).result() == 5
    ticket.cancel()
    assert closed.wait(10)


def test_the_clock_counts_a_requests_own_share(engine, net):
    took = []

    def slowly(x):
        began = time.perf_counter()
        time.sleep(0.1)
        took.append(time.perf_counter() - began)

    net.part.fault = slowly

    def timed():
        before = device_clock()
        net(row(1))
        return device_clock() - before

    with Gathered(engine, net):
        tickets = [engine.submit(timed) for _ in range(4)]
    shares = [ticket.result() for ticket in tickets]
    passes = took[1:]  # the first one held them up
    assert len(passes) < 4
    assert sum(passes) <= sum(shares) < 1.5 * sum(passes)


def test_a_request_counts_its_rows_and_says_when_it_began(engine, net):
    with Gathered(engine, net):
        tickets = [engine.submit(lambda n=n: steps(net, 1, 3, rows=n)) for n in (1, 5)]
        assert engine.load == (1, 2)  # the first pass is held up
    assert [ticket.result() is not None and ticket.request.rows for ticket in tickets] == [3, 15]
    assert all(t.request.arrived <= t.request.began <= time.perf_counter() for t in tickets)


def test_threads_are_used_again(engine):
    """Each new one would bring threads of torch's with it."""
    used = {engine.submit(threading.get_ident).result() for _ in range(20)}
    assert len(used) <= 2
    gate = threading.Barrier(8)
    ticket = [engine.submit(lambda: gate.wait(10), outside=True) for _ in range(8)]
    assert sorted(t.result() for t in ticket) == [*range(8)]


def test_outside_of_a_request_a_network_answers_as_ever(net):
    assert net(row(1)) == 2
    x = row(1).requires_grad_()
    net(x).sum().backward()
    assert x.grad == 2


def test_forty_wait_in_an_event_loop_without_a_thread(engine, net):
    async def everybody():
        before = threading.active_count()
        with Gathered(engine, net):
            tickets = [engine.submit(lambda k=k: steps(net, k, 3)) for k in range(40)]
        waiting = [asyncio.create_task(ticket.wait()) for ticket in tickets]
        found = await asyncio.gather(*waiting)
        assert threading.active_count() <= before + 42  # the engine's own
        return found

    assert awaited(everybody()) == [2 * k for k in range(40)]


# --- every family -----------------------------------------------------------------------------


FAMILIES = sorted(name for name, kind in registry.classes.items() if issubclass(kind, Family))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_sample_is_the_same_in_any_company(engine, name):
    kind = registry.classes[name]
    torch.manual_seed(0)
    model = kind(kind.tiny()).requires_grad_(False).eval()
    settings = {"steps": 3} if any(k.name == "steps" for k in model.every_knob) else {}
    asked = model.balanced(range(1))
    alone = [final(model.sample(Noise([s]), **settings, **asked)) for s in range(6)]
    engine.share_passes(model)
    tickets = [
        engine.submit(lambda s=s: final(model.sample(Noise([s]), **settings, **asked)))
        for s in range(6)
    ]
    for before, ticket in zip(alone, tickets, strict=True):
        assert (ticket.result() - before).abs().float().mean() <= 2 / 255
    assert max(engine.passes.rows) > 1
