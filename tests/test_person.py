"""Asking diffusion and flow matching for a person: wishes as text, the chooser, the people drawn,
and what the judge counts."""

from __future__ import annotations

import math
from dataclasses import replace

import gradio as gr
import numpy as np
import pytest
import torch

from conftest import answer_of, told_by
from demos.page.examples import example, write
from demos.page.handlers import App
from demos.sampling import attributes as panel
from demos.sampling.attributes import NEAR, counts, seen, shown
from demos.tabs import diffusion, flow
from demos.widgets import attribute_picker
from demos.widgets.attribute_picker import (
    TOGETHER,
    AttributeKnob,
    AttributePicker,
    never_together,
    parse_attributes,
    written,
)
from gen_core import Noise, final
from gen_core.conditions import Attributes
from gen_core.data import SCHEMAS
from gen_core.data.avatars import Avatar, portrait, random_avatar
from gen_core.data.avatars.schema import CATEGORICAL, CONTINUOUS, hidden
from gen_core.data.splits import AVATARS
from gen_core.families.diffusion import Diffusion
from gen_core.families.flow import Flow
from gen_core.knobs import KnobError
from gen_core.sampling import pixels
from person_fixtures import write_people
from sampling_fixtures import frames_of, values, write_weights

PEOPLE = [diffusion.person, flow.person]
FIRST = {Diffusion: "dpm++2m", Flow: "euler"}
QUICK = {"steps": 3, "guidance_scale": 2.0, "count": 2, "seed": 5}


@pytest.fixture
def app(tmp_path, monkeypatch) -> App:
    write_people(tmp_path)
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    return App("cpu")


def drawn(app: App, person: panel.AttributeGeneration, wish: str, **knobs) -> list[dict]:
    asked = {
        "wish": parse_attributes(wish),
        "solver": FIRST[person.family.family],
        **QUICK,
        **knobs,
    }
    return values(person.draw(app, **asked))


# --- a wish as text -------------------------------------------------------------------------------


def test_a_wish_survives_its_text_and_is_one_that_models_take():
    wish = parse_attributes("hat:cap;smile:0.8;hair_colour:pink")
    assert wish == {"hat": "cap", "smile": 0.8, "hair_colour": "pink"}
    assert written(wish) == "hat:cap;smile:0.8;hair_colour:pink"
    assert parse_attributes("") == {}
    assert (
        AttributeKnob("wish", "Attributes", "wish", "").from_text("hat:cap;age:1.0")
        == "hat:cap;age:1"
    )
    Attributes(SCHEMAS["avatars"]).encode(wish, 2)  # or KnobError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "wish=None: takes attributes and values"),
        (7, "wish=7: takes attributes and values"),
        (math.nan, "wish=nan: takes attributes and values"),
        ("wig:red", "attribute='wig': choose one of face, skin, hair"),
        ("hat", "hat='': choose one of none, cap"),
        ("hat:crown", "hat='crown': choose one of none, cap"),
        ("hat:cap;hat:none", "hat is asked for twice: choose one value"),
        ("smile:2", "smile=2: choose a number from -1 to 1"),
        ("age:-0.5", "age=-0.5: choose a number from 0 to 1"),
        ("smile:nan", "smile=nan: choose a number from -1 to 1"),
        ("smile:wide", "smile='wide': choose a number from -1 to 1"),
        ("hat:cap;" * 200, "of at most 1000 characters"),
    ],
)
def test_what_is_no_wish_gets_a_message(text, message):
    with pytest.raises(KnobError, match=message):
        parse_attributes(text)


# --- the chooser ----------------------------------------------------------------------------------


def test_every_attribute_that_models_know_can_be_chosen_once():
    groups = AttributePicker().describe()["groups"]
    fields = [field for group in groups for field in group["fields"]]
    assert sorted(field["name"] for field in fields) == sorted([*CATEGORICAL, *CONTINUOUS])
    for field in fields:
        if field["kind"] == "measure":
            for end in (field["low"], field["high"]):
                assert parse_attributes(f"{field['name']}:{end}") == {field["name"]: end}
        else:
            assert tuple(field["options"]) == CATEGORICAL[field["name"]]


def test_the_person_drawn_is_as_asked_for_and_plain_in_the_rest():
    answer = AttributePicker().draw("hat:cap;smile:0.8")
    expected = portrait(Avatar(hat="cap", smile=0.8), attribute_picker.SIDE)
    assert np.array_equal(answer.picture, expected)
    assert (answer.asked, answer.all, answer.never) == (2, 23, [])


