"""What a model can be asked for: classes, or any attributes of a portrait."""

import math
import re

import pytest
import torch

from core_fixtures import ATTRIBUTES, complete_attributes, tiny
from gen_core import Noise, final
from gen_core.conditions import Classes
from gen_core.data.avatars import Avatar, random_avatar
from gen_core.data.avatars.schema import CATEGORICAL, CONTINUOUS, HELD_OUT, attribute_labels
from gen_core.data.splits import AVATARS
from gen_core.knobs import KnobError
from gen_core.nets.attributes import IGNORE_INDEX, MISSING, AttributeEmbedding

SIZES = tuple(len(values) for values in CATEGORICAL.values())
PORTRAIT = {"classes": 0, "choices": SIZES, "measures": len(CONTINUOUS), "channels": 3, "size": 16}


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_one_class_in_ten_is_hidden_in_training():
    label = torch.full((20_000,), 3)
    shown = Classes(10).dropout(label, rng())
    hidden = float((shown == 10).double().mean())
    assert hidden == pytest.approx(0.1, abs=4 * math.sqrt(0.09 / 20_000))
    assert set(shown.tolist()) == {3, 10}


def test_a_wish_names_what_it_wants_and_leaves_the_rest_open():
    row = ATTRIBUTES.encode({"hat": "cap", "smile": 0.25}, 2)[1].tolist()
    told = dict(zip([*CATEGORICAL, *CONTINUOUS], row, strict=True))
    assert told.pop("hat") == CATEGORICAL["hat"].index("cap") and told.pop("smile") == 250
    assert set(told.values()) == {IGNORE_INDEX, MISSING}
    assert torch.equal(ATTRIBUTES.encode({}, 3), ATTRIBUTES.null(3))


def test_each_picture_may_have_a_wish_of_its_own():
    rows = ATTRIBUTES.encode([{"hat": "cap"}, {"age": 1}], 2)
    assert rows[0].tolist().count(IGNORE_INDEX) == len(CATEGORICAL) - 1
    assert rows[1, -len(CONTINUOUS) + [*CONTINUOUS].index("age")] == 1000


def test_rows_of_labels_pass_as_they_are():
    rows = attribute_labels([Avatar(), Avatar(hat="turban")])
    assert torch.equal(ATTRIBUTES.encode(rows, 2), rows)


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ({"wig": "red"}, "label's attribute='wig': choose one of face, skin, hair"),
        ({"hat": "crown"}, "hat='crown': choose one of none, cap"),
        ({"smile": 2}, "smile=2: choose a number from -1 to 1"),
        ({"age": -0.5}, "age=-0.5: choose a number from 0 to 1"),
        ({"smile": math.nan}, "smile=nan: choose a number"),
        ({3: "cap"}, "label's attribute=3: choose one of"),
        (7, "label=7: name attributes and values"),
        ("cap", "label='cap': name attributes and values"),
        ([{}], "label has 1 entries: give one, or one per sample"),
        ([{}, "cap", {}], "label='cap': name attributes"),
        (torch.zeros(3, 2), "rows of labels are whole numbers"),
        (torch.full((3, 23), 99), "row 0 says 99 for face: choose -1 to 4, or -1 to leave it open"),
        (
            1 + attribute_labels([Avatar(smile=1.0)] * 3),
            "row 0 says 1001 for smile: choose -1000 to 1000",
        ),
        (
            attribute_labels([Avatar(age=-0.1)] * 3),
            "row 0 says -100 for age: choose 0 to 1000, or -10000 to",
        ),
    ],
)
def test_a_bad_wish_is_named(label, said):
    with pytest.raises(KnobError, match=re.escape(said)):
        ATTRIBUTES.encode(label, 3)


def test_training_sees_portraits_with_everything_nothing_and_something_told():
    label = attribute_labels([Avatar()]).expand(20_000, -1)
    told = (ATTRIBUTES.dropout(label, rng()) == label).sum(1)
    everything, nothing = (float((told == n).double().mean()) for n in (label.shape[1], 0))
    assert everything == pytest.approx(0.4 + 0.5 / 24, abs=0.02)
    assert nothing == pytest.approx(0.1 + 0.5 / 24, abs=0.02)
    some = told[(told > 0) & (told < label.shape[1])]
    assert set(some.tolist()) == set(range(1, label.shape[1]))


def test_models_are_measured_on_people_that_training_does_not_show():
    rows = ATTRIBUTES.balanced([0, 5])
    assert torch.equal(rows, attribute_labels([random_avatar(2_000_000), random_avatar(2_000_005)]))
    assert all(2_000_000 not in AVATARS[split] for split in ("train", "test", "fresh"))
    assert Classes(10).balanced([0, 5, 10, 11]) == [0, 5, 0, 1]


def test_what_is_not_told_adds_nothing_and_what_is_told_does():
    net = AttributeEmbedding((3, 2), 1, 8).eval()
    with torch.no_grad():
        nothing, value, measure, zero = net(
            torch.tensor([[-1, -1, MISSING], [2, -1, MISSING], [-1, -1, 500], [-1, -1, 0]])
        )
        assert torch.allclose(nothing, net.mlp(torch.zeros(1, 8))[0])
    assert not torch.allclose(nothing, value) and not torch.allclose(nothing, measure)
    assert not torch.allclose(nothing, zero), "a measure of 0 is told, not missing"


