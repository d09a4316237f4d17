"""Memory: what a process has, what is free, and that free memory goes back to the system, where the
C library would keep it."""

import contextlib
import ctypes
import threading
import time

import psutil

ARENAS = 2
"""Heaps of all threads together. By default glibc gives eight to each core, and hardly any of what
one thread frees serves another: forty visitors cost a gigabyte more."""
M_ARENA_MAX = -8
"""Of malloc.h."""
TRIM_SECONDS = 30.0


def resident(process: int | None = None) -> int | None:
    """Bytes of memory that a process has, this one by default; None once it has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(process).memory_info().rss
    return None


def free_memory() -> int:
    """Bytes that a program may still take here: of the machine, or of its container if that has
    less."""
    from gen_core import limits  # brings torch along, which comes after spare_memory

    return int(min(psutil.virtual_memory().available, limits.memory().free))


def spare_memory() -> None:
    """For this process, as long as it lives; does nothing where the C library is not glibc. Call it
    before there are threads."""
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL("libc.so.6")
        trim = library.malloc_trim
        library.mallopt(M_ARENA_MAX, ARENAS)

        def work() -> None:
            while True:
                time.sleep(TRIM_SECONDS)
                trim(0)

        threading.Thread(target=work, name="memory", daemon=True).start()
