"""The GAN's Real or fake panel: the visitor is the discriminator, ten pictures a round, against
generators that get better and better."""

import functools
import math
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from demos.page.controls import Knob
from demos.page.handlers import App, watch
from demos.page.image_io import duration
from demos.page.panel import Page, Panel
from demos.page.script import script
from demos.tabs.gan.collapse import RUNS
from demos.tabs.gan.real_clothes import real_clothes
from demos.tabs.gan.samples import MODEL, TAB
from demos.tabs.gan.texts import REAL_OR_FAKE
from demos.widgets.real_or_fake import RealOrFake, RealOrFakeValue, sealed
from gen_core.conditions import Classes
from gen_core.families.gan import GAN
from gen_core.family import Family
from gen_core.knobs import KnobError, choice, whole
from gen_core.lab.counting import wilson
from gen_core.progress import Progress
from gen_core.sampling import MAX_SEED, Meter, pixels
from gen_core.training.recipes import RECIPES

TEN, STEPS = 10, 20
"""Pictures in a round, and steps where a model takes them: fewer than it is measured with."""
YOUNG = RUNS["Healthy"]
"""The training that lends opponents, and at its end the discriminator: it knows no classes, and is
a better judge than that of `MODEL`, which takes most test pictures for fakes."""
OPPONENTS = {f"A GAN after {s:,} steps": f"{YOUNG}/{s}" for s in RECIPES[YOUNG].snapshots} | {
    "The finished GAN": MODEL,
    "A VAE": "vae-fashion",
    "Diffusion": "diffusion-fashion",
    "Flow matching": "flow-fashion",
}
"""As a visitor reads them -> a checkpoint, perhaps with a step of its training."""
FIRST = f"{YOUNG}/518"
MOST_ROUNDS = 200
"""That are counted together."""
SURE = 0.05
"""The significance level."""


def model_of(app: App, opponent: str) -> Family:
    """Who draws what is not real."""
    name, _, step = opponent.partition("/")
    model = app.model(name)
    return model.at_snapshot(int(step)) if step else model


def asked_of(model: Family, label: Tensor) -> dict[str, Any]:
    """What it is asked for: label (10,), where it knows classes."""
    few = {"steps": STEPS} if "steps" in model.published else {}
    return {**model.published, **few, **({"label": label.tolist()} if by_class(model) else {})}


def by_class(model: Family) -> bool:
    return isinstance(model.condition, Classes)


def number_of(opponent: str, seed: int) -> int:
    """Of a round, below 2^32: all that is random in it follows from that. It differs also from one
    opponent to the next, or the truth of one round would be that of all."""
    return zlib.crc32(f"{opponent} {seed}".encode())


def noise_seeds(number: int) -> list[int]:
    """Those of the ten places."""
    return [(TEN * number + place) % (MAX_SEED + 1) for place in range(TEN)]


def dealt(number: int) -> tuple[Tensor, Tensor, Tensor]:
    """Which places of a round are real (10,), each by a coin, with real pictures for all places
    (10, 1, 28, 28), which are all different, and what they show (10,)."""
    rng = torch.Generator().manual_seed(number)
    real = torch.rand(TEN, generator=rng) < 0.5
    clothes = real_clothes()
    return real, *clothes.batch(torch.randperm(len(clothes), generator=rng)[:TEN])


def deal(app: App, *, opponent: str, seed: int) -> Iterator[RealOrFakeValue | Progress]:
    """Yields Progress for each step, then ten pictures with the truth about them."""
    model, judge = model_of(app, opponent), app.model(YOUNG)
    number = number_of(opponent, seed)
    real, x, label = dealt(number)
    meter = Meter(model, noise_seeds(number), **asked_of(model, label))
    drawn = yield from watch(meter, "Drawing")
    x = torch.where(real[:, None, None, None], x, drawn)
    started = time.perf_counter()
    chances = judge.judge(x).sigmoid().tolist()
    seconds = meter.seconds + time.perf_counter() - started
    shows = label if by_class(model) else torch.where(real, label, -1)
    clothes = real_clothes()
    yield RealOrFakeValue(
        [*pixels(x)],
        sealed(real.tolist(), chances, shows.tolist()),
        clothes.classes,
        opponent,
        title_of(opponent),
        seed,
        provenance=f"real ones of {len(clothes)} test pictures of Fashion-MNIST; the others and "
        f"the verdict: {duration(seconds)} · {app.device_title}",
        name=f"real-or-fake-{seed}",
    )


def title_of(opponent: str) -> str:
    return next(title for title, name in OPPONENTS.items() if name == opponent)


# --- the score ------------------------------------------------------------------------------------


