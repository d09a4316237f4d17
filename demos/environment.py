"""What the environment says to Gradio and the libraries that it needs, before they are imported.

Variables that were left from other apps stop this one, or change it: a share link, a port that is
no number. What the app can be told by them is read in app.py; the rest is not for it.
"""

import atexit
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

OF_OTHERS = ("GRADIO_", "WEB_CONCURRENCY")
"""How variables begin that Gradio reads, and uvicorn."""
SILENT = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
"""No word to any other host."""
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
TEMPORARY = "GRADIO_TEMP_DIR"
ROOM = 200_000_000
"""Bytes that uploads need at the least: two of the largest."""


def clean() -> None:
    """Takes out what is for other apps, and lets none of the libraries speak to other hosts."""
    for name in [name for name in os.environ if name.startswith(OF_OTHERS) and name != TEMPORARY]:
        del os.environ[name]
    os.environ |= SILENT


def has_proxies() -> bool:
    """Whether the environment names one, in whatever spelling."""
    return any(value and name.lower() in PROXIES for name, value in os.environ.items())


@contextlib.contextmanager
def past_proxies() -> Iterator[None]:
    """Within it this process uses no proxy, neither of the environment's nor of the system's.

    Gradio asks its own server whether it has begun, which no proxy can answer; and makes a client
    as it is imported, which fails where the address of a proxy is none, or of a kind that needs
    another package. Downloads come later, and use them.
    """
    before = os.environ.get("no_proxy")
    os.environ["no_proxy"] = "*"
    try:
        yield
    finally:
        del os.environ["no_proxy"]
        if before is not None:
            os.environ["no_proxy"] = before


def own_folder() -> Path:
    """A new folder for what visitors upload, which goes with this process: one that all apps share
    may be somebody else's. Where $GRADIO_TEMP_DIR names one that can be used, it lies in that.

    Raises OSError where none can be written to, or the disk is full. Call it before Gradio is
    imported."""
    faults = []
    for place in filter(None, (os.environ.get(TEMPORARY), _usual())):
        try:
            os.makedirs(place, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix="noise-to-data-", dir=place)).resolve()
            _goes_with_this_process(folder)
            str(folder).encode()
        except OSError as error:
            faults.append(f"{place} ({error.strerror})")
        except UnicodeEncodeError:
            faults.append(f"{place!a} (a name that is not UTF-8)")
        else:
            if (left := shutil.disk_usage(folder).free) >= ROOM:
                os.environ[TEMPORARY] = str(folder)
                return folder
            faults.append(f"{place} ({left / 1e6:.0f} MB free, {ROOM / 1e6:.0f} MB needed)")
    way_out = "set TMPDIR to a folder with room that this user may write to"
    said = ", ".join(faults) or "no folder for temporary files can be written to"
    raise OSError(f"no place for uploads: {said}; {way_out}")


def _goes_with_this_process(folder: Path) -> None:
    """Also where that is told to end, which ends it at once."""

    def end(number: int, frame: object) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(128 + number)  # a container's first process ignores what it sends itself

    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    signal.signal(signal.SIGTERM, end)


def _usual() -> str:
    """The system's folder for temporary files; "" where none can be written to."""
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:
        return ""
