"""A look at a denoiser that is still being trained."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from emoji_fixtures import write_emoji
from emoji_pipeline import tiny_parts
from gen_core.evaluation import prompt_accuracy
from gen_core.families.text_to_image import training as module
from gen_core.families.text_to_image.folder import NAME
from gen_core.families.text_to_image.training import look
from gen_core.training import recipes

pytestmark = pytest.mark.heavy


def test_a_look_draws_the_average_as_it_stands(tmp_path, monkeypatch):
    folder, cpu = tmp_path / "runs", torch.device("cpu")
    runs = tiny_parts(folder, monkeypatch)
    write_emoji(tmp_path)
    monkeypatch.setattr(module, "PROMPTS", ("a red cat", "two owls"))
    monkeypatch.setattr(module, "SEEDS", 2)
    for name in ("BACKGROUNDS", "TINTED", "PAIRS"):
        monkeypatch.setattr(prompt_accuracy, name, 2)
    with pytest.raises(FileNotFoundError, match=f"train {NAME}/denoiser` makes it"):
        look(folder, cpu)
    steps = recipes.run(f"{NAME}/denoiser", folder).train(data_root=str(tmp_path), save_every=1)
    next(steps)
    first = look(folder, cpu)
    assert (first["step"], first["pictures"]) == (1, 4) and first["loss"] > 0
    assert first["shares"].keys() == {"seen", "held out"}
    drawn = np.asarray(Image.open(runs / "denoiser/grid-000001.png"))
    assert drawn.shape[:2] == (68, 4 * 66 + 2)
    list(steps)
    (runs / "judge/final.safetensors").unlink()
    last = look(folder, cpu)
    assert last["step"] == 3 and last["shares"] == {}
    later = np.asarray(Image.open(runs / "denoiser/grid-000003.png"))
    assert not np.array_equal(later, drawn)
    lines = (runs / "denoiser/progress.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [first, last]
