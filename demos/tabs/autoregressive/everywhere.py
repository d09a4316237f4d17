"""The panel Left to right, or everywhere at once: two ways to write on one timeline, and how good
what they write is."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import torch

from demos.page.controls import Knob, control_of
from demos.page.handlers import App
from demos.page.image_io import duration
from demos.page.panel import Page, Panel
from demos.page.script import script
from demos.tabs.autoregressive.beginning import ID, PROMPT, beginning_tools
from demos.tabs.autoregressive.evaluations import COLUMNS, EVERY, LEFT, evaluations_below
from demos.tabs.autoregressive.texts import ALONE, EVERYWHERE
from demos.widgets.labelled_grid import Cell, LabelledGrid, LabelledGridValue, Row
from demos.widgets.text_timeline import TextLane, TextTimeline, TextTimelineValue
from gen_core.data.tokenizers import Tokenizer
from gen_core.evaluation.text_quality import TextJudge, distinct, entropy
from gen_core.families.gpt import GPT
from gen_core.families.masked_diffusion import MaskedDiffusion
from gen_core.families.text import TextFamily
from gen_core.progress import Progress
from gen_core.sampling import Meter, Noise

JUDGE = "gpt-tales-characters"
"""The checkpoint that carries the judge."""
DULL = " and the king said"
"""Said again and again: what a figure alone takes for good."""


@dataclass(frozen=True, kw_only=True)
class Both(TextTimelineValue):
    """The two texts, and below them how good they are."""

    quality: LabelledGridValue


@dataclass(frozen=True)
class Written:
    """What a model wrote: its tokens, those that were given first, and when each appeared."""

    model: TextFamily
    tokens: list[int]
    begun: int
    appeared: list[int]
    total: int
    cost: str

    def lane(self, title: str, step_word: str, masks: bool) -> TextLane:
        """As the timeline shows it."""
        shown = [self.model.words.tokens[token] for token in self.tokens]
        return TextLane(title, shown, self.appeared, self.total, step_word, masks, self.cost)

    @property
    def own(self) -> list[int]:
        """The tokens that were not given."""
        return self.tokens[self.begun :]


def compare(
    app: App, *, prompt: str, steps: int, tokens: int, temperature: float, seed: int
) -> Iterator[Progress | Both]:
    """Has both models write, then yields their texts."""
    shared = {"prompt": prompt, "temperature": temperature}
    gpt, diffusion = app.model(LEFT), app.model(EVERY)
    left = yield from written(Meter(gpt, [seed], tokens=tokens, **shared), tokens, "Token")
    every = yield from written(Meter(diffusion, [seed], steps=steps, **shared), tokens, "Step")
    yield Both(
        lanes=[
            left.lane("From left to right", "token", masks=False),
            every.lane("Everywhere at once", "step", masks=True),
        ],
        quality=quality(app, left, every, seed),
        provenance=app.device_title,
        name=f"texts-{seed}",
    )


def written(meter: Meter, tokens: int, stage: str) -> Generator[Progress, None, Written]:
    """Runs a generation; of what it writes `tokens` are shown."""
    appeared = None
    for frame in meter.frames():
        drawn = frame.x[0].cpu() >= 0
        appeared = torch.where(drawn, 0, -1) if appeared is None else appeared
        appeared[drawn & (appeared < 0)] = frame.step
        yield Progress(stage, frame.step, frame.total)
    begun = int((appeared == 0).sum())
    text = [token for token in meter.x[0, : begun + tokens].tolist() if token >= 0]
    cost = f"{meter.evaluations} network evaluations in {duration(meter.seconds)}"
    return Written(meter.model, text, begun, appeared[: len(text)].tolist(), frame.total, cost)


def quality(app: App, left: Written, every: Written, seed: int) -> LabelledGridValue:
    """How good what was written is, beside two texts that single figures take for good."""
    judge, words = TextJudge.of(app.model(JUDGE)), left.model.words
    dull = words.encode(DULL * len(left.own))[: len(left.own)]
    chance = (Noise([seed]).rand(len(left.own))[0] * len(words)).long().tolist()
    rows = [
        ("From left to right", f"{len(left.own)} tokens", left.own),
        ("Everywhere at once", f"{len(every.own)} tokens", every.own),
        ("One phrase again and again", f"“{DULL.strip()}”", dull),
        ("Tokens at random", "each kind equally likely", chance),
    ]
    return LabelledGridValue(
        [Row(title, note, cells(judge, words, tokens)) for title, note, tokens in rows],
        COLUMNS,
        corner="without the beginning",
        caption=ALONE,
        provenance=app.device_title,
        name=f"texts-{seed}-figures",
    )


def cells(judge: TextJudge, words: Tokenizer, tokens: Sequence[int]) -> list[Cell]:
    """A row of figures, of a text without its beginning."""
    text = words.decode(tokens)
    copied = judge.longest_copy(text)
    return [
        Cell(None, f"{judge.bits_per_character(text):.2f}"),
        Cell(None, f"{entropy(tokens):.2f} bits"),
        Cell(None, f"{distinct(tokens, 4):.0%}"),
        Cell(None, f"{copied} characters" if copied else "none found"),
    ]


def code(k: Mapping[str, Any]) -> str:
    """The lines that write and measure the same."""
    return script(
        f"judge, prompt = TextJudge.of(load({JUDGE!r})), {k['prompt']!r}",
        f"own = {{{LEFT!r}: {{'tokens': {k['tokens']}}}, {EVERY!r}: {{'steps': {k['steps']}}}}}",
        "for name, knobs in own.items():",
        f"    model, shared = load(name), {{'temperature': {k['temperature']}, 'prompt': prompt}}",
        f"    x = final(model.sample(Noise([{k['seed']}]), **shared, **knobs))[0]",
        "    begun = len(model.condition.tokens(prompt))",
        f"    tokens = x[x >= 0][begun:][:{k['tokens']}].tolist()",
        "    text = model.words.decode(tokens)",
        "    print(prompt + text)",
        '    print(f"{judge.bits_per_character(text):.2f} bits per character")',
        '    print(f"{entropy(tokens):.2f} bits: the entropy of its tokens")',
        '    print(f"{distinct(tokens, 4):.0%} of its 4-grams are new")',
        '    print(f"{judge.longest_copy(text)} characters copied at most")',
    )


class EverywherePanel(Panel):
    """The texts, and below them the figures."""

    def screens(self, page: Page) -> list[gr.components.Component]:
        return [*super().screens(page), self.figures(page.first)]

    def figures(self, first: dict[str, Any] | None) -> gr.HTML:
        """The grid below; first: what the page begins with, if anything."""
        value = None
        if first:
            told = {name: first[name] for name in ("provenance", "live", "example")}
            value = first["quality"] | told
        return LabelledGrid(
            elem_id=f"{self.name}-quality",
            label="How good the texts are",
            value=value,
            empty="How good are they? The figures come with the texts.",
        )

    def shown(self, app: App, value: Any, settings: Mapping[str, Any]) -> Any:
        return super().shown(app, value, settings), value.quality

    def maker(self, settings: Mapping[str, Any]) -> str:
        return f"{LEFT}, {EVERY}"  # the third one judges


PANEL = EverywherePanel(
    tab=ID,
    id="everywhere",
    title="Left to right, or everywhere at once",
    button="Write both",
    text=EVERYWHERE,
    knobs=[
        PROMPT,
        control_of(
            MaskedDiffusion,
            "steps",
            high=256,
            label="Steps of the diffusion",
            info="Fewer are faster; tokens of one step do not know of each other",
        ),
        control_of(GPT, "tokens", default=255, high=255, info="To show at most, of each text"),
        control_of(GPT, "temperature"),
        Knob("seed", "Seed", "seed", 1),
    ],
    run=compare,
    code=code,
    calls=written,
    screen=TextTimeline,
    shows="Two texts, token by token",
    models=(LEFT, EVERY, JUDGE),
    needs=(LEFT, EVERY, JUDGE),
    beneath=beginning_tools,
    below=evaluations_below,
)
