"""The page as an API: every endpoint says what it does, and answers its defaults."""

from __future__ import annotations

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from demos.page import shell
from demos.page.handlers import App

EMPTY = "the paper is empty|choose a picture file|there are no pictures to save|takes a PNG"
EMPTY += "|press one of the portraits first|does not run here"
"""What is said to those who bring nothing where something is needed, or have no GPU."""


def endpoints() -> dict[str, dict]:
    return shell.build_page(App("cpu")).get_api_info()["named_endpoints"]


def test_every_endpoint_has_defaults_and_says_what_it_does():
    for name, told in endpoints().items():
        assert told["description"], name
        for parameter in told["parameters"]:
            assert parameter["parameter_has_default"], (name, parameter["parameter_name"])


def test_the_range_of_a_knob_stands_in_its_description():
    page = shell.build_page(App("cpu"))
    said = next(fn.fn.__doc__ for fn in page.fns.values() if fn.api_name == "diffusion_generate")
    assert "steps: Steps, a whole number from 1 to 1000." in said


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_endpoint_answers_the_python_client(app_address):
    client, failed = Client(app_address, verbose=False), {}
    for name in endpoints():
        if name.endswith(("_download", "_larger")):  # from another host
            continue
        try:
            client.predict(api_name=name)
        except AppError as error:
            failed[name] = str(error)
    assert {name: said for name, said in failed.items() if not any_of(said)} == {}
    assert len(failed) < 10


def any_of(said: str) -> bool:
    return any(words in said for words in EMPTY.split("|"))
