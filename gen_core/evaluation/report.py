"""Figures as Markdown tables, made from checkpoints' cards: what stands in docs/models.md and on
the page."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gen_core.evaluation.reference import floor_of
from gen_core.training import checkpoint
from gen_core.training.recipes import deviation

ABOUT = ("Checkpoint", "Parameters", "MB", "Steps", "Recipe", "Hours", "Hardware")
FIGURES = {
    "Samples": ("samples", ",d"),
    "Fréchet distance": ("frechet", ".4f"),
    "Floor": ("floor", ".4f"),
    "Extrapolated": ("extrapolated_frechet", ".4f"),
    "Kernel distance": ("kernel_distance", ".5f"),
    "Precision": ("precision", ".3f"),
    "Recall": ("recall", ".3f"),
    "Density": ("density", ".3f"),
    "Coverage": ("coverage", ".3f"),
    "Accuracy": ("accuracy", ".3f"),
    "Classes alive": ("classes_alive", "d"),
}
"""Columns of figures: what stands in them of a result of `evaluate`, and how it is written."""
TEXT_COLUMNS = ("Checkpoint", "Recipe", "Hardware")
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
HEADS = ("Asked for", "Seen in training", "Held out", "The judge itself")
"""Combinations that training shows, those that it does not; how often the classifier itself is."""


def markdown_table(folder: Path | str | None = None) -> str:
    """What each checkpoint is."""
    rows = (_about(name, folder) for name in checkpoint.available(folder))
    return markdown(ABOUT, rows, TEXT_COLUMNS)


def markdown_figures(folder: Path | str | None = None) -> str:
    """How good each checkpoint is, as its card says."""
    cards = {name: checkpoint.card(name, folder) for name in checkpoint.available(folder)}
    return markdown_results(
        {
            name: card.get("metrics", {}) | {"floor": floor_of(card, folder)}
            for name, card in cards.items()
        }
    )


def markdown_results(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Results of `evaluate` by name, a row each; a dash where a figure does not apply or was not
    measured."""
    rows = (
        [f"`{name}`", *(_figure(result.get(key), form) for key, form in FIGURES.values())]
        for name, result in results.items()
    )
    return markdown(("Checkpoint", *FIGURES), rows, TEXT_COLUMNS)


def _figure(value: Any, form: str) -> str:
    return NOT_MEASURED if value is None else format(value, form)


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]], text: Sequence[str]) -> str:
    """A table; columns of `text` to the left, of numbers to the right."""
    rule = ["---" if column in text else "---:" for column in head]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def parameters(name: str, folder: Path | str | None = None) -> int:
    """Trained numbers of a checkpoint's model, without its buffers and extras. A folder's are those
    that its card states, for the libraries that open it are heavy."""
    if stated := checkpoint.card(name, folder).get("parameters"):
        return stated
    model = checkpoint.load(name, "cpu", folder)
    return sum(parameter.numel() for parameter in model.parameters())


def _about(name: str, folder: Path | str | None) -> list[str]:
    card = checkpoint.card(name, folder)
    return [
        f"`{name}`",
        f"{parameters(name, folder) / 1e6:.2f} M",
        f"{checkpoint.size(name, folder) / 1e6:.1f}",
        f"{card['steps']:,}",
        deviation(name, card),
        f"{card['hours']:.2f}",
        card.get("hardware", NOT_MEASURED),
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
    return markdown(HEADS, prompt_accuracy_rows(figures), HEADS[:1])
