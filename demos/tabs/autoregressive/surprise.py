"""The How surprising? panel: a text of one's own, each token shaded by its surprise."""

import math
import time
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from demos.page.controls import Knob
from demos.page.handlers import App
from demos.page.image_io import duration
from demos.page.panel import Panel
from demos.page.script import script
from demos.tabs.autoregressive.beginning import FIRST, ID, MODEL, MODELS, unread_letters
from demos.tabs.autoregressive.texts import SURPRISE
from demos.widgets.surprise import Figure, Surprise, SurpriseValue
from gen_core.data.tokenizers import in_ascii
from gen_core.families.gpt import GPT
from gen_core.families.text import LONGEST
from gen_core.knobs import KnobError
from gen_core.progress import Progress

START = (
    "Once upon a time there was a king who had three daughters. One day the youngest went into the "
    "forest, and there she met a wolf. 'Good morning,' said the window. 'Where are you going so "
    "early?'"
)
"""One word does not fit."""
INSTEAD = 3
"""How many of the likeliest other tokens are told."""


def measure(app: App, *, text: str, model: str) -> Iterator[Progress | SurpriseValue]:
    """Yields Progress for each window of the text, then the surprise of every token."""
    gpt, (plain, _) = app.model(model), in_ascii(text)
    if len(plain) > LONGEST:  # "㎯" is read as "rads2"
        raise KnobError(
            f"text is read as {len(plain):,} letters: write at most {LONGEST:,}, or plainer ones"
        )
    tokens = gpt.words.encode(plain)
    if not tokens:
        raise KnobError("text has no letter that the model reads: write some English")
    began = time.perf_counter()
    x, windows = torch.tensor([tokens], device=gpt.device), []
    for start, log_p in gpt.reading(x):
        windows.append(of_window(log_p[0].cpu(), tokens[start : start + log_p.shape[1]]))
        yield Progress("Reading", start + log_p.shape[1], len(tokens), "tokens")
    bits, instead, shares = map(torch.cat, zip(*windows, strict=True))
    kinds = torch.cat([torch.tensor(tokens), instead.flatten()]).unique()
    yield SurpriseValue(
        [gpt.words.tokens[kind] for kind in kinds.tolist()],
        torch.searchsorted(kinds, torch.tensor(tokens)).tolist(),
        [round(value, 2) for value in bits.tolist()],
        torch.searchsorted(kinds, instead).tolist(),
        [[round(share, 4) for share in row] for row in shares.tolist()],
        figures(bits, plain),
        caption=caption(text, plain, tokens),
        provenance=f"{duration(time.perf_counter() - began)} · {app.device_title}",
        name=f"surprise-{model}",
    )


def of_window(log_p: Tensor, tokens: list[int]) -> tuple[Tensor, Tensor, Tensor]:
    """log_p (n, vocabulary) in nats, and what stood there -> the surprise in bits (n,), and the
    likeliest other tokens with their probabilities, both (n, `INSTEAD`)."""
    own = torch.tensor(tokens)[:, None]
    bits = -log_p.gather(-1, own)[:, 0] / math.log(2)
    others = log_p.scatter(-1, own, -math.inf).topk(INSTEAD)
    return bits.clamp(min=0), others.indices, others.values.exp()


def figures(bits: Tensor, plain: str) -> list[Figure]:
    """What is said of a whole text, of the surprise of its tokens."""
    return [
        Figure(f"{float(bits.sum()) / len(plain):.2f}", "bits per character"),
        Figure(f"{2 ** float(bits.mean()):,.1f}", "perplexity per token"),
        Figure(f"{len(bits):,}", "tokens" if len(bits) > 1 else "token"),
    ]


def caption(text: str, plain: str, tokens: list[int]) -> str:
    """How to compare, and what of the text was not read."""
    per_token = len(plain) / len(tokens)
    compared = (
        f"A token stands for {per_token:.1f} characters here. Compare models by bits per "
        "character: perplexity per token depends on how long the tokens are."
    )
    return f"{compared} {unread_letters(text)}".strip()


def code(k: Mapping[str, Any]) -> str:
    """The lines that measure the same."""
    return script(
        f"model = load({k['model']!r})",
        f"text, _ = in_ascii({k['text']!r})",
        "x = torch.tensor([model.words.encode(text)], device=model.device)",
        "bits = -model.token_log_probs(x)[0] / log(2)  # the surprise of each token",
        'print(f"{bits.sum() / len(text):.2f} bits per character")',
        'print(f"{2 ** bits.mean():,.1f} perplexity per token, {len(bits):,} tokens")',
    )


PANEL = Panel(
    tab=ID,
    id="surprise",
    title="How surprising?",
    button="Measure",
    text=SURPRISE,
    knobs=[Knob("text", "Your text", "text", START, high=LONGEST), MODEL],
    run=measure,
    code=code,
    calls=GPT.reading,
    screen=Surprise,
    shows="A text, each token shaded by how surprising it is",
    models=(MODELS[FIRST],),
    seeds=(),
    generates=False,
)
