"""The class of each picture: one for all, or all ten in turn."""

from __future__ import annotations

from demos.knobs import FASHION

CLASSES = len(FASHION)


def labels_for(label: int | None, count: int) -> int | list[int]:
    """What `sample` takes: one class for all, or all ten in turn for None."""
    return [i % CLASSES for i in range(count)] if label is None else label


def label_code(label: int | None, count: int) -> str:
    """The same as Python."""
    return f"[i % {CLASSES} for i in range({count})]" if label is None else str(label)
