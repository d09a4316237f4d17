"""A knob is declared once: the component, its validation, the link and the code follow from it."""

import functools
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import gradio as gr

from gen_core import knobs
from gen_core.data import CLASSES
from gen_core.family import Family, own_knobs
from gen_core.sampling import MAX_SEED

SCRIPT = Path(__file__).parent / "seeds.js"
FASHION = CLASSES["fashion"]
ALL_CLASSES = "All ten"


def labels_for(label: int | None, count: int) -> int | list[int]:
    """What `sample` takes: one class for all, or all ten in turn for None."""
    return [i % len(FASHION) for i in range(count)] if label is None else label


def label_code(label: int | None, count: int) -> str:
    """The same as Python."""
    return f"[i % {len(FASHION)} for i in range({count})]" if label is None else str(label)


@dataclass(frozen=True)
class Knob:
    """kind: "whole", "number" (sliders), "choice", "label" (a class by name; with `all_classes`
    also all ten in turn), "seed", "flag", "text" (of at most `high` characters)."""

    name: str
    label: str
    kind: str
    default: Any
    low: float = 0
    high: float = 1
    step: float | None = None
    options: Sequence[str] = ()
    advanced: bool = False
    all_classes: bool = False
    info: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    """Of a choice, where the library has names of its own: as a visitor reads it -> as `sample`
    takes it. Links and the API may use either."""
    fresh: bool = False
    """Of a seed: a press that would only repeat the result takes a new one, unless it is pinned."""
    known_as: str = ""
    """In links and the API, where it had another name before: old ones go on working."""
    wide: ClassVar[bool] = False
    """Whether it needs the page's width."""

    @property
    def linked(self) -> str:
        """Its name in links and in the API."""
        return self.known_as or self.name

    @property
    def choices(self) -> list[str]:
        if self.kind == "label":
            return ([ALL_CLASSES] if self.all_classes else []) + list(FASHION)
        return list(self.options)

    def within(self, app: Any) -> "Knob":
        """The knob as it stands on a page of this `App`; most need nothing of it."""
        return self

    def component(self) -> gr.components.Component:
        """The knob as it stands on the page."""
        classes = ["advanced"] if self.advanced else []
        common = {"label": self.label, "info": self.info, "elem_classes": classes}
        common["interactive"] = True  # links write to it too, which Gradio takes for an output
        if self.kind in ("whole", "number"):
            step = self.step or (1 if self.kind == "whole" else 0.05)
            return gr.Slider(self.low, self.high, self.default, step=step, **common)
        if self.kind == "seed":
            return gr.Number(self.default, precision=0, min_width=90, **common)
        if self.kind == "flag":
            return gr.Checkbox(self.default, **common)
        if self.kind == "text":
            return gr.Textbox(self.default, lines=2, max_lines=5, **common)
        if self.kind == "choice" and len(self.choices) <= 3:
            return gr.Radio(self.choices, value=self.default, **common)
        return gr.Dropdown(self.choices, value=self.default, **common)

    @property
    def rule(self) -> knobs.Knob:
        """The library's knob that checks its values, a choice among what a visitor reads."""
        rules = {
            "whole": (knobs.Whole, int(self.low), int(self.high)),
            "seed": (knobs.Whole, 0, MAX_SEED),
            "number": (knobs.Number, self.low, self.high),
            "flag": (knobs.Flag,),
            "text": (knobs.Text, int(self.high)),
        }
        rule, *bounds = rules.get(self.kind, (knobs.Choice, self.choices))
        return rule(self.name, self.default, *bounds)

    def check(self, value: Any) -> Any:
        """The validated value: a label as its number (None: all ten). Raises KnobError."""
        checked = self.rule.check(self._as_read(value))
        if self.kind == "label":
            return None if checked == ALL_CLASSES else FASHION.index(checked)
        return self.names.get(checked, checked)

    def _as_read(self, value: Any) -> Any:
        """A choice by the library's name as a visitor reads it; anything else as it is."""
        read = {name: shown for shown, name in self.names.items()}
        return read.get(value, value) if isinstance(value, str) else value

    def from_text(self, text: str) -> Any:
        """The component's value from a link's text. Raises KnobError."""
        return self.rule.parse(self._as_read(text))


def switch(label: str, width: int, name: str, **more: Any) -> gr.Checkbox:
    """A switch that is off and that the browser alone heeds; name: its class in the style sheet."""
    return gr.Checkbox(
        False,
        label=label,
        container=False,
        min_width=width,
        interactive=True,
        elem_classes=[name],
        **more,
    )


