"""What a model can be asked for: nothing, one class, any of a portrait's attributes, or words.

A condition turns what a caller writes into rows of whole numbers, one row a sample, which the
network embeds. It also knows the null row, which asks for nothing and which training shows now and
then, so that sampling can be guided (Ho & Salimans 2022).
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from gen_core.data.schema import Schema, in_row
from gen_core.devices import constant
from gen_core.knobs import Knob, KnobError, choice, labels, number, shown
from gen_core.knobs import Text as TextKnob
from gen_core.nets.attributes import MISSING

DROP_ALL = 0.1
"""Share of training pictures that are shown without their label (Ho & Salimans 2022, p_uncond)."""
KEEP_ALL = 0.4
"""Share of training pictures of which all attributes are given; of the others, some."""


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


class Condition:
    """What a model can be asked for; as it stands, nothing."""

    knobs: tuple[Knob, ...] = ()
    """What it adds to the knobs of `sample`."""

    def read(self, settings: dict[str, Any], seeds: Sequence[int]) -> Any:
        """Takes its own knobs out of the settings; returns what `Family.frames` is given, None
        where nothing is asked for. Raises KnobError."""
        label = settings.pop("label", None)
        return None if label is None else self.encode(label, len(seeds))

    def encode(self, label: Any, count: int) -> Tensor:
        """What is asked for, as int64 (count, ...). Raises KnobError."""
        raise KnobError(f"label={shown(label)}: this model is unconditional, leave the label out")

    def null(self, count: int) -> Tensor:
        """(count, ...): the rows that ask for nothing."""
        return torch.zeros(count, dtype=torch.long)

    def dropout(self, label: Tensor, rng: torch.Generator) -> Tensor:
        """Training's rows, some of them, or some of what they say, replaced by the null row."""
        drawn = torch.rand(len(label), generator=rng, device=label.device)
        dropped = (drawn < DROP_ALL).view(-1, *[1] * (label.ndim - 1))
        return torch.where(dropped, self._null_row(label.device), label)

    def _null_row(self, device: torch.device) -> Tensor:
        return constant(tuple(self.null(1).flatten().tolist()), torch.int64, device)

    def balanced(self, indices: Sequence[int]) -> Any:
        """What the samples so numbered are asked for where a model is measured, so that everything
        has its turn; None where nothing can be asked for."""
        return None


class Nothing(Condition):
    """Nothing can be asked for: the model is unconditional."""

    def dropout(self, label: Tensor, rng: torch.Generator) -> Tensor:
        return torch.zeros(len(label), dtype=torch.long, device=label.device)


class Classes(Condition):
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

    def balanced(self, indices: Sequence[int]) -> list[int]:
        return [index % self.count for index in indices]