def test_complete_attributes_tell_everything_and_keep_to_what_is_asked_for():
    names = [*CATEGORICAL, *CONTINUOUS]
    free, asked = (
        complete_attributes(None, range(50)),
        complete_attributes({"hat": "turban", "smile": 0.5}, range(50)),
    )
    assert torch.equal(
        free, attribute_labels([random_avatar(AVATARS["asked"][seed]) for seed in range(50)])
    )
    assert set(asked[:, names.index("hat")].tolist()) == {CATEGORICAL["hat"].index("turban")}
    assert set(asked[:, names.index("smile")].tolist()) == {500}
    assert set(asked[:, names.index("hair")].tolist()) == {IGNORE_INDEX}, "no hair shows beneath it"
    skin = names.index("skin")
    assert torch.equal(asked[:, skin], free[:, skin])
    assert torch.equal(complete_attributes(free, range(50)), free)
    with pytest.raises(KnobError, match="crown"):
        complete_attributes({"hat": "crown"}, [0])
    with pytest.raises(KnobError, match="tell every number"):
        complete_attributes(ATTRIBUTES.null(2), [0, 1])


@pytest.mark.parametrize(
    "wish",
    [
        {"hair": "afro"},
        {"hair_colour": "pink"},
        {"eye_colour": "blue"},
        {"clothes": "hoodie"},
        {"hair_colour": "pink", "eye_colour": "grey", "face": "heart", "earrings": "hoops"},
    ],
    ids=str,
)
def test_lots_hide_nothing_that_is_asked_for_and_leave_the_rest_as_it_is(wish):
    names = [*CATEGORICAL, *CONTINUOUS]
    free, asked = complete_attributes(None, range(100)), complete_attributes(wish, range(100))
    for name, value in wish.items():
        assert set(asked[:, names.index(name)].tolist()) == {CATEGORICAL[name].index(value)}, name
    for name in {"brows", "nose", "mouth", "background", "turn"} - wish.keys():
        assert torch.equal(asked[:, names.index(name)], free[:, names.index(name)]), name


@pytest.mark.parametrize(
    "wish",
    [{"hair": "afro"}, {"glasses": "sun"}, {"skin": "dark"}, {"background": "mint"}],
    ids=str,
)
def test_lots_complete_no_wish_to_what_training_left_out(wish):
    rows, names = complete_attributes(wish, range(300)), [*CATEGORICAL]
    for (one, other), pairs in HELD_OUT.items():
        for a, b in pairs:
            first = rows[:, names.index(one)] == CATEGORICAL[one].index(a)
            second = rows[:, names.index(other)] == CATEGORICAL[other].index(b)
            assert not (first & second).any(), (a, b)
    blond = {"hair": "afro", "hair_colour": "blond"}  # who asks for it gets it
    asked = complete_attributes(blond, range(20))[:, names.index("hair_colour")]
    assert set(asked.tolist()) == {CATEGORICAL["hair_colour"].index("blond")}


def test_lots_give_no_beard_where_the_data_has_none_unless_it_is_asked_for():
    beard = [*CATEGORICAL].index("beard")
    for wish in ({"age": 0.1}, {"hat": "headscarf"}):
        assert set(complete_attributes(wish, range(50))[:, beard].tolist()) == {
            CATEGORICAL["beard"].index("none")
        }
        goatees = complete_attributes(wish | {"beard": "goatee"}, range(50))[:, beard]
        assert set(goatees.tolist()) == {CATEGORICAL["beard"].index("goatee")}


def test_a_wish_that_hides_a_part_of_itself_still_gives_people():
    rows = complete_attributes({"hat": "turban", "hair": "afro"}, range(20))
    assert set(rows[:, [*CATEGORICAL].index("hat")].tolist()) == {
        CATEGORICAL["hat"].index("turban")
    }
    assert set(rows[:, [*CATEGORICAL].index("hair")].tolist()) == {IGNORE_INDEX}


@pytest.mark.parametrize("family", ["flow", "diffusion"])
def test_a_portrait_model_follows_its_wishes_and_does_without(family):
    model = tiny(family, **PORTRAIT)
    noise, quick = (lambda: Noise([3, 4])), {"steps": 2, "guidance_scale": 2.0}
    wished = final(model.sample(noise(), label={"hat": "cap"}, **quick))
    assert wished.shape == (2, 3, 16, 16)
    each = final(model.sample(noise(), label=[{"hat": "cap"}, {"smile": 1.0}], **quick))
    assert torch.allclose(each[0], wished[0], atol=1e-4)
    assert not torch.allclose(each[1], wished[1], atol=1e-4)
    open_wish = final(model.sample(noise(), label={}, steps=2))
    assert torch.equal(final(model.sample(noise(), steps=2)), open_wish)
    assert (
        final(model.sample(noise(), label=model.condition.balanced(range(2)), steps=2)).shape[0]
        == 2
    )
