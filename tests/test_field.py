"""docs/what-can-go-wrong.md says what the tests of what people bring say."""

from __future__ import annotations

import ast

import pytest

from field import PAGE, answer, cases, files, page

TESTS = [pytest.param(test, id=test.name) for file in files() for test in cases(file)]


def test_the_page_is_as_the_tests_say():
    assert PAGE.read_text() == page(), "write it anew: python tests/field.py"


@pytest.mark.parametrize("test", TESTS)
def test_each_says_what_happens(test: ast.FunctionDef):
    asks = "says" in [argument.arg for argument in test.args.args]
    assert asks == bool(answer(test)), "the fixture `says` goes with the mark"
    assert answer(test) or ast.get_docstring(test), "say what happens then"
