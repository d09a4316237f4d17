"""The Text to image tab: what its panels compute, print, refuse and show in a browser."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator

import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import expect

from demos.page.handlers import App
from demos.page.tab import discover
from demos.tabs import text_to_image
from demos.tabs.text_to_image import compare, generate
from demos.tabs.text_to_image.generate import LISTS, built, strange_to_the_model
from gen_core import Noise, final
from gen_core.families.text_to_image.tokens import unknown_words
from gen_core.knobs import KnobError
from gen_core.sampling import pixels
from sampling_fixtures import defaults, frames_of, picture, values
from serving import page_of


@pytest.fixture
def app(weights, monkeypatch) -> App:
    monkeypatch.setenv("GEN_WEIGHTS", str(weights))
    return App("cpu")


def test_the_tab_is_there_where_its_weights_are(weights, tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_WEIGHTS", str(weights))
    assert text_to_image.TAB in discover()
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    assert text_to_image.TAB not in discover() and len(discover()) >= 5


def test_the_timeline_ends_in_the_model_s_own_picture(app):
    knobs = defaults(generate.PANEL, steps=3, count=2, seed=4, prompt="a red cat")
    *_, value = values(generate.PANEL.run(app, **knobs))
    model = app.model(generate.MODEL)
    drawn = final(model.sample(Noise([4, 5]), prompt="a red cat", steps=3, guidance_scale=3.0))
    state, guess, latents = (frames_of(lane) for lane in value["lanes"])
    assert value["steps"] == [0, 1, 2, 3] and len(latents) == 4
    expected = pixels(drawn).astype(int)
    assert abs(state[-1] - expected).max() <= 1  # watching the attention rounds elsewhere
    assert np.array_equal(guess[-1], state[-1])


def test_every_word_has_its_heat_at_every_step(app):
    knobs = defaults(generate.PANEL, steps=3, count=2, prompt="a zebrafish, on red!")
    *_, value = values(generate.PANEL.run(app, **knobs))
    words = value["words"]
    assert words["words"] == ["a", "zebrafish", "on", "red"]
    assert words["lanes"] == [lane["title"] for lane in value["lanes"][:2]]
    sheet = picture(words["sheet"])
    assert sheet.shape == (4 * 2 * words["side"], 4 * words["side"]) and sheet.max() == 255
    *_, value = values(generate.PANEL.run(app, **defaults(generate.PANEL, steps=1, prompt="")))
    assert value["words"] is None


@pytest.mark.parametrize("what", compare.COLUMNS)
def test_the_table_changes_one_thing(app, what, monkeypatch):
    knob, columns = compare.COLUMNS[what]
    few = dict(list(columns.items())[:2])
    monkeypatch.setitem(compare.COLUMNS, what, (knob, few))
    monkeypatch.setitem(compare.USUAL, "steps", 2)
    panel = compare.CHANGE_PANEL
    *_, value = values(panel.run(app, **defaults(panel, change=what, count=2)))
    assert value["columns"] == list(few.values()) and len(value["rows"]) == 2
    model, at = app.model(generate.MODEL), list(few)[1]
    knobs = compare.USUAL | {knob: at, "prompt": generate.EXAMPLE}
    alone = final(model.sample(Noise([1]), **knobs))
    shown = picture(value["rows"][1]["cells"][1]["picture"])
    assert abs(shown.astype(int) - pixels(alone)[0]).max() <= 1


def test_the_machine_shows_its_tokens_and_every_step_in_its_parts(app):
    knobs = defaults(generate.INSIDE_PANEL, steps=3, seed=4, prompt="a zebrafish on red")
    *_, value = values(generate.INSIDE_PANEL.run(app, **knobs))
    encoder, denoiser, decoder = value["parts"]
    pieces, ids = encoder["tokens"]["pieces"], encoder["tokens"]["ids"]
    tokenizer = app.model(generate.MODEL).pipeline.tokenizer
    assert pieces[0] == "‹start›" and pieces[-1] == "‹end›" and "".join(pieces[2:-3]) == "zebrafish"
    assert tokenizer.decode(ids[1:-1]).strip() == "a zebrafish on red"
    assert picture(encoder["tokens"]["sheet"]).shape == (len(ids), 32, 3)
    shown = {lane["title"]: frames_of(lane) for lane in value["lanes"]}
    assert sorted(denoiser["lanes"] + decoder["lanes"]) == sorted(shown)
    assert denoiser["words"] and value["words"]["words"] == ["a", "zebrafish", "on", "red"]
    # The four channels side by side: the first lies top left.
    noise = pixels(Noise([4]).randn(4, 16, 16)[:, :1] / 3)[0]
    first = shown["The four latents"][0][0][:16, :16]
    assert abs(first.astype(int) - noise).max() <= 1
    model = app.model(generate.MODEL)
    drawn = final(model.sample(Noise([4]), prompt=knobs["prompt"], steps=3))
    assert abs(shown["Picture so far"][-1].astype(int) - pixels(drawn)).max() <= 1


def test_two_prompts_start_from_the_same_noise(app):
    knobs = defaults(compare.TWO_PANEL, steps=2, count=2, prompt="a cat", other_prompt="a cat")
    *_, value = values(compare.TWO_PANEL.run(app, **knobs))
    first, second = ([picture(c["picture"]) for c in row["cells"]] for row in value["rows"])
    assert np.array_equal(first, second) and not np.array_equal(first[0], first[1])
    *_, value = values(compare.TWO_PANEL.run(app, **(knobs | {"other_prompt": "a <b>dog</b>"})))
    changed = [picture(c["picture"]) for c in value["rows"][1]["cells"]]
    assert not np.array_equal(first, changed)
    assert value["rows"][1]["words"] == [["a", False], ["<b>dog</b>", True]]


def test_words_that_differ_are_told_from_those_that_stay():
    left, right = compare.differing("a red cat on teal", "a cat on  deep blue")
    assert left == [("a", False), ("red", True), ("cat on", False), ("teal", True)]
    assert right == [("a", False), ("cat on", False), ("deep blue", True)]
    assert compare.differing("", "") == [[], []]


DRAWING = [panel for panel in text_to_image.TAB.panels if panel.models and panel.generates]


@pytest.mark.parametrize("panel", DRAWING, ids=lambda panel: panel.id)
def test_the_printed_lines_run(app, panel, monkeypatch):
    monkeypatch.setitem(compare.COLUMNS, "Guidance", ("guidance_scale", {1.0: "1"}))
    monkeypatch.setitem(compare.USUAL, "steps", 1)
    changes = {"steps": 1, "count": 1, "prompt": "say 'cat' \\ \"dog\""}
    scope: dict = {}
    _, sources = panel.declared(app)
    exec(textwrap.dedent(panel.code(*sources, defaults(panel, **changes))), scope)
    assert scope["model"].name == "text-to-image"


def test_a_built_prompt_is_in_words_that_the_model_knows():
    first = [choices[0] for _, choices in LISTS.values()]
    last = [choices[-1] for _, choices in LISTS.values()]
    assert built(*first) == "a cat"
    assert built(*last).endswith("fog, sharp, high quality") and not unknown_words(built(*last))
    with pytest.raises(KnobError, match="'<b>': choose one of cat, dog"):
        built("<b>", *first[1:])


def test_strange_words_are_told_with_known_ones():
    told = strange_to_the_model("a purpel cat")["words"]
    assert told == [{"start": 2, "end": 8, "word": "purpel", "nearest": told[0]["nearest"]}]
    assert told[0]["nearest"][0] == "purple"
    assert strange_to_the_model(None)["words"] == strange_to_the_model("a cat")["words"] == []


PROMPTS = {
    "nothing": "",
    "spaces": "  \n\t ",
    "markup": "<script>parent.hacked = 1</script><img src=x>",
    "emoji": "🐱‍👤🏳️‍🌈 😀" * 20,
    "control": "a\x00\x07\x1b[31m\ufeff",
    "right to left": "قطة حمراء \u202e על רקע",
    "lone surrogate": "a \ud83d cat",
    "markers": "<|endoftext|> a cat <|startoftext|>",
    "long": "a cat " * 300,
    "one long word": "ö" * 1900,
}


@pytest.fixture(scope="module")
def one_app(weights) -> Iterator[App]:
    """An app that loads its model once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_WEIGHTS", str(weights))
        yield App("cpu")


