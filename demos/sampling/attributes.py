"""The Ask for a person panel: any attributes of a portrait, sixteen people who shall have them,
and how many of them do, says a judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from demos.page.controls import Knob, control_of
from demos.page.handlers import App
from demos.page.image_input import seeds_from
from demos.page.panel import Page, Panel, is_value
from demos.page.script import LOAD, NOISE, TORCH, script
from demos.sampling import composed
from demos.sampling.generate import Generation
from demos.sampling.texts import PERSON
from demos.sampling.walk import on_timeline
from demos.tabs.latent_space.models import JUDGE
from demos.widgets.attribute_picker import NEVER, Wish, WishKnob, in_words, never_together
from demos.widgets.card import read
from demos.widgets.timeline import Timeline
from gen_core import Frame, available, record
from gen_core.classifiers.attributes import AttributeClassifier
from gen_core.data.avatars import Avatar
from gen_core.data.avatars.schema import CATEGORICAL, CONTINUOUS, hidden
from gen_core.evaluation.cost import Meter

START = "hair:afro;hair_colour:blond;hat:none"
MAX_COUNT = 36
DEARNESS = 2.0
"""A step of a portrait takes twice as long as one of a picture of 28 by 28."""
FRAMES = 11
"""Moments on the timeline: noise in three colours makes large files."""
NEAR = 0.25
"""A measure is as asked for if the judge sees it no further off than this."""
MOST_CURVES = 3
"""Attributes with a curve of their own; more than these share one, their mean."""
LABELS = "gen_core.data.avatars.schema"


class Watched(Meter):
    """A meter that keeps the guesses of the finished picture which the timeline shows."""

    def __init__(self, *args: Any, keep: int, **knobs: Any) -> None:
        super().__init__(*args, **knobs)
        self.keep = keep
        self.guesses: list[Tensor] = []
        """(B, C, H, W) each"""

    def frames(self) -> Iterator[Frame]:
        for frame in super().frames():
            for kept in record(iter([frame]), self.keep):  # record decides for each frame alone
                self.guesses.append(kept.x if kept.x0 is None else kept.x0)
            yield frame


@torch.inference_mode()
def shown(judge: AttributeClassifier, x: Tensor, wish: Wish) -> dict[str, Tensor]:
    """For each attribute asked for that can be seen, which of the pictures x (B, 3, H, W) show it:
    (B,) bool, on the CPU."""
    logits, numbers = judge.answers(judge(x.to(judge.device)).cpu())
    told = {}
    for name, value in wish.items():
        if name in hidden(Avatar(**wish)):
            continue
        if name in CATEGORICAL:
            told[name] = logits[name].argmax(1) == CATEGORICAL[name].index(value)
        else:
            told[name] = (numbers[:, [*CONTINUOUS].index(name)] - value).abs() <= NEAR
    return told


def counts(told: Mapping[str, Tensor]) -> tuple[dict[str, int], int]:
    """By attribute the number of pictures that show it; how many show all of them."""
    each = {name: int(right.sum()) for name, right in told.items()}
    return each, int(torch.stack([*told.values()]).all(0).sum())


def curves(wish: Wish, told: Sequence[Mapping[str, Tensor]], steps: list[int]) -> list[dict]:
    """The timeline's chart: the number of guesses that show what was asked for, at each moment."""
    names = [*told[0]]
    series = {} if len(names) == 1 else {"all of it": [one[1] for one in map(counts, told)]}
    if len(names) <= MOST_CURVES:
        series |= {in_words(n, wish[n]): [int(one[n].sum()) for one in told] for n in names}
    else:
        means = [sum(each.values()) / len(names) for each, _ in map(counts, told)]
        series["one of them, on average"] = means
    total = len(told[0][names[0]])
    return [
        {
            "title": f"How many of the {total} guesses show it, says the judge",
            "x_label": "step",
            "at": steps,
            "series": [
                {"name": name, "points": [*map(list, zip(steps, values, strict=True))]}
                for name, values in series.items()
            ],
        }
    ]


def seen(value: Mapping[str, Any] | None) -> str:
    """What the judge saw in the finished pictures, as HTML; "" where nobody judged."""
    if not value or not value.get("seen"):
        return ""
    told = value["seen"]
    rows = "".join(
        f"<li><span>{escape(words)}</span> <b>{escape(count)}</b></li>"
        for words, count in told["rows"]
    )
    never = f"<p class='wishes-never'><b>{NEVER}</b> {escape(told['never'])}</p>"
    return f"""
    <section class="card wishes-seen" role="group" aria-label="What the judge saw">
      <p class="wishes-headline">{escape(told["headline"])}</p>
      {never if told["never"] else ""}<ul>{rows}</ul>
      <p class="wishes-count">{escape(told["foot"])}</p></section>"""


def _foot(judge: AttributeClassifier) -> str:
    metrics = judge.card.get("metrics", {})
    how_good = (
        f" On {metrics['samples']:,} portraits drawn by rule, {metrics['accuracy']:.1%} of its "
        "answers are right."
        if {"samples", "accuracy"} <= metrics.keys()
        else ""
    )
    return (
        f"Counted by {JUDGE}, a classifier that was trained apart. Numbers are as asked for where "
        f"it sees them within {NEAR:g}.{how_good}"
    )