def control(knob: knobs.Knob, owner: str, **changes: Any) -> Knob:
    """The control for a knob that `owner`, a family by name, declares; changes: of the control's
    own fields, where a panel needs another default or another word."""
    key = f"{owner}.{knob.name}"
    found = {
        "name": knob.name,
        "default": knob.default,
        "advanced": knob.advanced,
        "label": said(f"{key}.label", knob.title),
        "info": said(f"{key}.info", knob.info) or None,
    }
    match knob:
        case knobs.Whole():
            found |= {"kind": "whole", "low": knob.low, "high": knob.high}
        case knobs.Number():
            found |= {"kind": "number", "low": knob.low, "high": knob.high, "step": knob.step}
        case knobs.Flag():
            found |= {"kind": "flag"}
        case knobs.Text():
            found |= {"kind": "text", "high": knob.longest}
        case knobs.Choice():
            names = {_title(knob.options, name): name for name in knob.options}
            read = {name: shown for shown, name in names.items()}
            found |= {"kind": "choice", "options": [*names], "names": names}
            found["default"] = read[knob.default]
        case _:
            raise TypeError(f"no control for {knob}")
    return Knob(**found | changes)


def controls_of(family: type[Family], **changes: Mapping[str, Any]) -> list[Knob]:
    """Controls for all knobs of a family, as a visitor first finds them; changes: by knob."""
    declared = knobs.with_defaults(own_knobs(family), family.typical)
    return [control(knob, family.name, **changes.get(knob.name, {})) for knob in declared]


def control_of(family: type[Family], name: str, **changes: Any) -> Knob:
    """The control for one of them, by name."""
    return next(k for k in controls_of(family, **{name: changes}) if k.name == name)


def said(key: str, english: str) -> str:
    """The text of a key such as "diffusion.steps.label" in the language of the page: that of
    $GEN_LANGUAGE, a JSON file of texts by key. What it leaves out stays English."""
    return _texts(os.environ.get("GEN_LANGUAGE", "")).get(key, english)


@functools.cache
def _texts(path: str) -> dict[str, str]:
    return json.loads(Path(path).read_text(encoding="utf-8")) if path else {}


def _title(options: Any, name: str) -> str:
    """As a visitor reads an option: its label, where it has one."""
    option = options[name] if isinstance(options, Mapping) else name
    return getattr(option, "label", name)


class Knobs:
    """The knobs of one panel of one tab, in order."""

    def __init__(
        self, tab: str, panel: str, knobs: Sequence[Knob], relative_cost: float = 1.0
    ) -> None:
        self.tab, self.panel, self.knobs = tab, panel, list(knobs)
        self.relative_cost = relative_cost
        """The work of a step of one picture, of that of a picture of 28 by 28."""
        self.built: dict[str, gr.components.Component] = {}

    def build(self, *names: str) -> None:
        """Puts the named knobs (all that are not there yet, if none is named) on the page."""
        for knob in self.knobs:
            if knob.name in self.built or (names and knob.name not in names):
                continue
            if knob.kind == "seed":
                self._build_seed(knob)
            else:
                self._build_one(knob)

    def _build_one(self, knob: Knob) -> gr.components.Component:
        component = self.built[knob.name] = knob.component()
        component.elem_id = f"{self.tab}-{self.panel}-{knob.name}"
        return component

    def _build_seed(self, knob: Knob) -> None:
        with gr.Row(elem_classes=["seed-row", "advanced"] if knob.advanced else ["seed-row"]):
            self._build_one(knob)
            gr.Button("New seed", size="sm", min_width=80, elem_classes=["new-seed"])  # seeds.js
            if knob.fresh:
                switch("Pin", 50, "pin-seed")

    @property
    def components(self) -> list[gr.components.Component]:
        """What an event takes as inputs, in the order of the declaration."""
        return [*self.named.values()]

    @property
    def named(self) -> dict[str, gr.components.Component]:
        """The same by the knobs' names."""
        return {knob.name: self.built[knob.name] for knob in self.knobs}

    def check(self, values: Sequence[Any]) -> dict[str, Any]:
        """Validated values by name, from the components' values. Raises KnobError."""
        return {k.name: k.check(v) for k, v in zip(self.knobs, values, strict=True)}
