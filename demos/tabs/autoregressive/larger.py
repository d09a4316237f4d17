"""The panel A large one by name: a larger language model of the host's list answers."""

import contextlib
import functools
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from demos.page.controls import Knob, control
from demos.page.handlers import App
from demos.page.hosted import HostedPanel
from demos.page.image_io import duration
from demos.page.queueing import known_by
from demos.page.script import script
from demos.tabs.autoregressive.beginning import ID
from demos.tabs.autoregressive.texts import LARGER
from demos.widgets.answer import Answer as AnswerCard
from demos.widgets.answer import AnswerValue
from demos.widgets.model_list import model_table
from demos.widgets.token_text import WHOLE
from gen_core.devices import device_title
from gen_core.families.text import LONGEST
from gen_core.families.token_sampler import TEMPERATURE, TOP_P
from gen_core.hub import writer
from gen_core.hub.allowance import Limits, host_s_limits
from gen_core.hub.answers import MOST_TOKENS, WRITING, Answer, Asked, Candidate, Token, Written
from gen_core.hub.language_models import ADDRESS, KEY, LanguageModel, language_models
from gen_core.hub.remote import PATH, request_of
from gen_core.hub.text_server import TextServer
from gen_core.progress import Progress

NONE_ALLOWED = "The host of this page allows no larger language models."
NONE_RUNS = (
    "None of these models can be used on this machine, for the reasons in the list. The small one "
    "in the panel Word by word writes here."
)
ELSEWHERE = "On another server, to which your words go"
QUESTION, BEGINNING = "A question", "A beginning"
FORMS = {QUESTION: "chat", BEGINNING: "text"}
"""As a visitor reads them -> as links and the API may name them."""
EXAMPLE = "Why is the sky blue? Answer in two sentences."
UPDATE_SECONDS = 0.12
"""Between two values while it writes, at least."""
NO_TOKENS = (
    "This server does not tell how likely each token was, so there is no surprise to colour and no "
    "other candidates to show."
)
NO_WORD = "The model ended at once, without a word. Try another seed, or other words."
READ_HERE = "This is the whole text from which the model went on:"
SENT = (
    "This is what was sent. The server puts it into the model's chat template, which it does not "
    "show; models that run on this machine do."
)


@functools.cache
def slot(device: torch.device, models: tuple[LanguageModel, ...], limits: Limits) -> TextServer:
    """One for all pages and visitors."""
    return TextServer(device, models, limits)


@dataclass(frozen=True, kw_only=True)
class LargerModels(HostedPanel):
    """One language model of the host's list writes."""

    def listed(self) -> tuple[LanguageModel, ...]:
        return language_models()

    def place(self, app: App, models: Sequence[LanguageModel]) -> TextServer:
        return slot(app.device, tuple(models), host_s_limits())

    def given(
        self, place: TextServer, models: Sequence[LanguageModel], able: Sequence[str]
    ) -> dict[str, Any]:
        reasons = {model.name: place.obstacles(model) for model in models}
        elsewhere = {model.name: ELSEWHERE for model in models if model.server}
        return {
            "knobs": _knobs(models, (able or [*reasons])[0]),
            "run": lambda app, **knobs: write(place, **knobs),
            "code": functools.partial(code, models),
            "table": model_table(models, reasons, elsewhere),
        }


def _knobs(models: Sequence[LanguageModel], first: str) -> list[Knob]:
    names = [model.name for model in models]
    seedless = any(model.server and not model.seed for model in models)
    return [
        Knob("prompt", "A question, or a beginning", "text", EXAMPLE, high=LONGEST),
        Knob("model", "Model", "choice", first, options=names),
        Knob(
            "form",
            "Read as",
            "choice",
            QUESTION,
            options=[*FORMS],
            names=FORMS,
            info="A question is put into the chat template, a beginning is written on as it stands",
        ),
        Knob("tokens", "Tokens, at most", "whole", 100, 1, MOST_TOKENS),
        control(TEMPERATURE, ID, default=0.7),
        Knob("seed", "Seed", "seed", 1, info="Not every server takes one" if seedless else None),
        control(TOP_P, ID),
    ]


# --- a run ----------------------------------------------------------------------------------------


def asked_of(knobs: Mapping[str, Any]) -> Asked:
    """What the knobs ask. Raises KnobError."""
    names = ("tokens", "temperature", "top_p", "seed")
    chat = knobs["form"] == FORMS[QUESTION]
    return Asked(knobs["prompt"], chat, **{name: knobs[name] for name in names})


def write(place: TextServer, *, model: str, **knobs: Any) -> Iterator[Progress | AnswerValue]:
    """Yields the answer while it grows, then whole."""
    asked = asked_of(knobs)
    with contextlib.closing(place.write(model, asked, known_by())) as run:
        answer = yield from growing(run, asked)
    yield complete(answer, asked, place.models[model], device_title(place.device))