class Attributes(Condition):
    """Any attributes of a schema: {"hat": "cap", "smile": 0.8} leaves all others open."""

    def __init__(self, schema: Schema) -> None:
        self.schema, self.example = schema, json.dumps(schema.example)
        name, measure = next(iter(schema.categorical)), next(iter(schema.continuous))
        meaning = f"attributes such as {self.example}, for all or one dict per sample"
        refused = (99, "Bag", {name: "crown"}, {"wings": "two"}, {measure: 1e9}, [{}])
        self.knobs = (Label("label", None, meaning=meaning, refused=refused),)

    def encode(self, label: Any, count: int) -> Tensor:
        """label: a dict for all, one per sample, or rows of labels as the data set has them."""
        if isinstance(label, Tensor):
            return self._checked(label.cpu(), count)
        if isinstance(label, Mapping):
            return self._row(label).expand(count, -1)
        if not isinstance(label, list | tuple):
            raise KnobError(
                f"label={shown(label)}: name attributes and values, such as {self.example}"
            )
        if len(label) != count:
            raise KnobError(
                f"label has {len(label)} entries: give one, or one per sample ({count})"
            )
        return torch.stack([self._row(asked) for asked in label])

    def null(self, count: int) -> Tensor:
        return torch.tensor(self.schema.null).expand(count, -1)

    def dropout(self, label: Tensor, rng: torch.Generator) -> Tensor:
        """One picture in ten gives nothing, four give all; of the others each attribute is given as
        often as chance has it, seldom in one, mostly in another."""
        draw = torch.rand((len(label), 2), generator=rng, device=label.device)
        share = torch.where(draw[:, 0] < KEEP_ALL, 1.0, draw[:, 1])
        share = torch.where(draw[:, 0] > 1 - DROP_ALL, 0.0, share)
        kept = torch.rand(label.shape, generator=rng, device=label.device) < share[:, None]
        return torch.where(kept, label, self._null_row(label.device))

    def balanced(self, indices: Sequence[int]) -> Tensor:
        """All attributes of samples that training has not shown."""
        return self.schema.complete([{}] * len(indices), indices)

    def _checked(self, rows: Tensor, count: int) -> Tensor:
        """Raises KnobError where a row says what its attribute does not have."""
        names, (low, high) = self.schema.names, self.schema.bounds
        if rows.shape != (count, len(names)) or rows.is_floating_point():
            raise KnobError(
                f"label of shape {(*rows.shape,)}: rows of labels are whole numbers "
                f"({count}, {len(names)})"
            )
        null = self.null(count)
        wrong = ((rows < torch.tensor(low)) | (rows > torch.tensor(high))) & (rows != null)
        for row, place in wrong.nonzero()[:1].tolist():
            raise KnobError(
                f"label: row {row} says {int(rows[row, place])} for {names[place]}: choose "
                f"{low[place]} to {high[place]}, or {int(null[row, place])} to leave it open"
            )
        return rows

    def _row(self, asked: Any) -> Tensor:
        if not isinstance(asked, Mapping):
            raise KnobError(f"label={shown(asked)}: name attributes and their values")
        row, names = self.null(1)[0].clone(), self.schema.names
        for name, value in asked.items():
            place = names.index(choice("label's attribute", name, names))
            if values := self.schema.categorical.get(name):
                row[place] = values.index(choice(name, value, values))
            else:
                row[place] = in_row(number(name, value, *self.schema.continuous[name]))
        return row


class CompleteAttributes(Attributes):
    """The same for a model that must be given every attribute: what is left open is drawn at random
    from the sample's seed, as often as in the data."""

    def read(self, settings: dict[str, Any], seeds: Sequence[int]) -> Tensor:
        return self.complete(settings.pop("label"), seeds)

    def complete(self, label: Any, seeds: Sequence[int]) -> Tensor:
        """Rows that tell every attribute that shows: those that `label` asks for (as `encode` takes
        it, or None), the others drawn at random, each sample's from its seed. Raises KnobError."""
        rows = self.encode({} if label is None else label, len(seeds))
        if not isinstance(label, Tensor):
            asked = label if isinstance(label, list | tuple) else [label or {}] * len(seeds)
            return self.schema.complete(asked, seeds)
        if (rows == MISSING).any():
            raise KnobError(
                f"label: rows for this model tell every number; {MISSING} leaves one open. Name "
                f"what you ask for instead, as in {self.example}: the rest is drawn at random"
            )
        return rows


@dataclass(frozen=True)
class Prompt(TextKnob):
    """Words for all samples, or a text for each: the condition counts them."""

    @property
    def takes(self) -> str:
        return f"{super().takes}, for all or one per sample"

    def check(self, value: Any) -> str | list[str]:
        if isinstance(value, list | tuple):
            return [super(Prompt, self).check(text) for text in value]
        return super().check(value)

    def bad_values(self) -> Sequence[Any]:
        return [*super().bad_values(), ["a", None, "b"], ["a"] * 89]


class Text(Condition):
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

    def balanced(self, indices: Sequence[int]) -> list[str]:
        prompts = self.prompts()
        return [prompts[index % len(prompts)] for index in indices]
