"""Composing or remembering: how often a model draws pairs of attributes that training never
showed, beside pairs that it did. All of it stands in the model's card; no model is loaded."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from demos.sampling.texts import BY_PAIR, COMPOSING, KINDS, NOT_MEASURED, SHARES, SHARES_SOURCE
from demos.widgets.attribute_picker import in_words
from demos.widgets.measured import card, figures_of


def build(model: str) -> None:
    """The card, where the model has been measured; else a line that says how."""
    metrics = figures_of(model)
    card(
        f"{model}-composing",
        COMPOSING,
        section(metrics) if "composing" in metrics else "",
        Path(__file__).with_name("composed.css"),
        otherwise=NOT_MEASURED.format(name=model),
    )


def section(metrics: Mapping[str, Any]) -> str:
    """The metrics of a model's card -> HTML."""
    found = metrics["composing"]
    shares = "".join(_share(words, found[kind]) for kind, words in KINDS.items())
    tables = "".join(_table(words, found[kind]["by_pair"]) for kind, words in KINDS.items())
    source = SHARES_SOURCE.format(
        pictures=found["held_out"]["pictures"],
        pairs=len(found["held_out"]["by_pair"]),
        steps=found["knobs"]["steps"],
        guidance=found["knobs"]["guidance_scale"],
        hardware=metrics["hardware"],
    )
    return f"""
    <section class="card measured">
      <dl class="composed">{shares}</dl>
      <details><summary>{escape(BY_PAIR)}</summary>
        <div class="composed-pairs">{tables}</div></details>
      <p>{escape(source)}</p>
    </section>"""


def _share(words: str, found: Mapping[str, Any]) -> str:
    """One kind of pairs: a figure, a bar with a mark at what drawing by rule reaches, and that."""
    by_rule = SHARES.format(share=f"{found['by_rule']:.0%}")
    return f"""<div><dt>{escape(words)}</dt>
      <dd><b>{found["share"]:.0%}</b> <span>{escape(by_rule)}</span>
        <i style="--share:{found["share"]:.3f};--rule:{found["by_rule"]:.3f}"></i></dd></div>"""


def _table(words: str, by_pair: Sequence[tuple[Mapping[str, str], float]]) -> str:
    """Pairs, those drawn best first."""
    rows = "".join(
        f"""<tr><th scope="row">{escape(", ".join(in_words(*part) for part in pair.items()))}</th>
          <td><i style="--share:{share:.3f}"></i></td><td>{share:.0%}</td></tr>"""
        for pair, share in sorted(by_pair, key=lambda item: -item[1])
    )
    return f"<table><caption>{escape(words)}</caption><tbody>{rows}</tbody></table>"