def growing(
    run: Generator[Progress, None, Answer], asked: Asked
) -> Generator[Progress | AnswerValue, None, Answer]:
    """The progress of a run, and now and then the text so far; returns the answer."""
    tokens: list[Token] = []
    told, seen = 0.0, None
    while True:
        try:
            progress = next(run)
        except StopIteration as end:
            return end.value
        if not isinstance(progress, Written):
            yield progress
            continue
        if progress is not seen:  # it may come again while nothing new does
            tokens += progress.tokens
            seen = progress
        yield Progress(WRITING, progress.done, progress.total)
        if time.perf_counter() - told > UPDATE_SECONDS:
            yield AnswerValue(
                **shown(tokens, whole=False),
                asked=asked.text,
                provenance=f"{progress.done} of at most {progress.total} tokens",
            )
            told = time.perf_counter()


def shown(tokens: Sequence[Token], whole: bool) -> dict[str, Any]:
    """What `AnswerValue` takes of a text; before it is whole, candidates of its last token
    alone."""
    fields = {
        "tokens": [token.text for token in tokens],
        "kinds": [token.kind for token in tokens],
        "begun": 0,
        "bits": [],
        "candidates": {},
        "written": {},
        "whole": whole,
    }
    if not tokens or any(token.bits is None for token in tokens):
        return fields | {"plain": NO_TOKENS if tokens else NO_WORD}
    first = 0 if whole else len(tokens) - 1
    told = {str(place): token.candidates for place, token in enumerate(tokens) if place >= first}
    return fields | {
        "bits": [round(token.bits, 2) for token in tokens],
        "candidates": {place: [row(one) for one in rows] for place, rows in told.items()},
        "written": {str(one.kind): one.text for rows in told.values() for one in rows},
    }


def row(candidate: Candidate) -> list[int]:
    """As `TokenTextValue` has it, the last number left out where nobody tells."""
    shares = (candidate.p, candidate.drawn)
    return [candidate.kind, *(round(WHOLE * share) for share in shares if share is not None)]


def complete(answer: Answer, asked: Asked, model: LanguageModel, device: str) -> AnswerValue:
    """The answer with all that there is to say of it."""
    count = answer.count
    told = f"{count} token{'s' if count != 1 else ''}" if answer.told else "a text"
    return AnswerValue(
        **shown(answer.tokens, whole=True),
        asked=asked.text,
        read=answer.read,
        about=SENT if model.server else READ_HERE,
        caption=caption(answer),
        provenance=f"{model.name} · {told} in {duration(answer.seconds)} · "
        f"{'another server' if model.server else device}",
        name=f"answer-{asked.seed}",
    )


def caption(answer: Answer) -> str:
    """How it came to its end, and how surprising it was."""
    said = []
    if answer.told and answer.tokens:
        bits = sum(token.bits for token in answer.tokens) / len(answer.tokens)
        said.append(f"{bits:.2f} bits per token, as the network sees it.")
    if answer.end:
        said.append(f"It ended with the token {answer.end}, which is not shown.")
    elif answer.cut:
        said.append("It was cut off: it had written as many tokens as it may.")
    return " ".join(said)


# --- the code -------------------------------------------------------------------------------------


def code(models: Sequence[LanguageModel], knobs: Mapping[str, Any]) -> str:
    """The lines that write the same."""
    model = next(model for model in models if model.name == knobs["model"])
    asked = asked_of(knobs)
    return script(*(_of_server(model, asked) if model.server else _of_machine(model, asked)))


def _of_machine(model: LanguageModel, asked: Asked) -> list[str]:
    own = Path(model.repository).is_dir()  # where it lies on this server is nobody's business
    source = Path(model.repository).name if own else model.repository
    options = {
        name: getattr(asked, name) for name in ("chat", "tokens", "temperature", "top_p", "seed")
    }
    return [
        f"model = opened({source!r}, pick_device(), {model.half!r})",
        "asked = Asked(",
        f"    {asked.text!r},",
        *(f"    {name}={value!r}," for name, value in options.items()),
        ")",
        "answer = write(model, asked)",
        "print(answer.read)  # what the model really reads",
        "print(answer.text)",
    ]


def _of_server(model: LanguageModel, asked: Asked) -> list[str]:
    sent = request_of(model, asked) | {"stream": False}
    return [
        "answer = post(",
        f'    environ["{ADDRESS}{model.server}"] + "{PATH}",',
        f'    headers={{"Authorization": "Bearer " + environ["{KEY}{model.server}"]}},',
        "    json={",
        *(f"        {name!r}: {value!r}," for name, value in sent.items()),
        "    },",
        "    timeout=60,",
        ")",
        'print(answer.json()["choices"][0]["message"]["content"])',
    ]


PANEL = LargerModels(
    tab=ID,
    id="larger",
    title="A large one by name",
    button="Write",
    text=LARGER,
    run=write,
    calls=writer.write,
    screen=AnswerCard,
    shows="An answer, token by token",
    none_allowed=NONE_ALLOWED,
    none_runs=NONE_RUNS,
    example=None,
    own_process=True,
    at_home=True,
)
