"""What a model can be asked for: nothing, one class, any of a portrait's attributes, or words.

A condition turns what a caller writes into rows of whole numbers, one row a sample, which the
network embeds. It also knows the null row, which asks for nothing and which training shows now and
then, so that sampling can be guided (Ho & Salimans 2022).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from gen_core import checks
from gen_core.checks import KnobError, choice, labels, number, shown
from gen_core.data.avatars.attributes import Avatar, any_avatar
from gen_core.data.avatars.held_out import HELD_OUT, random_avatar
from gen_core.data.avatars.labels import CHOICES, MEASURES, THOUSANDTHS, facts, hidden
from gen_core.data.images import UNSEEN
from gen_core.devices import constant
from gen_core.knobs import Knob
from gen_core.knobs import Text as TextKnob

UNTOLD = -10_000
"""In place of a measure that is not asked for: no measure is so low."""
NULL = (UNSEEN,) * len(CHOICES) + (UNTOLD,) * len(MEASURES)
"""The row that asks for no attribute."""
HIDE_ALL = 0.1
"""Share of training pictures that are shown without their label (Ho & Salimans 2022, p_uncond)."""
TELL_ALL = 0.4
"""Share of training portraits whose attributes are all told; of the others, some."""
OTHERS = 2_000_000
"""The first seed of the people whose attributes are asked for when a model is measured: neither
training nor test pictures show them."""
LOWEST = {"age": 0.0}
"""Where a measure begins, but for those that begin at -1."""
HIDING = ("hat", "hair", "age", "glasses", "lids", "beard")
"""The attributes that may keep others out of sight."""
BEARDED = 0.25
"""The age above which beards grow: see `any_avatar`."""
LOTS = 100
"""Times that a lot is drawn anew at most; one in five or more shows even a rare wish."""


@dataclass(frozen=True)
class Label(Knob):
    """What is asked for: for all samples, or one each. The condition checks it, which knows their
    number."""

    meaning: str = field(default="", kw_only=True)
    """What it takes, in words."""
    refused: tuple[Any, ...] = field(default=(), kw_only=True)
    """Values that the condition refuses."""

    @property
    def takes(self) -> str:
        return self.meaning

    def check(self, value: Any) -> Any:
        return value

    def bad_values(self) -> Sequence[Any]:
        return self.refused


class Condition(Protocol):
    knobs: tuple[Knob, ...]
    """What it adds to the knobs of `sample`."""

    def read(self, settings: dict[str, Any], seeds: Sequence[int]) -> Any:
        """Takes its own knobs out of the settings; returns what `Family.frames` is given, None
        where nothing is asked for. Raises KnobError."""

    def encode(self, label: Any, count: int) -> Tensor:
        """What is asked for, as int64 (count, ...). Raises KnobError."""

    def null(self, count: int) -> Tensor:
        """(count, ...): the rows that ask for nothing."""

    def dropout(self, label: Tensor, rng: torch.Generator) -> Tensor:
        """Training's rows, some of them, or some of what they say, replaced by the null row."""

    def balanced(self, indices: Sequence[int]) -> Any:
        """What the samples so numbered are asked for where a model is measured, so that everything
        has its turn; None where nothing can be asked for."""


class Nothing:
    """Nothing can be asked for: the model draws what it likes."""

    knobs: tuple[Knob, ...] = ()

    def read(self, settings: dict[str, Any], seeds: Sequence[int]) -> None:
        return None

    def encode(self, label: Any, count: int) -> Tensor:
        raise KnobError(
            f"label={shown(label)}: this model draws what it likes, leave the label out"
        )

    def null(self, count: int) -> Tensor:
        return torch.zeros(count, dtype=torch.long)

    def dropout(self, label: Tensor, rng: torch.Generator) -> Tensor:
        return self.null(len(label)).to(label.device)

    def balanced(self, indices: Sequence[int]) -> None:
        return None


class _Labelled:
    """A condition with one knob, `label`."""

    knobs: tuple[Knob, ...]

    def read(self, settings: dict[str, Any], seeds: Sequence[int]) -> Tensor | None:
        label = settings.pop("label")
        return None if label is None else self.encode(label, len(seeds))

    def encode(self, label: Any, count: int) -> Tensor:
        raise NotImplementedError