def test_a_combination_that_training_left_out_is_told():
    assert never_together(parse_attributes("hair:afro;hair_colour:blond")) == [
        "hair: afro together with hair colour: blond"
    ]
    both = AttributePicker().draw("glasses:round;hat:turban;beard:goatee").never
    assert both == [
        "beard: goatee together with glasses: round",
        "hat: turban together with glasses: round",
    ]
    assert never_together({"hair": "afro"}) == never_together({}) == []


def test_the_button_picks_every_such_combination_and_shows_it():
    met = set()
    for number in range(len(TOGETHER)):
        wish = parse_attributes(AttributePicker().unseen(number)["wish"])
        met.update(never_together(wish))
        assert not hidden(Avatar(**wish)) & {
            name for pair in TOGETHER for name, _ in pair if dict(pair).items() <= wish.items()
        }
    assert len(met) == len(TOGETHER) == 23


def test_somebody_is_all_that_can_be_seen_of_a_person_from_beyond_training():
    wish = parse_attributes(AttributePicker().somebody(3)["wish"])
    avatar = random_avatar(AVATARS["asked"][3])
    assert wish.keys() == {*CATEGORICAL, *CONTINUOUS} - hidden(avatar)
    for name, value in wish.items():
        asked = getattr(avatar, name)
        assert value == (asked if name in CATEGORICAL else pytest.approx(asked, abs=0.0251))
    assert never_together(wish) == []


@pytest.mark.parametrize("number", [-1, 1_000_000, 1.5, None, "many", math.nan])
@pytest.mark.parametrize("what", ["somebody", "unseen"])
def test_a_number_that_is_nobody_is_refused(what, number):
    answer = answer_of(App("cpu").serve(getattr(AttributePicker(), what)), number)
    assert "choose a whole number from 0 to 999999" in answer["error"]


# --- the people -----------------------------------------------------------------------------------


@pytest.mark.parametrize("person", PEOPLE, ids=lambda p: p.family.tab)
def test_the_timeline_ends_with_what_the_model_draws_when_asked(app, person):
    first, *_, value = drawn(app, person, "hat:cap;smile:0.8")
    x = final(
        app.model(person.family.model).sample(
            Noise([5, 6]), label={"hat": "cap", "smile": 0.8}, steps=3, guidance_scale=2.0
        )
    )
    assert [lane["title"] for lane in value["lanes"]] == [t for t, _ in person.family.lanes]
    assert np.array_equal(frames_of(value["lanes"][0])[-1], pixels(x))
    assert first["steps"] == [0] and "step 0 of 3 so far" in first["provenance"]
    assert value["steps"] == [0, 1, 2, 3] and value["live"]
    assert " 6 network evaluations per picture" in value["provenance"]


def test_a_wish_changes_the_people_and_asking_for_nothing_is_not_asking(app):
    person = diffusion.person
    (*_, cap), (*_, anybody) = drawn(app, person, "hat:cap"), drawn(app, person, "")
    assert cap["lanes"][0]["sheet"] != anybody["lanes"][0]["sheet"]
    assert " 3 network evaluations per picture" in anybody["provenance"]  # no wish, no guidance
    assert "seen" not in anybody and anybody["curves"] == []


def test_many_steps_keep_a_short_timeline_and_as_many_guesses(app):
    *_, value = drawn(app, flow.person, "hat:cap", steps=30, count=1)
    assert value["steps"][0] == 0 and value["steps"][-1] == 30
    assert 8 <= len(value["steps"]) <= panel.FRAMES + 1
    assert value["curves"][0]["at"] == value["steps"]


@pytest.mark.parametrize("person", PEOPLE, ids=lambda p: p.family.tab)
def test_the_printed_lines_draw_the_same_and_count_the_same(app, person, capsys):
    knobs = {
        "wish": parse_attributes("hat:cap;smile:0.8"),
        "solver": FIRST[person.family.family],
        **QUICK,
    }
    scope: dict = {}
    exec(person.code(knobs), scope)
    *_, value = values(person.draw(app, **knobs))
    assert np.array_equal(pixels(scope["x"]), frames_of(value["lanes"][0])[-1])
    told = value["seen"]
    expected = [f"{words.replace(':', '')}: {count}" for words, count in told["rows"]]
    everything = f"all of it: {told['headline'].split()[0]}"
    assert capsys.readouterr().out.strip().splitlines() == [*expected, everything]


def test_the_printed_lines_leave_out_what_the_wish_itself_hides(app, capsys):
    wish = parse_attributes("hat:turban;hair:afro")
    exec(flow.person.code({"wish": wish, "solver": "euler", **QUICK}), {})
    said = capsys.readouterr().out
    assert "hat turban: " in said and "afro" not in said


# --- what the judge counts ------------------------------------------------------------------------