def tally(asked: Any) -> dict[str, Any]:
    """{"lines": the score against each opponent, "said": what that against one of them means}.

    asked: {"rounds": lists of an opponent, a seed, and how many were right, the visitor's and the
    discriminator's; "opponent": whose}. Raises KnobError for anything but what the page asks.
    """
    asked = asked if isinstance(asked, dict) else {}
    rounds, names = asked.get("rounds"), [*OPPONENTS.values()]
    if not isinstance(rounds, list) or not all(isinstance(r, list) and len(r) == 4 for r in rounds):
        raise KnobError("rounds: give a list of opponent, seed and the two scores of each")
    whole("the number of rounds", len(rounds), 1, MOST_ROUNDS)
    scores: dict[str, list[tuple[int, int]]] = {}
    for opponent, _, *both in rounds:
        yours, network = (whole("right", score, 0, TEN) for score in both)
        scores.setdefault(choice("opponent", opponent, names), []).append((yours, network))
    current = choice("opponent", asked.get("opponent"), [*scores])
    lines = [line(name, scores[name]) for name in names if name in scores]
    yours = sum(mine for mine, _ in scores[current])
    return {"lines": lines, "said": beside_a_coin(yours, TEN * len(scores[current]))}


def line(opponent: str, scores: Sequence[tuple[int, int]]) -> str:
    """The score against one opponent, in all rounds."""
    of = TEN * len(scores)
    yours, network = (share(sum(own), of) for own in zip(*scores, strict=True))
    return f"{title_of(opponent)}: you {yours}, the discriminator {network}"


def share(right: int, of: int) -> str:
    """ "7 of 10 (40 to 89%)" """
    low, high = wilson(right, of)
    return f"{right} of {of} ({100 * low:.0f} to {100 * high:.0f}%)"


def beside_a_coin(right: int, of: int) -> str:
    """What a score tells, in a sentence or two."""
    interval = "In brackets: the interval in which the share lies with 95% confidence."
    if 2 * right <= of:
        return f"A tossed coin gets {of // 2} of {of} right on average. {interval}"
    chance = sum(math.comb(of, k) for k in range(right, of + 1)) / 2**of
    rarely = f"in {chance:.1%} of all tries" if chance >= 0.001 else "less than once in 1,000 tries"
    told = f"A tossed coin gets {right} or more of {of} right {rarely}"
    if chance < SURE:
        return f"{told}: that speaks for seeing a difference. {interval}"
    return f"{told}: too often to say that you see a difference. {interval}"


# --- the panel ------------------------------------------------------------------------------------


def code(k: Mapping[str, Any]) -> str:
    """The lines that deal the same round, and have the network judge it."""
    name, _, step = k["opponent"].partition("/")
    number = number_of(k["opponent"], k["seed"])
    stepwise = name in ("diffusion-fashion", "flow-fashion")
    known = not step and name != "vae-fashion"
    few = f"**(model.published | {{'steps': {STEPS}}})" if stepwise else "**model.published"
    options = [few, "label=label.tolist()"] if known else [few]
    return script(
        "clothes = real_clothes()  # 300 test pictures",
        f"rng = torch.Generator().manual_seed({number})",
        f"real = torch.rand({TEN}, generator=rng) < 0.5",
        f"x, label = clothes.batch(torch.randperm(len(clothes), generator=rng)[:{TEN}])",
        "",
        f'model = load("{name}")' + (f".at_snapshot({step})" if step else ""),
        f"noise = Noise({noise_seeds(number)})",
        f"drawn = final(model.sample(noise, {', '.join(options)}))",
        "x = torch.where(real[:, None, None, None], x, drawn)  # (10, 1, 28, 28) in [-1, 1]",
        "",
        f'discriminator = load("{YOUNG}")  # as it stood at the end',
        "said = discriminator.judge(x).cpu() > 0",
        f'print(f"The discriminator: {{int((said == real).sum())}} of {TEN}")',
        real_clothes="demos.tabs.gan.real_clothes",
    )


class RealOrFakePanel(Panel):
    """Its card asks what scores mean; the pictures of a round are its opponent's."""

    def screens(self, page: Page) -> list[gr.components.Component]:
        asked = [page.app.serve(tally)]
        return [
            RealOrFake(
                elem_id=self.name,
                label=self.shows,
                value=page.first,
                empty=f"Press {self.button}.",
                asked=asked,
            )
        ]

    def maker(self, settings: Mapping[str, Any]) -> str:
        return settings["opponent"]


PANEL = RealOrFakePanel(
    tab=TAB,
    id="real-or-fake",
    title="Real or fake?",
    button="Deal ten",
    text=REAL_OR_FAKE,
    knobs=[
        Knob(
            "opponent",
            "Who draws the fakes",
            "choice",
            title_of(FIRST),
            options=[*OPPONENTS],
            names=OPPONENTS,
            info="From the first steps of a training to finished models",
        ),
        Knob("seed", "Seed", "seed", 0, fresh=True),
    ],
    run=deal,
    code=code,
    calls=GAN.judge,
    screen=functools.partial(RealOrFake, asked=()),
    shows="Ten pictures, real or fake",
    models=(YOUNG,),
)