class Classes(_Labelled):
    """One of `count` classes; `default` where none is asked for, None for any."""

    def __init__(self, count: int, default: int | None = None) -> None:
        self.count = count
        meaning = f"a class from 0 to {count - 1}, for all or one per sample"
        refused = (count + 89, -1, 2.5, "Bag", math.nan, [1, count + 89, 1])
        self.knobs = (Label("label", default, meaning=meaning, refused=refused),)

    def encode(self, label: Any, count: int) -> Tensor:
        """label: a class for all or one per sample."""
        return torch.tensor(labels(label, count, self.count))

    def null(self, count: int) -> Tensor:
        return torch.full((count,), self.count)

    def dropout(self, label: Tensor, rng: torch.Generator) -> Tensor:
        hidden = torch.rand(len(label), generator=rng, device=label.device) < HIDE_ALL
        return torch.where(hidden, self.count, label)

    def balanced(self, indices: Sequence[int]) -> list[int]:
        return [index % self.count for index in indices]


class Attributes(_Labelled):
    """Any attributes of a portrait: {"hat": "cap", "smile": 0.8} leaves all others open."""

    knobs: tuple[Knob, ...] = (
        Label(
            "label",
            None,
            meaning='attributes such as {"hat": "cap"}, for all or one dict per sample',
            refused=(99, "Bag", {"hat": "crown"}, {"wings": "two"}, {"smile": 2.0}, [{}]),
        ),
    )

    def encode(self, label: Any, count: int) -> Tensor:
        """label: a dict for all, one per sample, or rows as `labels.facts` gives them."""
        if isinstance(label, Tensor):
            return self._given(label, count)
        if isinstance(label, Mapping):
            return self._row(label).expand(count, -1)
        if not isinstance(label, list | tuple):
            raise KnobError(
                f"label={shown(label)}: name attributes and values, such as "
                '{"hat": "cap", "smile": 0.8}'
            )
        if len(label) != count:
            raise KnobError(
                f"label has {len(label)} entries: give one, or one per sample ({count})"
            )
        return torch.stack([self._row(wish) for wish in label])

    def null(self, count: int) -> Tensor:
        return torch.tensor(NULL).expand(count, -1)

    def dropout(self, label: Tensor, rng: torch.Generator) -> Tensor:
        """One picture in ten says nothing, four say all; of the others each attribute is told as
        often as chance has it, seldom in one, mostly in another."""
        draw = torch.rand((len(label), 2), generator=rng, device=label.device)
        told = torch.where(draw[:, 0] < TELL_ALL, 1.0, draw[:, 1])
        told = torch.where(draw[:, 0] > 1 - HIDE_ALL, 0.0, told)
        kept = torch.rand(label.shape, generator=rng, device=label.device) < told[:, None]
        return torch.where(kept, label, constant(NULL, torch.int64, label.device))

    def balanced(self, indices: Sequence[int]) -> Tensor:
        """All attributes of people whom training has not shown."""
        return facts([random_avatar(OTHERS + index) for index in indices])

    def _given(self, label: Tensor, count: int) -> Tensor:
        wide = len(CHOICES) + len(MEASURES)
        if label.shape != (count, wide) or label.is_floating_point():
            raise KnobError(
                f"label of shape {(*label.shape,)}: rows of facts are whole numbers "
                f"({count}, {wide})"
            )
        _check(label.cpu())
        return label.cpu()

    def _row(self, wish: Any) -> Tensor:
        if not isinstance(wish, Mapping):
            raise KnobError(f"label={shown(wish)}: name attributes and their values")
        row = self.null(1)[0].clone()
        names = [*CHOICES, *MEASURES]
        for name, value in wish.items():
            place = names.index(choice("label's attribute", name, names))
            if name in CHOICES:
                row[place] = CHOICES[name].index(choice(name, value, CHOICES[name]))
            else:
                measure = number(name, value, LOWEST.get(name, -1.0), 1.0)
                row[place] = _thousandths(measure)
        return row


class CompleteAttributes(Attributes):
    """The same for a model that must be told every attribute: what is left open is drawn at random
    from the sample's seed, as often as in the data."""

    def read(self, settings: dict[str, Any], seeds: Sequence[int]) -> Tensor:
        return complete_attributes(settings.pop("label"), seeds)


@dataclass(frozen=True)
class Prompt(TextKnob):
    """Words for all samples, or a text for each: the condition counts them."""

    @property
    def takes(self) -> str:
        return f"{super().takes}, for all or one per sample"

    def check(self, value: Any) -> str | list[str]:
        if isinstance(value, list | tuple):
            return [checks.text(self.name, text, self.longest) for text in value]
        return super().check(value)

    def bad_values(self) -> Sequence[Any]:
        return [*super().bad_values(), ["a", None, "b"], ["a"] * 89]


