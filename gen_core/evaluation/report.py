"""The table of checkpoints as Markdown: what stands in the README, made from the files' cards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gen_core.training import checkpoint

HEAD = (
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
WORDS = ("Checkpoint", "Hardware")
NOT_MEASURED = "–"


def markdown_table(folder: Path | str | None = None) -> str:
    """One row a checkpoint; a dash where a figure does not apply or was not measured."""
    rows = [HEAD, ["---" if column in WORDS else "---:" for column in HEAD]]
    rows += [_row(name, folder) for name in checkpoint.available(folder)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def parameters(name: str, folder: Path | str | None = None) -> int:
    """Trained numbers of a checkpoint's model, without its buffers and extras. A folder's are those
    that its card tells, for the libraries that open it are heavy."""
    if told := checkpoint.card(name, folder).get("parameters"):
        return told
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
