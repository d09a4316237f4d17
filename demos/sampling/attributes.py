"""The Ask for a person panel: portraits with any attributes, and how many of them show these,
as a classifier counts."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from demos.page.controls import Knob, control_of
from demos.page.handlers import App
from demos.page.panel import Page, Panel
from demos.page.script import sampling, script
from demos.sampling.generate import Generation, on_timeline
from demos.sampling.texts import (
    BY_PAIR,
    COMPOSING,
    KINDS,
    NOT_MEASURED,
    PERSON,
    SHARES,
    SHARES_SOURCE,
)
from demos.widgets.attribute_picker import (
    JUDGE,
    NEVER,
    AttributeKnob,
    Attributes,
    in_words,
    never_together,
)
from demos.widgets.card import read
from demos.widgets.measured import card, figures_of
from demos.widgets.timeline import Timeline, TimelineValue
from gen_core import Frame, available
from gen_core.classifiers.attributes import AttributeClassifier
from gen_core.data.avatars.schema import CATEGORICAL, CONTINUOUS, Avatar, hidden
from gen_core.sampling import Meter, seeds_from

START = "hair:afro;hair_colour:blond;hat:none"
FRAMES = 11
"""Moments on the timeline: noise in three colours makes large files."""
NEAR = 0.25
"""A measure is as asked for if the judge sees it no further off than this."""
MOST_CURVES = 3
"""Attributes with a curve of their own; more than these share one, their mean."""


@torch.inference_mode()
def shown(judge: AttributeClassifier, x: Tensor, attributes: Attributes) -> dict[str, Tensor]:
    """For each attribute asked for that can be seen, which of the pictures x (B, 3, H, W) show it:
    (B,) bool, on the CPU."""
    logits, numbers = judge.answers(judge(x.to(judge.device)).cpu())
    return {
        name: logits[name].argmax(1) == CATEGORICAL[name].index(value)
        if name in CATEGORICAL
        else (numbers[:, [*CONTINUOUS].index(name)] - value).abs() <= NEAR
        for name, value in visible(attributes).items()
    }


def visible(attributes: Attributes) -> Attributes:
    """Those that no other hides."""
    unseen = hidden(Avatar(**attributes))
    return {name: value for name, value in attributes.items() if name not in unseen}


def counts(right: Mapping[str, Tensor]) -> tuple[dict[str, int], int]:
    """By attribute the number of pictures that show it; how many show all of them."""
    each = {name: int(found.sum()) for name, found in right.items()}
    return each, int(torch.stack([*right.values()]).all(0).sum())


def curves(
    attributes: Attributes, right: Sequence[Mapping[str, Tensor]], steps: list[int]
) -> list[dict[str, Any]]:
    """The timeline's chart: the number of guesses that show what was asked for, at each moment."""
    counted, names = [counts(one) for one in right], [*right[0]]
    series = {} if len(names) == 1 else {"all of it": [everything for _, everything in counted]}
    if len(names) <= MOST_CURVES:
        series |= {in_words(n, attributes[n]): [each[n] for each, _ in counted] for n in names}
    else:
        means = [sum(each.values()) / len(names) for each, _ in counted]
        series["one of them, on average"] = means
    return [
        {
            "title": (
                f"How many of the {len(right[0][names[0]])} guesses show what was asked for, "
                "says the judge"
            ),
            "x_label": "step",
            "at": steps,
            "series": [
                {"name": name, "points": [*map(list, zip(steps, values, strict=True))]}
                for name, values in series.items()
            ],
        }
    ]


@dataclass(frozen=True, kw_only=True)
class JudgedValue(TimelineValue):
    """A timeline, and what the judge saw in its last pictures."""

    seen: Mapping[str, Any]


