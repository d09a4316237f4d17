"""The one validator: what passes, and what each message says."""

import math

import numpy as np
import pytest
import torch

from gen_core.knobs import KnobError, choice, labels, number, whole


def message(check, *args) -> str:
    with pytest.raises(KnobError) as caught:
        check(*args)
    return str(caught.value)


@pytest.mark.parametrize("good", [1, 1000, 20.0, 7, np.int64(20), np.float32(20)])
def test_whole_numbers_pass_as_int(good):
    checked = whole("steps", good, 1, 1000)
    assert checked == good and type(checked) is int


@pytest.mark.parametrize(
    ("bad", "shown"),
    [
        (0, "0"),
        (1001, "1001"),
        (2.5, "2.5"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (None, "None"),
        ("20", "'20'"),
        (True, "True"),
        ([20], "[20]"),
        (-1, "-1"),
    ],
)
def test_whole_names_the_value_and_the_range(bad, shown):
    expected = f"steps={shown}: choose a whole number from 1 to 1000"
    assert message(whole, "steps", bad, 1, 1000) == expected


def test_a_number_too_large_for_a_float_is_an_ordinary_mistake():
    text = message(whole, "count", 10**400, 1, 64)
    assert text.endswith("choose a whole number from 1 to 64") and len(text) < 120


def test_a_large_range_is_written_out():
    assert "from 0 to 4294967295" in message(whole, "seed", -1, 0, 2**32 - 1)


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan, -math.inf, None, "0.5", False, {}, 10**400])
def test_number_refuses(bad):
    assert message(number, "eta", bad, 0.0, 1.0).endswith(": choose a number from 0 to 1")


def test_number_passes_as_float():
    assert number("eta", 1, 0, 1) == 1.0 and type(number("eta", 1, 0, 1)) is float


def test_long_values_are_cut():
    assert len(message(number, "eta", "x" * 10_000, 0, 1)) < 100


@pytest.mark.parametrize("bad", ["euler2", None, 3, ["ddim"], math.nan])
def test_choice_lists_the_options(bad):
    assert message(choice, "solver", bad, ["ddim", "heun"]).endswith(": choose one of ddim, heun")


def test_choice_passes():
    assert choice("solver", "heun", ["ddim", "heun"]) == "heun"


@pytest.mark.parametrize(
    "value",
    [
        [3, 3, 3],
        (3, 3, 3),
        torch.tensor([3, 3, 3]),
        np.array([3, 3, 3]),
        3,
        3.0,
        torch.tensor(3),
        np.int64(3),
    ],
)
def test_labels_are_one_for_all_or_one_each(value):
    assert labels(value, 3, 10) == [3, 3, 3]


@pytest.mark.parametrize(
    "bad",
    [
        99,
        -1,
        2.5,
        None,
        "3",
        "Bag",
        math.nan,
        [1, 2, 99],
        [1, 2, 2.5],
        [1, 2, None],
        "abc",
        torch.tensor([1.0, 2.5, 3.0]),
        np.array([1.0, math.nan, 1.0]),
    ],
)
def test_a_bad_label_is_named_with_the_range(bad):
    assert "choose a whole number from 0 to 9" in message(labels, bad, 3, 10)


def test_the_number_of_labels_must_fit():
    assert message(labels, [1, 2], 3, 10) == "label has 2 entries: give one, or one per sample (3)"
