"""The things that a prompt names, and whether the classifier finds them in the pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from torch import Tensor

from demos.page.handlers import App
from demos.tabs.text_to_image.beside import classifier
from demos.widgets.timeline import Offer
from gen_core.classifiers.emoji import relation_found, thing_found
from gen_core.data.emoji.reading import as_read
from gen_core.data.emoji.things import things_in
from gen_core.training.checkpoint import CheckpointError

TAB_ID, SEEDS_ID = "text-to-image", "seeds"
"""The panel that draws several seeds and sorts them."""


@dataclass(frozen=True)
class Thing:
    """One that the prompt names."""

    name: str
    """In the prompt's words."""
    concept: int
    places: list[int] | None
    """Of its tokens; None where the prompt was cut off before it."""


def named(tokenizer: Any, prompt: str) -> list[Thing]:
    """The first two things that a prompt names: of more, the classifier cannot tell the places."""
    from gen_core.families.text_to_image.tokens import words_of  # heavy, and only for this tab

    prompt = as_read(prompt)[0]
    words, begin, things = words_of(tokenizer, prompt), 0, []
    for thing in things_in(prompt)[:2]:
        name = " ".join(prompt[thing.start : thing.end].split())
        first, places = places_of(words, name, begin)
        begin = first + 1 if places else begin
        things.append(Thing(name, thing.concept, places))
    return things


def places_of(
    words: Sequence[tuple[str, list[int]]], name: str, begin: int
) -> tuple[int, list[int] | None]:
    """The first of the words from `begin` on that make up a name, and the places of its tokens;
    None where the words do not hold it."""
    wanted = name.lower().replace(" ", "")
    for first in range(begin, len(words)):
        text, places = "", []
        for word, own in words[first:]:
            text, places = text + word.lower(), places + own
            if text == wanted:
                return first, places
            if not wanted.startswith(text):
                break
    return begin, None


def found_in(app: App, x: Tensor, things: Sequence[Thing]) -> list[tuple[bool, ...]]:
    """For each picture (B, 3, 64, 64) which of the things are in it, as the classifier sees it."""
    concepts = [thing.concept for thing in things]
    if not concepts:
        return [()] * len(x)
    judge = classifier(app.device)
    x = x.to(judge.device)
    if len(concepts) == 1:
        return [(there,) for there in thing_found(judge, x, *concepts)]
    return [there for _, there in relation_found(judge, x, [tuple(concepts)] * len(x))]


def offer(app: App, tokenizer: Any, prompt: str, x: Tensor) -> Offer | None:
    """Several seeds, where one of two things is missing in a picture."""
    things = named(tokenizer, prompt)
    if len(things) < 2:
        return None
    try:
        found = found_in(app, x, things)
    except CheckpointError:  # the pictures are there without what judges them
        return None
    whole, count = sum(map(all, found)), len(x)
    if whole == count:
        return None
    both = " and ".join(thing.name for thing in things)
    asked = {"tab": TAB_ID, "panel": SEEDS_ID, "prompt": prompt}
    return Offer(
        f"The classifier finds both {both} in {whole or 'none'} of {count}.",
        "Draw eight seeds, the best first",
        f"?{urlencode(asked)}",
    )