def seen(verdict: Mapping[str, Any] | None) -> str:
    """What the judge saw in the finished pictures, as HTML; "" where nobody judged."""
    if not verdict:
        return ""
    rows = "".join(
        f"<li><span>{escape(words)}</span> <b>{escape(count)}</b></li>"
        for words, count in verdict["rows"]
    )
    never = f"<p class='wishes-never'><b>{NEVER}</b> {escape(verdict['never'])}</p>"
    return f"""
    <section class="card wishes-seen" role="group" aria-label="What the judge saw">
      <p class="wishes-headline">{escape(verdict["headline"])}</p>
      {never if verdict["never"] else ""}<ul>{rows}</ul>
      <p class="wishes-count">{escape(verdict["foot"])}</p></section>"""


def _foot(judge: AttributeClassifier) -> str:
    metrics = judge.card.get("metrics", {})
    how_good = (
        f" On {metrics['samples']:,} portraits drawn by a program, {metrics['accuracy']:.1%} of "
        "its answers are right."
        if {"samples", "accuracy"} <= metrics.keys()
        else ""
    )
    return (
        "Counted by the judge, a separately trained classifier. A number counts as right if the "
        f"judge sees it within {NEAR:g} of what was asked for.{how_good}"
    )


class AttributesPanel(Panel):
    """The timeline, and below it what the judge saw in its pictures."""

    def screens(self, page: Page) -> list[gr.components.Component]:
        return [
            *super().screens(page),
            gr.HTML(
                seen((page.first or {}).get("seen")),
                css_template=read("card/card.css", "attribute_picker/attribute_picker.css"),
                apply_default_css=False,
                elem_id=f"{self.name}-seen",
            ),
        ]

    def shown(self, app: App, value: Any, settings: Mapping[str, Any]) -> Any:
        return super().shown(app, value, settings), seen(getattr(value, "seen", None))

    def maker(self, settings: Mapping[str, Any]) -> str:
        return self.models[0]  # the other one judges


