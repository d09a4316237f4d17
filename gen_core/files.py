"""Files that come whole or not at all, and whether one can be written where somebody wants it."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gen_core.knobs import KnobError, shown


@contextlib.contextmanager
def in_one_move(path: Path | str, before: Path | None = None) -> Iterator[Path]:
    """Gives a place to write to; what was written there then takes the place of `path` at once, so
    that a reader never meets half a file, nor does one after a power cut. After an error, `path` is
    as it was. Whoever may read files made here may read this one, though some writers (safetensors)
    would keep it to us.

    before: where what was at `path` until then is kept. Raises OSError, which names `path`.
    """
    path = Path(path)
    # Two processes that write the same file need a place each.
    partial = path.with_name(f"{path.name}.{os.getpid()}{PARTIAL}")
    try:
        with naming(path, partial):
            partial.touch()
            mode = partial.stat().st_mode
            yield partial
            partial.chmod(mode)
            _to_disk(partial)
            if before is not None and path.exists():
                os.replace(path, before)
            os.replace(partial, path)
            with contextlib.suppress(OSError):  # not every system opens folders
                _to_disk(path.parent)
    finally:
        partial.unlink(missing_ok=True)


PARTIAL = ".partial"
"""How the names of files end that are being written."""


def _to_disk(place: Path) -> None:
    """Waits until a file, or the names in a folder, would outlast a power cut."""
    file = os.open(place, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextlib.contextmanager
def naming(path: Path, partial: Path | None = None) -> Iterator[None]:
    """An OSError that names no file names this one, for Python does not say where a disk is full;
    so does one that names the place that is written to meanwhile."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename in (None, str(partial)):
            error.filename, error.filename2 = str(path), None
        raise


def check_writable(name: str, path: Path | str) -> Path:
    """The path, if a file can be written there. Raises KnobError, with `name` for what set it: so
    that nobody finds out after an hour of work."""
    path = Path(path)
    folder = path.parent
    if path.is_dir():
        raise KnobError(f"{name}={shown(str(path))} is a folder: name a file in it")
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "is missing: make it first"
        raise KnobError(f"{name}={shown(str(path))}: {folder} {what}")
    check_folder(name, folder)
    if path.exists() and not os.access(path, os.W_OK):
        raise KnobError(f"{name}={shown(str(path))} may not be written: choose another name")
    return path


def check_folder(name: str, folder: Path) -> None:
    """Raises KnobError where no file can be written into a folder, or into the first one above it
    that there is, so that it can be made."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    try:
        # Tried and not asked: administrators may do all, but for what a disk does not let them.
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise KnobError(
            f"{name}={shown(str(folder))}: nothing can be written there ({error.strerror}): "
            "choose another folder"
        ) from error
