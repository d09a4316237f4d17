"""What the Overview shows, as HTML: a row for each family with its pictures and figures, the people
that were asked for, the table under the rows and the scatter of quality against time."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from demos.page.image_io import distance, jpeg_data_url, png_data_url, webp_data_url
from demos.tabs.overview.results import Film, Result, person, said
from demos.tabs.overview.texts import (
    ASKED_LINE,
    ASKED_TITLE,
    FAMILIES,
    GAN_WINS,
    DataText,
    FamilyText,
)
from demos.widgets.chart import TOP, LogAxis, Mark, axes, chart, corner, level, placed
from gen_core.training.checkpoint import CheckpointError, card

FILM_BYTES = 14_000
"""Of the sprite of a film, at most about: it is mostly noise, and seen for a moment."""

# --- the rows -------------------------------------------------------------------------------------


def milliseconds(value: float) -> str:
    """Three figures at most: 0.84, 8.4, 84, 840."""
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def row(
    data: DataText,
    text: FamilyText,
    shown: Result | None,
    note: str,
    state: str,
    *,
    about: str = "",
    film: Film | None = None,
) -> str:
    """state: "before", "drawing", "live", "absent" or "failed"; note says it in words, about says
    more of it to who points at it. film: what overview.js plays once."""
    tiles, asked, done = "<p class='ov-empty'>No pictures yet.</p>", "", 0.0
    if shown:
        tiles, asked = _drawn(data, text, shown), data.asked if shown.labels else data.free
        done = 0 if shown.done else shown.step / shown.total
    seeds = f'data-seed="{shown.seeds[0]}" data-count="{len(shown.seeds)}"' if shown else ""
    moments = film.steps if film else []
    sprite = (
        f'data-film="{jpeg_data_url(film.sprite(), FILM_BYTES, soft_colours=True)}"' if film else ""
    )
    return f"""
    <article class="ov-row ov-{state}" style="--hue:{text.hue}" data-family="{text.title}"
      data-model="{text.model(data.id)}" {seeds} {sprite}
      data-moments="{" ".join(map(str, moments))}" data-total="{shown.total if shown else 0}">
      <header class="ov-who">
        <h3>{text.title}</h3>
        <p>{text.line}</p>
        <a href="?tab={text.id}&panel={text.panel}"
          onclick="noiseToDataAddress.go('{text.id}', '{text.panel}'); return false">
          {text.invitation}&nbsp;<span aria-hidden="true">→</span></a>
      </header>
      <figure class="ov-pictures">{tiles}
        <figcaption><span class="ov-note" title="{escape(about)}">{escape(note)}</span>
          <span class="ov-classes">{asked}</span></figcaption>
      </figure>
      <dl class="ov-figures">{_figures(shown)}</dl>
      <i class="ov-progress" style="--done:{done}"></i>
    </article>"""


def asked_row(data: DataText, count: int, results: Mapping[str, Result]) -> str:
    """Above the families: the people that are asked for; "" where classes are."""
    if not data.colour:
        return ""
    people = [(f"person {i}", said(data, i)) for i in range(count)]
    pictures = [person(i) for i in range(count)]
    about = f"{count} portraits drawn by a program, one for each column"
    return f"""
    <article class="ov-row ov-rule" data-family="{ASKED_TITLE}">
      <header class="ov-who"><h3>{ASKED_TITLE}</h3><p>{ASKED_LINE}</p></header>
      <figure class="ov-pictures">{_tiles(pictures, people, about, ASKED_TITLE)}
        <figcaption><span class="ov-note">from their attributes</span></figcaption>
      </figure>
      <p class="ov-told">{_asked_for(results)}</p>
    </article>"""


def _asked_for(results: Mapping[str, Result]) -> str:
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
        kind, file = ' class="ov-smooth"', webp_data_url
        if picture.ndim == 2:  # clothes
            kind, file = "", png_data_url
        image = f'<img{kind} src="{file(picture)}" alt="" title="{title}">'
        if who:
            image = (
                f'<button type="button" class="ov-tile" tabindex="{0 if i == 0 else -1}" '
                f'data-who="{who}, {which}" aria-label="{who}, {title}: is it a copy?">'
                f"{image}</button>"
            )
        tiles.append(image)
    role = "group" if who else "img"
    return f'<div class="ov-tiles" role="{role}" aria-label="{about}">{"".join(tiles)}</div>'


def _figures(shown: Result | None) -> str:
    values, samples = ["–"] * 4, ""
    if shown:
        values = [
            milliseconds(shown.milliseconds),
            distance(shown.frechet),
            f"{shown.evaluations:g}",
            f"{shown.parameters / 1e6:.1f} M",
        ]
        if shown.frechet is not None:
            samples = f'<dd class="ov-aside">{shown.samples:,} samples</dd>'
    runs = f"network evaluation{'' if values[2] == '1' else 's'}"
    names = ["ms per picture", "Fréchet distance", runs, "parameters"]
    return "".join(
        f'<div><dt>{name}</dt><dd class="{"ov-words" if len(value) > 8 else ""}">{value}</dd>'
        f"{note}</div>"
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
    said = (
        "Quality: Fréchet distance to real pictures, on features of our own classifier; less is "
        "better"
    )
    if counts:
        said += f"; measured with {' or '.join(f'{n:,}' for n in counts)} samples"
    said += ". Speed: milliseconds per picture, in the run above."
    if any(r.frechet is not None and not r.as_measured for r in results.values()):
        said += (
            " A hollow point: its time is of this run, its distance was measured with another "
            "number of steps."
        )
    return said


def against_the_rule(data: DataText, results: Mapping[str, Result]) -> str:
    """Why the GAN comes closer than diffusion, where it does; else ""."""
    gan, diffusion = (results.get(name) for name in ("gan", "diffusion"))
    if not gan or not diffusion or not gan.frechet or not diffusion.frechet:
        return ""
    try:
        hours = [card(f"{name}-{data.id}").get("hours") for name in ("gan", "diffusion")]
    except CheckpointError:  # absent or damaged: its row says so
        return ""
    if gan.frechet >= diffusion.frechet or None in hours:
        return ""
    return GAN_WINS.format(gan=hours[0], diffusion=hours[1])


# --- the scatter ----------------------------------------------------------------------------------


def scatter(shown: Sequence[tuple[FamilyText, Result]]) -> str:
    """Quality against time, both on logarithmic axes, as an <svg>.

    Without a distance a point is at the top edge, as not measured yet; it is hollow, too, where
    time and distance are of different settings. A dashed line: as many real pictures as the most
    samples, against others.
    """
    results = [result for _, result in shown]
    floors = sorted({result.floor for result in results if result.floor})[:1]
    distances = [r.frechet for r in results if r.frechet is not None] + floors
    across = LogAxis.across([result.milliseconds for result in results] or [1])
    up = LogAxis.upward(distances or [1])
    drawn = axes(
        across,
        up,
        below="milliseconds per picture",
        beside="Fréchet distance",
        numbers=bool(distances),
    )
    for floor in floors:
        drawn += level(up.at(floor), f"floor {floor:.2g}: real pictures against real ones")
    marks, spoken = [], []
    for text, result in shown:
        far, time = distance(result.frechet), f"{milliseconds(result.milliseconds)} ms"
        spoken.append(f"{text.title}: {far} at {time}")
        place = up.at(result.frechet) if result.frechet else TOP + 10
        hollow = result.frechet is None or not result.as_measured
        x, title = across.at(result.milliseconds), text.title
        marks.append(Mark(x, place, title, f"{far} · {time}", text.hue, hollow=hollow))
    about = "; ".join(spoken) or "no points yet"
    drawn += corner("better: down, left") + placed(marks)
    return chart(drawn, f"Fréchet distance against time per picture. {about}", "ov-scatter")
