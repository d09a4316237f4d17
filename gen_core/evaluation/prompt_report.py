"""How often the pictures are right, as a table: what stands in the README and on the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

ASKED = {
    "background": "the background's colour",
    "style": "the style, of three",
    "concept": "the thing, of 300",
    "in the first five": "the thing is among the judge's first five",
    "tint": "the thing's colour",
    "both": "two things, and both are found",
    "relation": "two things, and they stand as asked",
}
"""The questions of `measure`, in words."""
HEADS = ("Asked for", "Seen", "Held out", "Judge, on painted pictures")
"""Combinations that training shows, those that it does not; how often the judge itself is right."""


def prompt_accuracy_rows(figures: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """A row for each question, as in `HEADS`; `figures` is what the card has under "shares"."""
    model, judge = figures["model"], figures["judge"]
    for question, words in ASKED.items():
        if question in model["seen"]:
            shares = (
                *(model[kind][question] for kind in ("seen", "held out")),
                (judge["seen"][question] + judge["held out"][question]) / 2,
            )
            yield (words, *(f"{share:.0%}" for share in shares))


def markdown_prompt_accuracy(figures: Mapping[str, Any]) -> str:
    rows = [HEADS, ("---", *["---:"] * (len(HEADS) - 1)), *prompt_accuracy_rows(figures)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
