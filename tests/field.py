"""docs/what-can-go-wrong.md, from the tests named test_field_*.py: `python tests/field.py`.

A test there is named for what a person does, test_a_photo_of_fifty_megapixels. What happens then is
its docstring or, where the app answers something, `@pytest.mark.says("...")`: the fixture `says` is
that text, and the test finds it in the answer.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
PAGE = TESTS.parent / "docs" / "what-can-go-wrong.md"
HEAD = """# What can go wrong, and what happens then

For those who host the app or teach with it. Each line is the name of a test, so what stands here is
tried at every change; `python tests/field.py` writes this page. What stands in quotation marks is
what the app answers.
"""


@pytest.fixture
def says(request: pytest.FixtureRequest) -> str:
    """What the app answers, as the test's mark has it."""
    return request.node.get_closest_marker("says").args[0]


def page() -> str:
    """The page, in Markdown."""
    return "\n".join([HEAD, *(part for file in files() for part in _chapter(file))])


def files() -> list[Path]:
    """Those with the tests."""
    return sorted(TESTS.glob("test_field_*.py"))


def cases(file: Path) -> Iterator[ast.FunctionDef]:
    """Its tests."""
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node


def answer(test: ast.FunctionDef) -> str:
    """What the app says in this test; "" where it says nothing."""
    for mark in test.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.says":
            return ast.literal_eval(mark.args[0])
    return ""


def _chapter(file: Path) -> Iterator[str]:
    title = ast.get_docstring(ast.parse(file.read_text())) or ""
    yield f"## {title.splitlines()[0].rstrip('.')}\n"
    yield "| What a person does | What happens |\n| --- | --- |"
    for test in cases(file):
        name = test.name.removeprefix("test_").replace("_", " ")
        said = answer(test)
        happens = f"“{said}”" if said else " ".join((ast.get_docstring(test) or "").split())
        yield f"| {name[0].upper()}{name[1:]} | {happens} |".replace("\n", " ")
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page())
