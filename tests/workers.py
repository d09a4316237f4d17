"""How the tests are shared out: which come first, and which run while no other worker is at one."""

from __future__ import annotations

import contextlib
import os
from collections import defaultdict
from collections.abc import Iterator

import pytest

import chromium

KEPT = "files/seconds"
"""Where pytest's cache keeps how long each file took."""
WORKER = "PYTEST_XDIST_WORKER"
"""Set in a process that is one of several workers."""


class Seconds:
    """How long each file took, kept for the next run."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.spent: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.spent[report.nodeid.partition("::")[0]] += report.duration

    def pytest_sessionfinish(self) -> None:
        known = self.config.cache.get(KEPT, {})
        longest = {file: max(spent, known.get(file, 0)) for file, spent in self.spent.items()}
        self.config.cache.set(KEPT, known | longest)


def pytest_configure(config: pytest.Config) -> None:
    if WORKER not in os.environ and config.pluginmanager.has_plugin("cacheprovider"):
        config.pluginmanager.register(Seconds(config))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """One process begins with what is quick: what needs a browser comes last. Several workers begin
    with the longest files, for the last one to be small: those with a browser where nothing is
    known yet."""
    if WORKER not in os.environ:
        items.sort(key=_needs_browser)
        return
    known = config.cache.get(KEPT, {}) if hasattr(config, "cache") else {}
    browser = {item.path for item in items if _needs_browser(item)}

    def first(item: pytest.Item) -> tuple[float, bool]:
        return -known.get(item.nodeid.partition("::")[0], 0.0), item.path not in browser

    items.sort(key=lambda item: (first(item), item.path, _needs_browser(item)))


def _needs_browser(item: pytest.Item) -> bool:
    return item.get_closest_marker("browser") is not None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """A test marked `alone` waits until no other worker is at a test, and holds them all up."""
    with turn(item.get_closest_marker("alone") is not None):
        return (yield)


@contextlib.contextmanager
def turn(alone: bool) -> Iterator[None]:
    """Several at once for those who need not be alone; one process alone needs no turns."""
    if WORKER not in os.environ:
        yield
        return
    from fcntl import LOCK_EX, LOCK_SH, LOCK_UN, flock

    with open(__file__) as room, open(chromium.__file__) as door:  # any two files can be locked
        flock(door, LOCK_EX)  # whoever waits here to be alone lets nobody else begin
        flock(room, LOCK_EX if alone else LOCK_SH)
        flock(door, LOCK_UN)
        try:
            yield
        finally:
            flock(room, LOCK_UN)  # said aloud: a forked child may still hold the file
