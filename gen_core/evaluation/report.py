"""Figures as Markdown tables, made from checkpoints' cards: what stands in the README and on the
page."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gen_core.training import checkpoint

COLUMNS = (
    "Checkpoint",
    "Parameters",
    "MB",
    "Steps",
    "Hours",
    "Hardware",
    "Samples",
    "Fréchet distance",
    "× floor",
    "Precision",
    "Recall",
    "Accuracy",
    "Classes alive",
)
TEXT_COLUMNS = ("Checkpoint", "Hardware")
NOT_MEASURED = "–"
QUESTIONS = {
    "background": "the background's colour",
    "style": "the style, of three",
    "concept": "the thing, of 300",
    "in the first five": "the thing is among the judge's first five",
    "tint": "the thing's colour",
    "both": "two things, and both are found",
    "relation": "two things, and they stand as asked",
}
"""Of `prompt_accuracy`, in words."""
HEADS = ("Asked for", "Seen", "Held out", "Judge, on painted pictures")
"""Combinations that training shows, those that it does not; how often the classifier itself is."""


def markdown_table(folder: Path | str | None = None) -> str:
    """One row a checkpoint; a dash where a figure does not apply or was not measured."""
    rows = (_row(name, folder) for name in checkpoint.available(folder))
    return _markdown(COLUMNS, rows, TEXT_COLUMNS)


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]], text: Sequence[str]) -> str:
    """Columns of `text` to the left, of numbers to the right."""
    rule = ["---" if column in text else "---:" for column in head]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def parameters(name: str, folder: Path | str | None = None) -> int:
    """Trained numbers of a checkpoint's model, without its buffers and extras. A folder's are those
    that its card states, for the libraries that open it are heavy."""
    if stated := checkpoint.card(name, folder).get("parameters"):
        return stated
    model = checkpoint.load(name, "cpu", folder)
    return sum(parameter.numel() for parameter in model.parameters())


def _row(name: str, folder: Path | str | None) -> list[str]:
    card = checkpoint.card(name, folder)
    metrics: dict[str, Any] = card.get("metrics", {})
    size = checkpoint.size(name, folder)

    def figure(key: str, form: str) -> str:
        return NOT_MEASURED if metrics.get(key) is None else format(metrics[key], form)

    distance = "frechet" if "frechet" in metrics else "floor"
    times = metrics[distance] / metrics["floor"] if distance in metrics else None
    return [
        f"`{name}`",
        f"{parameters(name, folder) / 1e6:.2f} M",
        f"{size / 1e6:.1f}",
        f"{card['steps']:,}",
        f"{card['hours']:.2f}",
        card["hardware"],
        figure("samples", ",d"),
        figure(distance, ".4f"),
        NOT_MEASURED if times is None else f"{times:.1f}",
        figure("precision", ".3f"),
        figure("recall", ".3f"),
        figure("accuracy", ".3f"),
        figure("classes_alive", "d"),
    ]


def prompt_accuracy_rows(figures: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """A row for each question, as in `HEADS`; `figures` is what the card has under "shares"."""
    model, reference = figures["model"], figures["judge"]
    for question, words in QUESTIONS.items():
        if question in model["seen"]:
            shares = (
                *(model[kind][question] for kind in ("seen", "held out")),
                (reference["seen"][question] + reference["held out"][question]) / 2,
            )
            yield (words, *(f"{share:.0%}" for share in shares))


def markdown_prompt_accuracy(figures: Mapping[str, Any]) -> str:
    """How often the pictures are right, as `prompt_accuracy_rows`."""
    return _markdown(HEADS, prompt_accuracy_rows(figures), HEADS[:1])