class Text:
    """Words for what should appear, and for what should not."""

    prompt = Prompt("prompt", "", info="What should appear")
    negative_prompt = TextKnob(
        "negative_prompt", "", info="What should not appear: blurry, low quality, oversaturated"
    )
    knobs: tuple[Knob, ...] = (prompt, negative_prompt)

    def __init__(
        self,
        tokenize: Callable[[Sequence[str]], Tensor],
        prompts: Callable[[], Sequence[str]] = lambda: [""],
    ) -> None:
        """tokenize: texts -> int64 (B, length); prompts: gives those that it is measured with."""
        self.tokenize, self.prompts = tokenize, prompts

    def read(self, settings: dict[str, Any], seeds: Sequence[int]) -> Tensor:
        """int64 (2, B, length): the tokens of what should not appear, and of what should."""
        asked = (settings.pop("negative_prompt"), settings.pop("prompt"))
        return torch.stack([self.encode(texts, len(seeds)) for texts in asked])

    def encode(self, label: Any, count: int) -> Tensor:
        """label: a text for all or one per sample."""
        texts = self.prompt.check(label)
        if isinstance(texts, str):
            return self.tokenize([texts] * count)
        if len(texts) != count:
            raise KnobError(
                f"prompt has {len(texts)} entries: give one text, or one per sample ({count})"
            )
        return self.tokenize(texts)

    def null(self, count: int) -> Tensor:
        return self.tokenize([""] * count)

    def dropout(self, label: Tensor, rng: torch.Generator) -> Tensor:
        hidden = torch.rand(len(label), generator=rng, device=label.device) < HIDE_ALL
        return torch.where(hidden[:, None], self.null(1).to(label.device), label)

    def balanced(self, indices: Sequence[int]) -> list[str]:
        prompts = self.prompts()
        return [prompts[index % len(prompts)] for index in indices]


def complete_attributes(label: Any, seeds: Sequence[int]) -> Tensor:
    """Rows that tell every attribute that shows: those that `label` asks for (as
    `Attributes.encode` takes it, or None), the others drawn at random, each sample's from its seed.
    Raises KnobError."""
    asked = Attributes().encode({} if label is None else label, len(seeds))
    if isinstance(label, Tensor):
        if (asked[:, len(CHOICES) :] == UNTOLD).any():
            raise KnobError(
                f"label: rows for this model tell every measure; {UNTOLD} leaves one open. Name "
                'what you ask for instead, as in {"hat": "cap"}: the rest is drawn by lot'
            )
        return asked
    wishes = label if isinstance(label, list | tuple) else [label or {}] * len(seeds)
    return facts([_somebody(seed, wish) for seed, wish in zip(seeds, wishes, strict=True)])


def _check(rows: Tensor) -> None:
    """rows (B, choices + measures), whole numbers. Raises KnobError where one says what its
    attribute does not have."""
    names = [*CHOICES, *MEASURES]
    low = [UNSEEN] * len(CHOICES) + [_thousandths(LOWEST.get(name, -1.0)) for name in MEASURES]
    high = [len(values) - 1 for values in CHOICES.values()] + [THOUSANDTHS] * len(MEASURES)
    open_rows = Attributes().null(len(rows))
    wrong = ((rows < torch.tensor(low)) | (rows > torch.tensor(high))) & (rows != open_rows)
    for row, place in wrong.nonzero()[:1].tolist():
        raise KnobError(
            f"label: row {row} says {int(rows[row, place])} for {names[place]}: choose "
            f"{low[place]} to {high[place]}, or {int(open_rows[row, place])} to leave it open"
        )


def _thousandths(measure: float) -> int:
    return round(THOUSANDTHS * measure)


def _somebody(seed: int, wish: Mapping[str, Any]) -> Avatar:
    """The person of that seed, as the wish has them; what is open and goes with nobody in the data
    is drawn anew."""
    person, rng = replace(random_avatar(OTHERS + seed), **wish), np.random.default_rng(seed)
    for _ in range(LOTS):
        wrong = _unlike_the_data(person, wish) - wish.keys()
        if not wrong:
            break
        other = any_avatar(rng)
        person = replace(person, **{name: getattr(other, name) for name in wrong})
    return person


def _unlike_the_data(person: Avatar, wish: Mapping[str, Any]) -> set[str]:
    """The attributes to blame where something hides the wish, where a beard grows on who has none,
    and where two that are not both wished for are a combination that training left out."""
    wrong: set[str] = set()
    to_show = wish.keys() - hidden(Avatar(**wish))  # a turban hides the hair that is asked for
    shaven = "beard" in wish or person.beard == "none"
    grows = person.age > BEARDED and person.hat != "headscarf"
    if to_show & hidden(person) or not (shaven or grows):
        wrong.update(HIDING)
    for pair, left_out in HELD_OUT.items():
        if tuple(getattr(person, name) for name in pair) in left_out and not wish.keys() >= {*pair}:
            wrong.update(pair)
    return wrong
