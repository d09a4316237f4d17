"""The emoji's drawings, where they are on this machine: read once for all panels."""

from __future__ import annotations

import functools

from gen_core.data.emoji import Emoji, load_emoji


@functools.cache
def drawings(root: str | None) -> Emoji:
    """Raises MissingData where they are not; that is asked again the next time."""
    return load_emoji(root)
