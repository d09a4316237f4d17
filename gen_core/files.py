"""Files that come whole or not at all."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def in_one_move(path: Path | str) -> Iterator[Path]:
    """Gives a place to write to; what was written there then takes the place of `path` at once, so
    that a reader never meets half a file. After an error, `path` is as it was. Whoever may read
    files made here may read this one, though some writers (safetensors) would keep it to us."""
    path = Path(path)
    # Two processes that write the same file need a place each.
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.touch()
        mode = partial.stat().st_mode
        yield partial
        partial.chmod(mode)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
