"""A family's row, as HTML: who it is, its pictures, its figures. And the table under the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from demos.page.figures import png_data_url
from demos.tabs.overview.results import Result, distance, milliseconds
from demos.tabs.overview.sets import person, said
from demos.tabs.overview.texts import ASKED_LINE, ASKED_TITLE, FAMILIES, DataText, FamilyText


def row(data: DataText, text: FamilyText, shown: Result | None, note: str, state: str) -> str:
    """state: "before", "drawing", "live", "absent" or "failed"; note says it in words."""
    tiles = _drawn(data, text, shown) if shown else "<p class='ov-empty'>No pictures yet.</p>"
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
          <span class="ov-classes">{_asked(data, shown)}</span></figcaption>
      </figure>
      <dl class="ov-figures">{_figures(shown)}</dl>
      <i class="ov-progress" style="--done:{_done(shown)}"></i>
    </article>"""


def asked_row(data: DataText, count: int, results: Mapping[str, Result]) -> str:
    """Above the families: the people that are asked for; "" where classes are."""
    if not data.colour:
        return ""
    people = [(f"person {i}", said(data, i)) for i in range(count)]
    pictures = [person(i) for i in range(count)]
    about = f"{count} portraits drawn by rule, one for each column"
    return f"""
    <article class="ov-row ov-rule" data-family="{ASKED_TITLE}">
      <header class="ov-who"><h3>{ASKED_TITLE}</h3><p>{ASKED_LINE}</p></header>
      <figure class="ov-pictures">{_tiles(pictures, people, about, ASKED_TITLE)}
        <figcaption><span class="ov-note">drawn by rule, in no training set</span></figcaption>
      </figure>
      <p class="ov-told">{_told(results)}</p>
    </article>"""


def _told(results: Mapping[str, Result]) -> str:
    """Which rows were asked for these people."""
    names = {True: [], False: []}
    for text in FAMILIES:
        if shown := results.get(text.id):
            names[shown.labels is not None].append(text.title)
    return "<br>".join(
        f"<b>{what}</b> {', '.join(names[asked])}"
        for asked, what in ((True, "Asked for them:"), (False, "Not asked:"))
        if names[asked]
    )


def _drawn(data: DataText, text: FamilyText, shown: Result) -> str:
    about = f"{len(shown.tiles)} pictures drawn by the {text.title} model"
    about += f", seeds {shown.seeds[0]} to {shown.seeds[-1]}"
    names = [
        (f"seed {seed}", said(data, shown.labels[i]) if shown.labels else "")
        for i, seed in enumerate(shown.seeds)
    ]
    # While they still change, there is nothing to compare.
    who = text.title if data.colour and shown.done else ""
    return _tiles(shown.tiles, names, about, who)


def _tiles(
    pictures: Sequence[np.ndarray], names: Sequence[tuple[str, str]], about: str, who: str
) -> str:
    """names: (which, what it was asked for) of each; who: drew them, "" where they are no buttons.

    One of a row's buttons is reached by Tab, the others from there with the arrow keys.
    """
    tiles = []
    for i, (picture, (which, asked)) in enumerate(zip(pictures, names, strict=True)):
        title = escape(", ".join(part for part in (which, asked) if part))
        kind = ' class="ov-smooth"' if picture.ndim == 3 else ""
        image = f'<img{kind} src="{png_data_url(picture)}" alt="" title="{title}">'
        if who:
            image = (
                f'<button type="button" class="ov-tile" tabindex="{0 if i == 0 else -1}" '
                f'data-who="{who}, {which}" aria-label="{who}, {title}: is it a copy?">'
                f"{image}</button>"
            )
        tiles.append(image)
    role = "group" if who else "img"
    return f'<div class="ov-tiles" role="{role}" aria-label="{about}">{"".join(tiles)}</div>'


def _asked(data: DataText, shown: Result | None) -> str:
    if shown is None:
        return ""
    return data.asked if shown.labels else data.free


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
