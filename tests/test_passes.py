"""Forward passes that several requests share."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import nn

from engine_fixtures import Gathered, row, steps
from gen_core.engine import (
    Engine,
)


def test_those_who_wait_for_one_network_share_its_pass(engine, net):
    with Gathered(engine, net):
        tickets = [engine.submit(lambda k=k: steps(net, k, 3)) for k in range(5)]
    assert [ticket.result() for ticket in tickets] == [0, 2, 4, 6, 8]
    assert net.part.rows == [[-1], *[[0, 1, 2, 3, 4]] * 3]


def test_who_comes_alone_is_answered_at_once_and_alone(engine, net):
    assert engine.submit(lambda: steps(net, 3, 2)).result() == 6
    assert net.part.rows == [[3], [3]]


def test_who_comes_later_joins_between_two_steps(engine, net):
    with Gathered(engine, net):
        tickets = [engine.submit(lambda: steps(net, 1, 4)), engine.submit(lambda: steps(net, 2, 2))]
    assert [ticket.result() for ticket in tickets] == [2, 4]
    assert net.part.rows == [[-1], [1, 2], [1, 2], [1], [1]]


def test_rows_of_another_kind_do_not_share_a_pass(engine, net):
    inputs = [row(1), row(2).double(), torch.ones(1, 2), row(4)]
    with Gathered(engine, net):
        tickets = [engine.submit(lambda x=x: net(x)) for x in inputs]
        told = engine.submit(lambda: net(row(5), scale=2))
    for x, ticket in zip(inputs, tickets, strict=True):
        assert torch.equal(ticket.result(), 2 * x) and ticket.result().dtype == x.dtype
    told.result()
    assert sorted(map(len, net.part.rows[1:])) == [1, 1, 1, 2]


def test_autocast_and_inference_mode_are_the_askers(engine, net):
    """Whoever computes in bfloat16 does not make others do so."""
    seen = []
    net.part.fault = lambda x: seen.append((torch.is_autocast_enabled("cpu"), x.is_inference()))

    def quick():
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            return net(row(1))

    with Gathered(engine, net):
        tickets = [engine.submit(quick), engine.submit(lambda: net(row(1)))]
    [ticket.result() for ticket in tickets]
    assert sorted(seen[1:]) == [(False, False), (True, True)]


def test_a_pass_is_no_larger_than_it_may_be(net):
    engine = Engine(most_rows=4)
    engine.share_passes(net)
    ticket = engine.submit(lambda: net(row(*range(10))))
    assert torch.equal(ticket.result(), 2 * row(*range(10)))
    assert [len(rows) for rows in net.part.rows] == [4, 4, 2]
    engine.close()


def test_a_pass_lasts_no_longer_than_it_may(engine, net):
    """After a slow pass the next ones are smaller."""
    engine.passes.longest = 0.05
    net.part.fault = lambda x: time.sleep(0.01 * len(x))
    engine.submit(lambda: net(row(*range(20)))).result()
    engine.submit(lambda: net(row(*range(20)))).result()
    assert len(net.part.rows[0]) == 20 and max(map(len, net.part.rows[1:])) <= 5


def test_a_sliders_picture_is_computed_on_one_core_and_nothing_else_is(engine, net, monkeypatch):
    usual, seen = torch.get_num_threads(), []
    net.part.fault = lambda x: seen.append(torch.get_num_threads())
    torch.set_num_threads(2)
    try:
        with ThreadPoolExecutor(1) as later:
            engine.submit(lambda: net(row(1)), light=True).result()
            engine.submit(lambda: net(row(*range(9))), light=True).result()
            engine.submit(lambda: steps(net, 1, 2), kind="long").result()
            assert seen == [1, 2, 2, 2] and later.submit(torch.get_num_threads).result() == 2
    finally:
        torch.set_num_threads(usual)


def test_nested_inputs_and_outputs_keep_their_shape(engine):
    class Several(nn.Module):
        networks = ("look",)

        def look(self, x, maps, scale=1):
            return {"sum": x + maps[0], "pair": (x * scale, maps)}

    net = engine.share_passes(Several())
    answers = [engine.submit(lambda k=k: net.look(row(k), [row(k), row(k)])) for k in range(3)]
    for k, ticket in enumerate(answers):
        found = ticket.result()
        assert torch.equal(found["sum"], row(2 * k)) and torch.equal(found["pair"][1][1], row(k))