@pytest.mark.parametrize(
    "panel",
    [generate.PANEL, generate.INSIDE_PANEL, compare.TWO_PANEL],
    ids=lambda p: p.id,
)
@pytest.mark.parametrize("kind", PROMPTS)
@pytest.mark.heavy
def test_prompts_of_any_kind_give_a_picture(one_app, panel, kind):
    knobs = defaults(panel, prompt=PROMPTS[kind], steps=1, count=1)
    *_, value = values(panel.run(one_app, **knobs))
    assert json.loads(json.dumps(value)) == value
    strange_to_the_model(PROMPTS[kind])
    compile(textwrap.dedent(panel.code(knobs)), "printed", "exec")


@pytest.fixture(scope="module")
def address(weights) -> Iterator[str]:
    with page_of(text_to_image.TAB, weights=weights) as address:
        yield address


@pytest.fixture(scope="module")
def client(address) -> Client:
    return Client(address, verbose=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompt": "x" * 10_000}, "prompt has 10,000 characters: write at most 2,000"),
        ({"prompt": None}, "prompt=None: write some text"),
        ({"negative_prompt": 7}, "negative_prompt=7: write some text"),
        ({"sampler": "<b>Euler</b>"}, "choose one of DPM-Solver"),
        ({"guidance_scale": 31}, "guidance_scale=31: choose a number from 1 to 30"),
        ({"steps": 2.5}, "steps=2.5: choose a whole number from 1 to 60"),
    ],
)
@pytest.mark.heavy
def test_the_api_refuses_in_plain_words(client, change, message):
    knobs = {k.linked: k.default for k in generate.PANEL.knobs} | {"steps": 1, "count": 1}
    with pytest.raises(AppError, match=re.escape(message).replace("<", "&lt;")):
        client.predict(**(knobs | change), api_name="/text_to_image_generate")
    value = client.predict(**knobs, api_name="/text_to_image_generate")
    assert value["steps"] == [0, 1], "and the app goes on"


