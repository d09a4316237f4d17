"""Eight seeds: which things a prompt names, where they were looked for, and which are found."""

from __future__ import annotations

from urllib.parse import parse_qs

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from demos.page.handlers import App
from demos.tabs import text_to_image
from demos.tabs.text_to_image import generate, seeds, things
from gen_core import Noise, final
from gen_core.data.emoji import concepts
from gen_core.data.emoji.captions import FAULT_WORDS, LIGHT_WORDS, MEDIUM_WORDS, PLACE_WORDS
from gen_core.data.emoji.things import things_in
from gen_core.sampling import pixels
from sampling_fixtures import defaults, picture, values
from serving import page_of

PROMPT = "a dog and a fox, on red"


@pytest.fixture
def app(emoji_home, monkeypatch) -> App:
    monkeypatch.setenv("GEN_WEIGHTS", str(emoji_home / "weights"))
    return App("cpu")


def finds(monkeypatch: pytest.MonkeyPatch, *found: tuple[bool, bool]) -> None:
    """Lets the classifier find so much in the pictures."""
    monkeypatch.setattr(things, "relation_found", lambda *_: [("above", two) for two in found])


# --- the things -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a yellow dog next to a red rocket, at sunset", ["dog", "rocket"]),
        ("Palm  trees, and a TREE", ["palm tree", "tree"]),
        ("three t-rex and two puppies", ["t-rex", "dog"]),
        ("a pencil sketch of a pencil", ["pencil"]),
        ("a dogma, a catfish", []),
        ("", []),
    ],
)
def test_a_thing_is_what_is_called_so(text, named):
    found = things_in(text)
    assert [concepts()[thing.concept].name for thing in found] == named
    assert all(text[thing.start : thing.end].strip() for thing in found)


@pytest.mark.parametrize("table", [FAULT_WORDS, LIGHT_WORDS, MEDIUM_WORDS, PLACE_WORDS])
def test_what_else_captions_say_names_no_thing(table):
    assert not [words for some in table.values() for words in some if things_in(words)]


def test_a_thing_s_tokens_are_found_where_the_model_reads_them(app):
    tokenizer = app.model(generate.MODEL).pipeline.tokenizer
    first, second = things.named(tokenizer, "a zebrafish t-rex and a second t-rex")
    assert first.name == second.name == "t-rex"
    assert first.places and second.places and first.places[-1] < second.places[0]
    pieces = tokenizer("a 🐼", padding=False).input_ids
    (panda,) = things.named(tokenizer, "a 🐼")
    assert panda.name == "panda" and len(pieces) > 2
    (late,) = things.named(tokenizer, "very " * 40 + "late dog")
    assert late.places is None and not seeds.heat_of(late, torch.rand(1, 32, 8, 8)).any()


# --- the panel ------------------------------------------------------------------------------------


def test_the_best_seed_comes_first(app, monkeypatch):
    finds(monkeypatch, (True, False), (True, True), (False, False))
    knobs = defaults(seeds.PANEL, prompt=PROMPT, count=3, seed=5, steps=2)
    (value,) = values(seeds.PANEL.run(app, **knobs))
    assert value["columns"] == ["seed 6", "seed 5", "seed 7"]
    pictures, dog, fox = value["rows"]
    assert [cell["note"] for cell in dog["cells"]] == [seeds.FOUND, seeds.FOUND, seeds.MISSING]
    assert [cell["note"] for cell in fox["cells"]] == [seeds.FOUND, seeds.MISSING, seeds.MISSING]
    assert "finds both things in 1 of 3 pictures" in value["caption"]
    x = final(app.model(generate.MODEL).sample(Noise([6]), prompt=PROMPT, steps=2))
    shown = picture(pictures["cells"][0]["picture"]).astype(int)
    assert abs(shown - pixels(x)[0]).max() <= 1  # watching the attention rounds elsewhere
    lit = picture(dog["cells"][0]["picture"]).astype(int)
    assert (lit <= shown).all() and (lit >= np.floor(seeds.DIMMED * shown)).all()


def test_of_equally_many_things_the_better_fit_comes_first(app):
    knobs = defaults(seeds.PANEL, prompt="on red", count=4, steps=1)
    (value,) = values(seeds.PANEL.run(app, **knobs))
    fits = [float(cell["note"]) for cell in value["rows"][0]["cells"]]
    assert fits == sorted(fits, reverse=True) and len(value["rows"]) == 1
    assert "names none of the 300 things" in value["caption"]
    assert "Diversity" in value["caption"]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([(True, True)] * 2, "both things in all 2 pictures"),
        ([(True, False), (False, False)], "in none of 2 pictures; the first one lacks fox"),
    ],
)
def test_the_caption_says_what_is_missing(found, said):
    both = [things.Thing(name, 0, [1]) for name in ("dog", "fox")]
    assert said in seeds.said_of(both, found)


def test_a_picture_of_two_things_that_lacks_one_offers_eight_seeds(app, monkeypatch):
    knobs = defaults(generate.PANEL, prompt="a dog & a <b>fox</b>", count=2, steps=1)
    finds(monkeypatch, (True, True), (True, False))
    *_, value = values(generate.PANEL.run(app, **knobs))
    offer = value["offer"]
    assert offer["says"] == "The classifier finds both dog and fox in 1 of 2."
    asked = {"tab": ["text-to-image"], "panel": ["seeds"], "prompt": [knobs["prompt"]]}
    assert parse_qs(offer["query"].removeprefix("?")) == asked
    finds(monkeypatch, (True, True), (True, True))
    *_, value = values(generate.PANEL.run(app, **knobs))
    assert value["offer"] is None
    *_, value = values(generate.PANEL.run(app, **knobs | {"prompt": "a dog"}))
    assert value["offer"] is None


@pytest.mark.browser
def test_the_offer_leads_to_the_panel_with_the_prompt(emoji_home, visit):
    """An untrained model draws neither of two things."""
    with page_of(text_to_image.TAB, weights=emoji_home / "weights") as address:
        asked = "prompt=a+dog+and+a+%3Cb%3Efox%3C%2Fb%3E&steps=1&count=1"
        page = visit(f"{address}?tab=text-to-image&panel=generate&{asked}")  # which runs it
        page.get_by_role("link", name="Draw eight seeds").click()
        prompt = page.locator("#text-to-image-seeds-prompt textarea")
        expect(prompt).to_have_value("a dog and a <b>fox</b>")
        page.close()  # before the server goes


@pytest.mark.parametrize("prompt", ["a 🐼 and a fox", "a dog", "on red"])
def test_the_printed_lines_sort_as_the_panel_does(app, prompt):
    knobs = defaults(seeds.PANEL, prompt=prompt, count=3, steps=1)
    (value,) = values(seeds.PANEL.run(app, **knobs))
    scope: dict = {}
    exec(seeds.code(knobs), scope)
    assert value["columns"] == [f"seed {k}" for k in scope["best"]]


def test_without_the_classifier_pictures_are_drawn_and_nothing_is_offered(app, own_weights):
    (own_weights / "judge.safetensors").unlink()
    *_, value = values(generate.PANEL.run(app, **defaults(generate.PANEL, prompt=PROMPT, steps=1)))
    assert value["offer"] is None and value["lanes"]
