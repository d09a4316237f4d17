"""An engine, a network that notes its passes, and requests that evaluate it."""

from __future__ import annotations

import threading
import time

import pytest
import torch
from torch import nn

from gen_core.engine import (
    Engine,
)
from gen_core.progress import Progress


class Doubler(nn.Module):
    """A network that notes the rows of each pass; one that is `held` waits until it is let go."""

    networks = ("part",)

    def __init__(self):
        super().__init__()
        self.part = _Part()

    def __call__(self, x, **rest):
        return self.part(x, **rest)


class _Part(nn.Module):
    def __init__(self):
        super().__init__()
        self.rows, self.fault = [], None
        self.begun, self.free = threading.Event(), threading.Event()
        self.free.set()

    def forward(self, x, **rest):
        self.rows.append(sorted(x.flatten(1)[:, 0].tolist()))
        self.begun.set()
        assert self.free.wait(10)
        if self.fault:
            self.fault(x)
        return 2 * x


@pytest.fixture
def engine():
    engine = Engine()
    yield engine
    engine.close()


@pytest.fixture
def net(engine):
    return engine.share_passes(Doubler())


def row(*values):
    return torch.tensor(values, dtype=torch.float32)[:, None]


def steps(net, value, count, rows=1):
    """A sampler of `count` evaluations, as a handler sees it: progress, then what came out."""
    for step in range(count):
        out = net(row(*[value] * rows))
        yield Progress("", step + 1, count)
    yield out[0].item()


def shown(net, value, count, rows=1, first=1):
    """The same with a first value after `first` evaluations."""
    for step in range(count):
        out = net(row(*[value] * rows))
        yield Progress("", step + 1, count)
        if step + 1 == first:
            yield "first"
    yield out[0].item()


class Gathered:
    """While a first pass is held up, those who come gather behind it and begin together."""

    def __init__(self, engine, net):
        self.engine, self.part = engine, net.part

    def __enter__(self):
        self.part.begun.clear()
        self.part.free.clear()
        self.first = self.engine.submit(lambda: self.part(row(-1)), kind="first", light=True)
        assert self.part.begun.wait(10)
        return self

    def __exit__(self, *error):
        self.part.free.set()
        self.first.result()


def wait_until(condition, seconds=10):
    until = time.perf_counter() + seconds
    while not condition():
        assert time.perf_counter() < until
        time.sleep(0.001)


def order_of(engine, works):
    """Names of the works in the order in which they end."""
    ended = []

    def noted(name, work):
        yield from work()
        ended.append(name)

    tickets = [
        engine.submit(lambda name=name, work=work: noted(name, work), **how)
        for name, (work, how) in works.items()
    ]
    return ended, tickets


def talkative(net):
    """Little work, in many steps, that cannot share the passes of others."""
    for step in range(8):
        net(row(2).double())
        yield Progress("", step + 1, 8)
        yield Progress("Step", step + 1, 8)