@dataclass(frozen=True)
class AttributeGeneration:
    """Portraits by the model of one family."""

    family: Generation
    """As in the family's Generate panel, with the model of portraits."""

    def panel(self) -> Panel:
        model = self.family.model
        return AttributesPanel(
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
            models=(model, JUDGE),
            needs=(model,),
            below=lambda app: composed_card(model),
            relative_cost=2.0,  # a step of a portrait takes twice as long as one of 28 by 28
        )

    def knobs(self) -> list[Knob]:
        """The knobs, the attribute picker first."""
        family = self.family.family
        return [
            AttributeKnob("wish", "The person to draw", "wish", START),
            control_of(family, "steps"),
            control_of(family, "guidance_scale"),
            control_of(family, "solver"),
            Knob("count", "Pictures", "whole", 8, 1, 36),
            Knob("seed", "Seed", "seed", 0, fresh=True),
        ]

    def draw(
        self,
        app: App,
        *,
        wish: Attributes,
        count: int,
        seed: int,
        **knobs: Any,
    ) -> Iterator[Any]:
        """Yields the timeline's values while the people come out of the noise; the last one also
        says what the judge saw, where there is one."""
        model, seeds = app.model(self.family.model), seeds_from(seed, count)
        judged = bool(visible(wish)) and JUDGE in available()
        verdict: dict[str, Any] = {}

        def judge(moments: Sequence[Frame]) -> Generator[Any, None, dict[str, Any]]:
            charts, verdict["seen"] = yield from self._judged(app.model(JUDGE), moments, wish)
            return {"curves": charts}

        asked = ", ".join(in_words(*part) for part in wish.items()) or "anybody"
        for value in on_timeline(
            Meter(model, seeds, label=wish or None, **knobs),
            self.family.lanes,
            keep=FRAMES,
            finish=judge if judged else None,
            name=f"{self.family.model}-{seed}",
            alt=f"{count} portraits come out of noise: {asked}",
        ):
            yield JudgedValue(**vars(value), **verdict) if verdict else value

    def _judged(
        self, judge: AttributeClassifier, moments: Sequence[Frame], attributes: Attributes
    ) -> Generator[Any, None, tuple[list[dict], dict[str, Any]]]:
        """Yields turns for others; returns the chart and what the judge says of the pictures."""
        right = []
        for frame in moments:
            right.append(shown(judge, frame.x if frame.x0 is None else frame.x0, attributes))
            yield gr.skip()
        (each, everything), count = counts(right[-1]), len(moments[-1].x)
        rows = [
            (
                in_words(n, v),
                f"{each[n]} of {count}" if n in each else "hidden by another attribute",
            )
            for n, v in attributes.items()
        ]
        return curves(attributes, right, [frame.step for frame in moments]), {
            "headline": f"{everything} of {count} show all that was asked for",
            "never": "; ".join(never_together(attributes)),
            "rows": rows,
            "foot": _foot(judge),
        }

    def code(self, k: Mapping[str, Any]) -> str:
        """The lines that draw the same people, and count."""
        wanted = dict(k["wish"])
        counting = [
            "",
            f'judge = load("{JUDGE}")',
            "with torch.inference_mode():",
            "    logits, measures = judge.answers(judge(x.to(judge.device)).cpu())",
            "right = {}",
            f"for name in {[*visible(wanted)]!r}:  # what nothing hides",
            "    if name in CATEGORICAL:",
            "        asked = CATEGORICAL[name].index(attributes[name])",
            "        right[name] = logits[name].argmax(1) == asked",
            "    else:",
            "        off = measures[:, [*CONTINUOUS].index(name)] - attributes[name]",
            f"        right[name] = off.abs() <= {NEAR:g}",
            '    print(f"{name} {attributes[name]}: {int(right[name].sum())} of {len(x)}")',
            'print("all of it:", int(torch.stack([*right.values()]).all(0).sum()))',
        ]
        return script(
            f'model = load("{self.family.model}")',
            f"attributes = {wanted!r}  # what is left out stays open",
            *sampling(k, "frames = record", without=("wish",), label="attributes or None"),
            f"x = frames[-1].x  # ({k['count']}, 3, 64, 64) in [-1, 1]",
            *(counting if visible(wanted) and JUDGE in available() else []),
        )


# --- composing or remembering: of the model's card alone, no model is loaded ------------------


def composed_card(model: str) -> None:
    """The card, where the model has been measured; else a line that says how."""
    metrics = figures_of(model)
    card(
        f"{model}-composing",
        COMPOSING,
        composed(metrics) if "composing" in metrics else "",
        Path(__file__).with_name("composed.css"),
        otherwise=NOT_MEASURED.format(name=model),
    )


def composed(metrics: Mapping[str, Any]) -> str:
    """The metrics of a model's card -> HTML."""
    found = metrics["composing"]
    shares = "".join(_share(words, found[kind]) for kind, words in KINDS.items())
    tables = "".join(_pairs(words, found[kind]["by_pair"]) for kind, words in KINDS.items())
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
    """One kind of pairs: a figure, a bar with a mark at what drawings reach, and that."""
    by_rule = SHARES.format(share=f"{found['by_rule']:.0%}")
    return f"""<div><dt>{escape(words)}</dt>
      <dd><b>{found["share"]:.0%}</b> <span>{escape(by_rule)}</span>
        <i style="--share:{found["share"]:.3f};--rule:{found["by_rule"]:.3f}"></i></dd></div>"""


def _pairs(words: str, by_pair: Sequence[tuple[Mapping[str, str], float]]) -> str:
    """Pairs, those drawn best first."""
    rows = "".join(
        f"""<tr><th scope="row">{escape(", ".join(in_words(*part) for part in pair.items()))}</th>
          <td><i style="--share:{share:.3f}"></i></td><td>{share:.0%}</td></tr>"""
        for pair, share in sorted(by_pair, key=lambda item: -item[1])
    )
    return f"<table><caption>{escape(words)}</caption><tbody>{rows}</tbody></table>"