class Oracle:
    """A judge that is always right about the people on the pictures it is told of."""

    device = torch.device("cpu")

    def __init__(self, people: list[Avatar]) -> None:
        self.people = people

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def answers(self, x: torch.Tensor) -> tuple[dict, torch.Tensor]:
        logits = {
            name: torch.stack(
                [torch.eye(len(options))[options.index(getattr(one, name))] for one in self.people]
            )
            for name, options in CATEGORICAL.items()
        }
        numbers = [[getattr(one, name) for name in CONTINUOUS] for one in self.people]
        return logits, torch.tensor(numbers)


def test_who_shows_what_was_asked_is_counted_by_attribute_and_all_together():
    people = [
        Avatar(hat="cap", smile=0.8),
        Avatar(hat="cap", smile=0.8 - NEAR + 0.01),
        Avatar(hat="beanie", smile=0.8),
        Avatar(hat="cap", smile=-1.0),
    ]
    told = shown(Oracle(people), torch.zeros(4, 3, 64, 64), {"hat": "cap", "smile": 0.8})
    assert counts(told) == ({"hat": 3, "smile": 3}, 2)


def test_what_another_wish_hides_is_not_counted(app):
    *_, value = drawn(app, flow.person, "hat:turban;hair:afro")
    rows = dict(value["seen"]["rows"])
    assert rows["hair: afro"] == "hidden by another attribute" and rows["hat: turban"].endswith(
        " of 2"
    )
    assert value["curves"][0]["series"][0]["name"] == "hat: turban"


def test_the_verdict_agrees_with_the_judge_and_names_what_training_never_showed(app):
    wish = {"hair": "afro", "hair_colour": "blond"}
    *_, value = drawn(app, diffusion.person, written(wish))
    x = final(
        app.model("diffusion-avatars").sample(Noise([5, 6]), label=wish, steps=3, guidance_scale=2)
    )
    each, everything = counts(shown(app.model("judge-avatars"), x, wish))
    told = value["seen"]
    assert dict(told["rows"]) == {
        "hair: afro": f"{each['hair']} of 2",
        "hair colour: blond": f"{each['hair_colour']} of 2",
    }
    assert told["headline"] == f"{everything} of 2 show all that was asked for"
    assert told["never"] == "hair: afro together with hair colour: blond"
    assert "On 1,000 portraits drawn by a program, 50.0% of its answers are right" in told["foot"]
    (chart,) = value["curves"]
    assert [line["name"] for line in chart["series"]] == [
        "all of it",
        "hair: afro",
        "hair colour: blond",
    ]
    assert chart["series"][1]["points"][-1] == [3, each["hair"]]


def test_many_wishes_share_one_curve(app):
    *_, value = drawn(app, flow.person, AttributePicker().somebody(1)["wish"], count=1)
    everything, mean = value["curves"][0]["series"]
    assert (everything["name"], mean["name"]) == ("all of it", "one of them, on average")
    right = [int(count[0]) for _, count in value["seen"]["rows"]]
    assert len(right) > 15 and mean["points"][-1] == [3, pytest.approx(sum(right) / len(right))]


def test_without_a_judge_people_are_drawn_and_nobody_counts(tmp_path, monkeypatch):
    write_people(tmp_path, judge=False)
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    *_, value = drawn(App("cpu"), flow.person, "hat:cap")
    assert "seen" not in value and seen(None) == ""
    knobs = {"wish": {"hat": "cap"}, "solver": "euler", **QUICK}
    assert "judge" not in flow.person.code(knobs)


# --- the tabs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("tab", [diffusion, flow], ids=["diffusion", "flow"])
def test_the_panel_is_there_only_where_its_model_is(tab, tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    write_weights(tmp_path)
    for models, expected in ((False, False), (True, True)):
        if models:
            write_people(tmp_path)
        app = App("cpu")
        with gr.Blocks():
            tab.TAB.build(app)
        assert ("person" in [knobs.panel for knobs in app.knobs]) is expected


def test_the_example_is_kept_with_its_verdict(app, tmp_path):
    keep = flow.person.panel().keep()
    assert keep.name == "flow-person" and len(keep.seeds) == 8
    keep = replace(keep, name="kept")
    size = write(keep, app, tmp_path)
    kept = example("kept", tmp_path).value
    assert size < 3_000_000 and "show all that was asked for" in seen(kept["seen"])
    assert kept["steps"][-1] == 20


def test_a_run_of_portraits_may_have_half_the_steps_of_one_of_small_pictures(app):
    app.most_work = 40
    with gr.Blocks() as page:
        flow.person.panel().build(app)
    run = next(fn.fn for fn in page.fns.values() if fn.api_name == "flow_person")
    asked = {k.name: k.default for k in flow.person.knobs()} | {"count": 4, "steps": 6}
    with pytest.raises(
        gr.Error, match="4 pictures of 6 steps each are 24 steps: choose at most 20 in all"
    ):
        told_by(run, *asked.values())