class PersonPanel(Panel):
    """The timeline, and below it what the judge saw in its pictures."""

    def screens(self, page: Page) -> list[gr.components.Component]:
        screens = super().screens(page)
        verdict = gr.HTML(
            seen(page.first),
            css_template=read("card/card.css", "attribute_picker/attribute_picker.css"),
            apply_default_css=False,
            elem_id=f"{self.name}-seen",
        )
        return [*screens, verdict]

    def shown(self, app: App, value: Any, settings: Mapping[str, Any]) -> Any:
        return super().shown(app, value, settings), seen(value)


@dataclass(frozen=True)
class Person:
    """The panel of one family."""

    family: Generation
    """As in the family's Generate panel, with the model of portraits."""

    def panel(self) -> Panel:
        model = self.family.model
        return PersonPanel(
            tab=self.family.tab,
            id="person",
            title="Ask for a person",
            button="Draw them",
            text=PERSON,
            knobs=self.knobs(),
            run=self.draw,
            code=self.code,
            calls=self.family.family.frames,
            screen=Timeline,
            shows="From noise to people",
            example={"count": 8, "frames": 5},
            models=(model, JUDGE),
            needs=(model,),
            below=lambda app: composed.build(model),
            dearness=DEARNESS,
        )

    def knobs(self) -> list[Knob]:
        """The knobs, the chooser first."""
        family = self.family.family
        guided = "0 ignores what was asked for, 1 follows it, more exaggerates it"
        return [
            WishKnob("wish", "Who it shall be", "wish", START),
            control_of(family, "steps"),
            control_of(family, "guidance_scale", info=guided),
            control_of(family, "solver"),
            Knob("count", "Pictures", "whole", 16, 1, MAX_COUNT),
            Knob("seed", "Seed", "seed", 0),
        ]

    def draw(
        self, app: App, *, wish: Wish, count: int, seed: int, frames: int = FRAMES, **knobs: Any
    ) -> Iterator[dict[str, Any]]:
        """Yields the timeline's values while the people come out of the noise; the last one also
        says what the judge saw, where there is one."""
        meter = Watched(
            app.model(self.family.model),
            seeds_from(seed, count),
            keep=frames,
            label=wish or None,
            **knobs,
        )
        asked = ", ".join(in_words(*part) for part in wish.items()) or "anybody"
        pieces = on_timeline(
            meter,
            self.family.lanes,
            keep=frames,
            name=f"{self.family.model}-{seed}",
            alt=f"{count} portraits come out of noise: {asked}",
        )
        for piece in pieces:
            if is_value(piece) and piece["steps"][-1] == piece["total"]:
                yield from self._judged(app, piece, meter.guesses, wish)
            else:
                yield piece

    def _judged(
        self, app: App, value: dict[str, Any], guesses: Sequence[Tensor], wish: Wish
    ) -> Iterator[dict[str, Any]]:
        """Yields turns for others, then the value with what the judge says of it."""
        open_to_see = wish.keys() - hidden(Avatar(**wish))
        if not open_to_see or JUDGE not in available():
            yield value
            return
        judge, told = app.model(JUDGE), []
        for guess in guesses:
            told.append(shown(judge, guess, wish))
            yield gr.skip()
        each, everything = counts(told[-1])
        count = len(guesses[-1])
        rows = [
            (in_words(n, v), f"{each[n]} of {count}" if n in each else "cannot be seen so")
            for n, v in wish.items()
        ]
        verdict = {
            "headline": f"{everything} of {count} show all that was asked for",
            "never": "; ".join(never_together(wish)),
            "rows": rows,
            "foot": _foot(judge),
        }
        yield {**value, "curves": curves(wish, told, value["steps"]), "seen": verdict}

    def code(self, k: Mapping[str, Any]) -> str:
        """The lines that draw the same people, and count."""
        count, wish = k["count"], dict(k["wish"])
        seen = [name for name in wish if name not in hidden(Avatar(**wish))]
        judged = bool(seen) and JUDGE in available()
        counting = [
            "",
            f'judge = load("{JUDGE}")',
            "with torch.inference_mode():",
            "    logits, measures = judge.answers(judge(x.to(judge.device)).cpu())",
            "right = {}",
            f"for name in {seen!r}:  # what nothing hides",
            "    if name in CATEGORICAL:",
            "        right[name] = logits[name].argmax(1) == CATEGORICAL[name].index(wish[name])",
            "    else:",
            "        off = measures[:, [*CONTINUOUS].index(name)] - wish[name]",
            f"        right[name] = off.abs() <= {NEAR:g}",
            '    print(f"{name} {wish[name]}: {int(right[name].sum())} of {len(x)}")',
            'print("all of it:", int(torch.stack([*right.values()]).all(0).sum()))',
        ]
        return script(
            [LOAD, NOISE, ("gen_core", "record")]
            + ([TORCH, (LABELS, "CATEGORICAL"), (LABELS, "CONTINUOUS")] if judged else []),
            f'model = load("{self.family.model}")',
            f"wish = {wish!r}  # what is left out stays open",
            "frames = record(model.sample(",
            f"    Noise(range({k['seed']}, {k['seed'] + count})),",
            "    label=wish or None,",
            f"    steps={k['steps']},",
            f"    guidance_scale={k['guidance_scale']},",
            f"    solver={k['solver']!r},",
            "))",
            f"x = frames[-1].x  # ({count}, 3, 64, 64) in [-1, 1]",
            *(counting if judged else []),
        )
