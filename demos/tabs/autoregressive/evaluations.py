"""How good texts are by how often the network is evaluated for each, as the model's card tells."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from demos.page.handlers import App
from demos.tabs.autoregressive.beginning import ID
from demos.tabs.autoregressive.texts import EVALUATIONS, FEW, NOT_MEASURED
from demos.widgets.measured import card, figures_of, made, table
from gen_core.families.token_sampler import TEMPERATURE

LEFT, EVERY = "gpt-tales", "diffusion-tales"
"""The two that write."""
COLUMNS = ("Bits per character", "Entropy of tokens", "Distinct 4-grams", "Longest copy")


def evaluations_below(app: App) -> None:
    """The table, where the card holds it; else a line that says how to measure it."""
    figures = figures_of(EVERY)
    shown = section(figures) if "by_evaluations" in figures else ""
    card(f"{ID}-everywhere-evaluations", EVALUATIONS, shown, otherwise=NOT_MEASURED)


def section(figures: Mapping[str, Any]) -> str:
    """What was measured of texts, as HTML: a column for each number of evaluations."""
    found = figures["by_evaluations"]
    heads = [f"{_gpt(row)}{row['evaluations']}" for row in found]
    temperature = figures.get("knobs", {}).get("temperature", TEMPERATURE.default)
    foot = (
        f"Means over {found[0]['samples']} texts each, of equal length, without a beginning, at "
        f"temperature {temperature:g}; of copies, the longest of all, in characters. {FEW} "
        f"{made(figures)}"
    )
    return f"""
    <section class="card measured">{table(("Evaluations", *heads), _rows(found))}
      <p>{escape(foot)}</p></section>"""


def _gpt(row: Mapping[str, Any]) -> str:
    return "GPT: " if row.get("model") == LEFT else ""


def _rows(found: list[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    figures = zip(*map(_column, found), strict=True)
    yield from ((title, *cells) for title, cells in zip(COLUMNS, figures, strict=True))


def _column(row: Mapping[str, Any]) -> tuple[str, ...]:
    """In the order of `COLUMNS`."""
    return (
        f"{row['judge_bits']:.2f}",
        f"{row['entropy']:.2f} <small>bits</small>",
        f"{row['distinct_4']:.2%}",
        f"{row['longest_copy']}",
    )
