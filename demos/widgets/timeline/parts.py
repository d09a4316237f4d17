"""The lanes of a timeline in the parts of a machine, drawn as one picture that opens in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from torch import Tensor

from demos.page.figures import png_data_url

BLUE, ORANGE = np.array([37, 99, 235]), np.array([217, 119, 6])
"""RGB of numbers below and above 0; 0 itself is white."""


@dataclass(frozen=True)
class Part:
    """One part of the machine. What it shows follows the timeline, open or closed."""

    title: str
    does: str
    """What goes in and what comes out: "13 tokens → 32 × 192 numbers"."""
    says: str
    """What it does, for those who open it."""
    lanes: Sequence[str] = ()
    """Titles; the first one stays in sight while the part is closed."""
    words: bool = False
    """Whether the words with their heat stand here."""
    tokens: dict[str, Any] | None = None
    """What `tokens_value` returns."""


def parts_value(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """For `timeline_from_images(parts=...)`, as plain JSON."""
    return [asdict(part) for part in parts]


def tokens_value(pieces: Sequence[str], ids: Sequence[int], vectors: Tensor) -> dict[str, Any]:
    """Tokens, their numbers in the vocabulary, and their vectors (tokens, width) as colours."""
    if not len(pieces) == len(ids) == len(vectors):
        raise ValueError(f"{len(pieces)} tokens, {len(ids)} numbers, {len(vectors)} vectors")
    values = vectors.float().cpu().numpy()
    most = max(np.quantile(np.abs(values), 0.99), 1e-9)  # a few outliers may not pale the rest
    strength = np.clip(np.abs(values) / most, 0, 1)[..., None]
    colour = np.where((values < 0)[..., None], BLUE, ORANGE)
    rows = (255 * (1 - strength) + colour * strength).round().astype(np.uint8)
    return {"pieces": list(pieces), "ids": [int(i) for i in ids], "sheet": png_data_url(rows)}
