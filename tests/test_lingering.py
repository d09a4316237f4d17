"""Work whose visitor has vanished: it goes on for a while, after all that somebody waits for."""

from engine_fixtures import Gathered, order_of, steps, talkative, wait_until
from gen_core.engine import MOST_RUNNING


def test_what_nobody_waits_for_at_the_moment_comes_last_and_can_be_taken_up_again(engine, net):
    with Gathered(engine, net):
        ended, (left, other) = order_of(
            engine,
            {
                "left": (lambda: talkative(net), {"key": "run"}),  # its passes are its own
                "other": (lambda: steps(net, 2, 30), {}),
            },
        )
        left.linger()
    other.result()
    back = engine.submit(lambda: talkative(net), key="run")
    assert back.shared
    back.result()
    assert ended == ["other", "left"]


def test_without_a_key_what_nobody_waits_for_ends(engine, net):
    with Gathered(engine, net):
        ticket = engine.submit(lambda: steps(net, 1, 500))
        ticket.linger()
    wait_until(lambda: ticket.request.ended)
    assert ticket.request.cancelled


def test_a_session_that_is_dismissed_ends_what_it_left(engine, net):
    with Gathered(engine, net):
        tickets = {
            name: engine.submit(lambda: steps(net, 1, 500), key=name, session=name)
            for name in ("mine", "yours")
        }
        for ticket in tickets.values():
            ticket.linger()
        engine.dismiss("mine")
    wait_until(lambda: tickets["mine"].request.ended)
    assert not tickets["yours"].request.cancelled
    engine.dismiss("yours")


def test_who_takes_work_up_again_can_stop_it(engine, net):
    """A page that is loaded again is another session."""
    with Gathered(engine, net):
        engine.submit(lambda: steps(net, 1, 500), key="run", session="old").linger()
        back = engine.submit(lambda: steps(net, 1, 500), key="run", session="new")
        back.linger()
        engine.dismiss("new")
    wait_until(lambda: back.request.ended)
    assert back.shared and back.request.cancelled


def test_what_was_left_makes_room_for_what_somebody_waits_for(engine, net):
    with Gathered(engine, net):
        for key in range(MOST_RUNNING):
            engine.submit(lambda: steps(net, 1, 500), key=key).linger()
    alive = engine.submit(lambda: steps(net, 2, 3))
    assert alive.result() is not None
    engine.close()
    assert not engine._started