@pytest.mark.browser
def test_type_generate_scrub_and_hover_a_word(visit, address):
    page = visit(address)
    box = page.locator("#text-to-image-generate-prompt textarea")
    box.fill("a tiny elefant <b>on</b> red")
    page.get_by_role("button", name="elephant", exact=True).click()
    expect(box).to_have_value("a tiny elephant <b>on</b> red")
    page.get_by_role("button", name="Generate").click()
    chip = page.locator(".timeline-words button", has_text="elephant")
    expect(chip).to_be_visible()
    canvas = page.locator(".timeline-lane canvas").first
    plain = canvas.evaluate("node => node.toDataURL()")
    chip.hover()
    page.wait_for_function(
        "before => document.querySelector('.timeline-lane canvas').toDataURL() !== before",
        arg=plain,
    )


@pytest.mark.browser
def test_the_machine_opens_in_place_and_two_prompts_are_marked(visit, address):
    page = visit(f"{address}?tab=text-to-image&panel=inside")
    bar = page.locator(".panels > .tab-wrapper:visible").first.bounding_box()
    tools = page.locator(".tab-tools:visible").first.bounding_box()
    assert bar["x"] + bar["width"] <= tools["x"], "the panels' names run under the tools"
    page.get_by_role("button", name="Look inside").click()
    denoiser = page.locator(".part", has_text="Denoiser")
    expect(page.locator(".part")).to_have_count(3)
    expect(page.locator("#text-to-image-inside .card-live")).to_contain_text("evaluations")
    expect(denoiser.locator("figcaption:visible")).to_have_text(["The four latents"])
    denoiser.get_by_role("button", name="Denoiser").click()
    expect(denoiser.locator("figcaption:visible")).to_have_count(3)
    latents = denoiser.locator("canvas").first
    before = latents.evaluate("node => node.toDataURL()")
    page.locator(".timeline-track:visible").press("Home")
    page.wait_for_function(
        "before => document.querySelector('.part-lanes canvas').toDataURL() !== before", arg=before
    )
    page.get_by_role("tab", name="Two prompts").click()
    page.locator("#text-to-image-two-other_prompt textarea").fill("a <i>blue</i> cat")
    page.get_by_role("button", name="Compare").and_(page.locator(":visible")).click()
    expect(page.locator(".labelled-grid mark", has_text="<i>blue</i>")).to_be_visible()


@pytest.mark.browser
def test_on_a_phone_the_names_of_the_panels_are_whole(visit, address):
    page = visit(address, viewport={"width": 390, "height": 844})
    names = page.locator(".panels > .tab-wrapper button[role=tab]:visible")
    expect(names.last).to_have_text("Was it made here?")
    wide = "nodes => nodes.filter(n => n.scrollWidth > n.clientWidth).map(n => n.textContent)"
    assert names.evaluate_all(wide) == []
