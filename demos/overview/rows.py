"""A family's row, as HTML: who it is, its pictures, its figures. And the table under the rows."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from demos.figures import png_data_url
from demos.overview.results import Result, distance, milliseconds
from demos.texts.overview import FAMILIES, FamilyText
from gen_core.data import CLASSES


def row(text: FamilyText, shown: Result | None, note: str, state: str) -> str:
    """state: "before", "drawing", "live" or "failed"; note says it in words."""
    tiles = _tiles(text, shown) if shown else "<p class='ov-empty'>No pictures yet.</p>"
    return f"""
    <article class="ov-row ov-{state}" style="--hue:{text.hue}" data-family="{text.title}">
      <header class="ov-who">
        <h3>{text.title}</h3>
        <p>{text.line}</p>
        <a href="?tab={text.id}&panel={text.panel}"
          onclick="noiseToData.openTab('{text.id}', '{text.panel}'); return false">
          {text.invitation}&nbsp;<span aria-hidden="true">→</span></a>
      </header>
      <figure class="ov-pictures">{tiles}
        <figcaption><span class="ov-note">{escape(note)}</span>
          <span class="ov-classes">{_classes(shown)}</span></figcaption>
      </figure>
      <dl class="ov-figures">{_figures(shown)}</dl>
      <i class="ov-progress" style="--done:{_done(shown)}"></i>
    </article>"""


def _tiles(text: FamilyText, shown: Result) -> str:
    first, last = shown.seeds[0], shown.seeds[-1]
    names = CLASSES["fashion"]
    images = []
    for i, tile in enumerate(shown.tiles):
        title = f"seed {shown.seeds[i]}"
        title += f", {names[shown.labels[i]]}" if shown.labels else ""
        images.append(f'<img src="{png_data_url(tile)}" alt="" title="{title}">')
    about = f"{len(images)} pictures drawn by the {text.title} model, seeds {first} to {last}"
    return f'<div class="ov-tiles" role="img" aria-label="{about}">{"".join(images)}</div>'


def _classes(shown: Result | None) -> str:
    if shown is None:
        return ""
    return "each class in turn" if shown.labels else "any class: trained without labels"


def _done(shown: Result | None) -> float:
    return shown.step / shown.total if shown and not shown.done else 0


def _figures(shown: Result | None) -> str:
    values, samples = ["–"] * 4, ""
    if shown:
        values = [
            milliseconds(shown.milliseconds),
            distance(shown.frechet),
            f"{shown.evaluations:g}",
            f"{shown.parameters / 1e6:.1f} M",
        ]
        samples = f"{shown.samples:,} samples" if shown.frechet is not None else ""
    runs = f"network evaluation{'' if values[2] == '1' else 's'}"
    names = ["ms a picture", "Fréchet distance", runs, "parameters"]
    return "".join(
        f'<div><dt>{name}</dt><dd class="{"ov-words" if len(value) > 8 else ""}">{value}</dd>'
        f"<small>{note}</small></div>"
        for name, value, note in zip(names, values, ["", samples, "", ""], strict=True)
    )


def table(results: Mapping[str, Result]) -> str:
    """ "Which one should I use?": figures measured here, words of a textbook."""
    rows = "".join(_table_row(text, results.get(text.id)) for text in FAMILIES)
    return f"""
    <section class="ov-card">
      <h3>Which one should I use?</h3>
      <table class="ov-table">
        <thead><tr><th scope="col">Family</th><th scope="col">Quality</th>
          <th scope="col">Speed</th><th scope="col">Stability of training</th>
          <th scope="col">Best for</th></tr></thead>
        <tbody>{rows}</tbody>
      </table>
      <p class="ov-foot">{_footnote(results)}</p>
    </section>"""


def _table_row(text: FamilyText, result: Result | None) -> str:
    quality = speed = ""
    if result:
        quality = f"<b>{distance(result.frechet)}</b>"
        speed = f"<b>{milliseconds(result.milliseconds)} ms</b>"
    return (
        f'<tr style="--hue:{text.hue}"><th scope="row">{text.title}</th>'
        f'<td data-name="Quality">{quality}<span>{text.quality}</span></td>'
        f'<td data-name="Speed">{speed}<span>{text.speed}</span></td>'
        f'<td data-name="Stability of training"><span>{text.stability}</span></td>'
        f'<td data-name="Best for"><span>{text.best_for}</span></td></tr>'
    )


def _footnote(results: Mapping[str, Result]) -> str:
    """What the figures are, and where they do not belong together."""
    counts = sorted({r.samples for r in results.values() if r.samples})
    said = "Quality: Fréchet distance, features of our own classifier; less is better"
    if counts:
        said += f"; measured with {' or '.join(f'{n:,}' for n in counts)} samples"
    said += ". Speed: milliseconds a picture, in the run above."
    if any(r.frechet is not None and not r.as_measured for r in results.values()):
        said += (
            " Steps differ from those the distances were measured with: these hollow points show "
            "the time of this run and the distance of the other."
        )
    return said
