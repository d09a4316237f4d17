"""The Word by word panel: a text grows token by token, and what else could have stood there."""

import math
import time
from collections.abc import Iterator, Mapping
from typing import Any

from demos.page.controls import Knob, control_of
from demos.page.handlers import App
from demos.page.image_io import duration
from demos.page.panel import Panel
from demos.page.script import sampling, script
from demos.tabs.autoregressive.beginning import FIRST, ID, MODEL, MODELS, PROMPT, beginning_tools
from demos.tabs.autoregressive.changes import LONGEST, Changes
from demos.tabs.autoregressive.pen import Pen
from demos.tabs.autoregressive.texts import WORDS
from demos.widgets.token_text import TokenText, TokenTextValue, attention_value, candidates
from gen_core.families.gpt import GPT
from gen_core.progress import Progress

UPDATE_SECONDS = 0.12
"""Between two values while it writes, at least."""


def shown(pen: Pen, whole: bool) -> dict[str, Any]:
    """What `TokenTextValue` takes of a text; before it is whole, candidates of its last token
    alone."""
    kinds, logits = pen.so_far()
    first = 0 if whole else max(len(kinds) - 1, 0)
    choices = candidates(logits[first:], kinds[first:], **pen.choosing)
    places = range(first, len(kinds))
    tokens = pen.model.words.tokens
    return {
        **pen.text(),
        "changed": [p + pen.begun - 1 for p in pen.taken if p + pen.begun <= len(kinds)],
        "candidates": {str(i): rows for i, rows in zip(places, choices, strict=True)},
        "written": {str(kind): tokens[kind] for row in choices for kind, *_ in row},
        "whole": whole,
    }


def write(
    app: App, *, prompt: str, model: str, tokens: int, seed: int, changes: Any, **choosing: Any
) -> Iterator[Progress | TokenTextValue]:
    """Yields the text while it grows, then whole."""
    network = app.model(model)
    pen = Pen(network, seed, tokens, prompt, choosing, changes)
    told = -math.inf
    for frame in pen.frames():
        count = len(pen.said) - pen.begun
        yield Progress("Token", count, pen.total)
        if (
            frame.out is not None
            and len(pen.said) > 1
            and time.perf_counter() - told > UPDATE_SECONDS
        ):
            yield TokenTextValue(
                **shown(pen, False), provenance=f"{count - 1} of {pen.total} tokens"
            )
            told = time.perf_counter()
    n = pen.begun + pen.total
    value = shown(pen, True)
    per_token = sum(value["bits"][pen.begun :]) / pen.total
    weights = network.attention(pen.x[:, :n].to(network.device))[:, 0]
    yield TokenTextValue(
        **value,
        attention=attention_value(weights),
        caption=f"{per_token:.2f} bits per token that was written, as the network sees it.",
        provenance=f"{pen.total} tokens in {duration(pen.seconds)} · "
        f"{1000 * pen.seconds / pen.total:.1f} ms each · {app.device_title}",
        name=f"{model}-{seed}",
    )


def code(k: Mapping[str, Any]) -> str:
    """The lines that write the same."""
    return script(
        f"model = load({k['model']!r})",
        *(_with_changes(k) if k["changes"] else sampling(k, without=("changes",))),
        "print(model.text(x)[0])",
        "bits = -model.token_log_probs(x[x >= 0][None])[0] / log(2)  # the surprise of each token",
    )


def _with_changes(k: Mapping[str, Any]) -> list[str]:
    """`tokens` are counted from the first one that is drawn."""
    first = sum(place == i for i, (place, _) in enumerate(k["changes"], 1))
    left = {**k, "tokens": k["tokens"] - first}
    return [
        f"prompt = model.condition.tokens({k['prompt']!r})",
        "given = torch.full((1, model.event.length), -1)  # what is to be drawn",
        "given[0, : len(prompt)] = torch.tensor(prompt)",
        *(f"given[0, len(prompt) + {place - 1}] = {kind}" for place, kind in k["changes"]),
        *(
            sampling(left, without=("changes", "prompt"), given="given")
            if left["tokens"]
            else ["x = given"]
        ),
    ]


PANEL = Panel(
    tab=ID,
    id="words",
    title="Word by word",
    button="Write",
    text=WORDS,
    knobs=[
        PROMPT,
        MODEL,
        control_of(GPT, "tokens", default=80, high=255),
        control_of(GPT, "temperature"),
        Knob("seed", "Seed", "seed", 1),
        control_of(GPT, "top_k", high=1024),
        control_of(GPT, "top_p"),
        Changes(
            "changes",
            "Tokens you took",
            "text",
            "",
            high=LONGEST,
            info="Which token of the text is which of the model's tokens: 17:325 40:12",
            advanced=True,
        ),
    ],
    run=write,
    code=code,
    calls=GPT.frames,
    screen=TokenText,
    shows="A text, token by token",
    models=(MODELS[FIRST],),
    beneath=beginning_tools,
)
