"""What this process may use of its machine: memory and processor cores, as a container limits them.

Linux keeps such limits in control groups, as files. A group lies in others, and the least limit of
them all counts. Both forms are read: version 2, with one tree of groups, and version 1, with one
for each kind of thing that is limited.
"""

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path("/")
GROUPS = Path("sys/fs/cgroup")
"""Where the groups are, below the root of the file system."""


class Room(NamedTuple):
    """Bytes of memory."""

    most: float
    free: float
    """What the system keeps of files that nobody reads counts as free, for it gives way."""


def memory(root: Path = ROOT) -> Room:
    """What the groups leave to this process; infinite where they limit nothing.

    root: of a file system, for tests."""
    found = [*_rooms(root), Room(math.inf, math.inf)]
    return Room(min(room.most for room in found), min(room.free for room in found))


def cores(root: Path = ROOT) -> int:
    """How many threads can compute at once here, at least 1: of the machine's cores those that this
    process may run on, and no more than whole ones of its groups' share of time. A thread more
    would use up the rest of the share in no time, and then all wait for the next tenth of a second.
    """
    with contextlib.suppress(AttributeError, OSError):  # not every system has it
        return max(1, int(min([len(os.sched_getaffinity(0)), *_shares(root)])))
    return max(1, int(min([os.cpu_count() or 1, *_shares(root)])))


def machine_memory() -> float:
    """Bytes, in use or not: the machine's, or its container's if that has less; infinite where the
    system does not tell."""
    whole = math.inf
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", ()):
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(whole, memory().most)


def _rooms(root: Path) -> Iterator[Room]:
    for group in _groups(root, ""):
        yield from _room(group, "memory.max", "memory.current", "inactive_file")
    for group in _groups(root, "memory"):
        taken, idle = "memory.usage_in_bytes", "total_inactive_file"
        yield from _room(group, "memory.limit_in_bytes", taken, idle)


def _room(group: Path, most: str, taken: str, idle: str) -> Iterator[Room]:
    """That of one group, if it has a limit; from files of these names, and a line of its
    memory.stat."""
    with contextlib.suppress(OSError, ValueError):  # no such file, or "max"
        limit, used = (int((group / name).read_text()) for name in (most, taken))
        stat = dict(map(str.split, (group / "memory.stat").read_text().splitlines()))
        yield Room(limit, max(0, limit - used + int(stat.get(idle, 0))))


def _shares(root: Path) -> Iterator[float]:
    """How many cores' time each group has."""
    for group in _groups(root, ""):
        with contextlib.suppress(OSError, ValueError):
            quota, period = (group / "cpu.max").read_text().split()
            yield int(quota) / int(period)
    for group in _groups(root, "cpu"):
        with contextlib.suppress(OSError, ValueError):
            quota, period = (int((group / f"cpu.cfs_{n}_us").read_text()) for n in QUOTA)
            if quota > 0:  # -1: all
                yield quota / period


QUOTA = ("quota", "period")


def _groups(root: Path, kind: str) -> Iterator[Path]:
    """The folders of this process's group and of those in which it lies; kind: of what version 1
    limits, "" for version 2.

    A container sees its own group as the outermost one, whatever path the system names: what is
    not there under that path is left out.
    """
    top = root / GROUPS / kind
    named = "/"
    with contextlib.suppress(OSError, ValueError):  # no Linux
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, kinds, path = line.split(":", 2)
            if kind in kinds.split(","):  # "0::/path" is version 2's
                named = path
    inner = top / named.lstrip("/")
    yield from (folder for folder in (inner, *inner.parents) if folder.is_relative_to(top))
