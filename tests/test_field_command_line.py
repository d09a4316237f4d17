"""On the command line"""

from __future__ import annotations

import pytest

from gen_core.__main__ import main


@pytest.mark.says("no weights named 'banana' in")
def test_naming_a_model_that_is_not_there(says: str, capsys: pytest.CaptureFixture[str]):
    assert main(["sample", "banana"])
    assert says in capsys.readouterr().err
