"""The command line: what it prints, writes and returns."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from core_fixtures import tiny, write_fashion
from gen_core.__main__ import main
from gen_core.data import MissingData
from gen_core.evaluation.bench import families
from gen_core.training import checkpoint, recipes
from gen_core.training.recipes import Recipe
from text_fixtures import write_gpts

CARD = {"data": "fashion", "recipe": {}, "steps": 1, "seed": 0, "hours": 0.25, "metrics": {}}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with checkpoints and a made-up data set, which is also the working directory."""
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("GEN_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights").mkdir()
    for family in ("vae", "gan", "flow", "judge"):
        path = tmp_path / "weights" / f"{family}-fashion.safetensors"
        checkpoint.save(tiny(family), path, CARD)
    return tmp_path


def answer(capsys, *arguments) -> dict | list:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refusal(capsys, *arguments) -> str:
    assert main([*arguments]) == 2
    streams = capsys.readouterr()
    assert streams.out == "" and "Traceback" not in streams.err
    *_, line = streams.err.strip().splitlines()
    assert line.startswith("error: ")
    return line


def test_list(place, capsys):
    rows = answer(capsys, "list")
    assert [r["name"] for r in rows] == sorted(r["name"] for r in rows) and len(rows) == 4
    assert rows[0]["megabytes"] > 0 and rows[0]["hours"] == 0.25
    assert main(["list"]) == 0
    assert "flow-fashion" in capsys.readouterr().out


def test_list_of_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    assert answer(capsys, "list") == []
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    assert str(tmp_path) in said and "GEN_WEIGHTS" in said


def test_cards_on_the_screen_and_in_a_page(place, capsys):
    cards = answer(capsys, "cards")
    assert [card["name"] for card in cards] == checkpoint.available()
    assert "Fashion-MNIST" in cards[0]["Training data"]
    assert cards[0]["Evaluation"] == "not stated"  # for nobody has measured these
    assert main(["cards", "vae-fashion"]) == 0
    assert capsys.readouterr().out.startswith("### vae-fashion\n")
    page = place / "models.md"
    page.write_text(
        "By hand.\n<!-- tables -->\n<!-- /tables -->\n<!-- cards -->\n<!-- /cards -->\n"
    )
    assert main(["cards", "--into", "models.md"]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("By hand.\n") and text.count("| `vae-fashion` |") == 2
    assert text.count("### ") == 4


def test_a_card_of_data_and_of_figures_that_nobody_has_described(place, capsys):
    card = CARD | {"data": "stairs", "metrics": {"samples": 100, "nats": 0.25}}
    checkpoint.save(tiny("vae"), place / "weights" / "vae-stairs.safetensors", card)
    (said,) = answer(capsys, "cards", "vae-stairs")
    assert said["Training data"] == "not stated" and said["Uses"] != "not stated"
    assert "| Nats | 0.25 |" in said["Evaluation"]


def test_sample_writes_a_grid(place, capsys):
    result = answer(
        capsys,
        "sample",
        "flow-fashion",
        "--out",
        "grid.png",
        "--count",
        "9",
        "--steps",
        "2",
        "--guidance-scale",
        "1.5",
        "--solver",
        "heun",
        "--label",
        "8",
        "--seed",
        "3",
    )
    assert result["knobs"] == {"steps": 2, "guidance_scale": 1.5, "solver": "heun", "label": 8}
    with Image.open(place / "grid.png") as picture:
        assert picture.size == (88, 88)  # 3 x 28 and two gaps of 2
    assert answer(capsys, "sample", "gan-fashion", "--count", "12")["knobs"]["label"] == [
        *range(10),
        0,
        1,
    ]


def test_texts_are_printed_or_written(place, capsys, tmp_path):
    write_gpts(place / "weights")
    few = ("sample", "gpt-tales", "--count", "2", "--tokens", "5")
    printed = answer(capsys, *few)
    assert len(printed["texts"]) == 2 and "file" not in printed
    written = answer(capsys, *few, "--out", "tales.txt")
    assert written["texts"] == printed["texts"] and written["file"] == "tales.txt"
    read = (place / "tales.txt").read_text()
    assert all(text in read for text in printed["texts"])
    assert "texts are drawn; choose .txt" in refusal(capsys, *few, "--out", "tales.png")


def test_the_same_seed_gives_the_same_file(place, capsys):
    for name in ("a.png", "b.png"):
        answer(capsys, "sample", "vae-fashion", "--out", name, "--count", "4", "--seed", "5")
    answer(capsys, "sample", "vae-fashion", "--out", "c.png", "--count", "4", "--seed", "6")
    files = [(place / f"{n}.png").read_bytes() for n in "abc"]
    assert files[0] == files[1] != files[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sample", "nope"], "no weights named 'nope'"),
        (["sample", "judge-fashion"], "draws no pictures"),
        (["sample", "flow-fashion", "--steps", "0"], "steps=0: choose a whole number from 1 to"),
        (["sample", "flow-fashion", "--steps", "2.5"], "steps=2.5: choose a whole number"),
        (["sample", "flow-fashion", "--steps", "many"], "steps='many': choose a whole number"),
        (["sample", "flow-fashion", "--guidance-scale", "nan"], "guidance_scale=nan: choose"),
        (["sample", "flow-fashion", "--label", "99"], "label=99: choose a whole number from 0"),
        (["sample", "flow-fashion", "--eta", "1"], "eta=1: the knobs of flow-fashion are label"),
        (["sample", "flow-fashion", "--count", "1000000"], "count=1000000: choose"),
        (["sample", "vae-fashion", "--seed", "-1"], "seed=-1: choose a whole number"),
        (["sample", "vae-fashion", "--device", "tpu"], "device='tpu': choose one of auto, cpu"),
        (["sample", "vae-fashion", "--out", "no/such/folder/x.png"], "no/such/folder"),
        (["evaluate", "nope"], "no weights named 'nope'"),
        (["evaluate", "vae-fashion"], "evaluate judge-fashion --write"),
        (["evaluate", "vae-fashion", "--inception"], "evaluate judge-fashion --write"),
        (["cards", "nope"], "no weights named 'nope'"),
        (["cards", "vae-fashion", "--into", "x.md"], "into='x.md': a page has all cards"),
        (["cards", "--into", "no/such.md"], "no/such.md"),
        (["train", "nope"], "recipe='nope': choose one of"),
        (["train", "vae-fashion", "--steps", "0"], "steps=0: choose a whole number"),
        (["bench", "--rounds", "0"], "rounds=0: choose a whole number"),
    ],
)
def test_what_the_user_can_mend_is_one_line_and_exit_2(place, capsys, arguments, said):
    assert said in refusal(capsys, *arguments)


def test_a_damaged_file_is_one_line(place, capsys):
    (place / "weights" / "vae-fashion.safetensors").write_bytes(b"broken")
    assert "vae-fashion.safetensors is damaged" in refusal(capsys, "sample", "vae-fashion")
    assert "vae-fashion.safetensors is damaged" in refusal(capsys, "list")


def test_train_evaluate_and_train_again(place, capsys, monkeypatch):
    """The whole way of a checkpoint: recipe, run, file, metrics; a second run has nothing to do."""
    write_fashion(place, train=320, test=200)
    small = Recipe("judge", steps=12, batch=16, warmup=2, config={"widths": (8, 16, 16)})
    monkeypatch.setitem(recipes.RECIPES, "judge-fashion", small)
    training = ("train", "judge-fashion", "--steps", "6", "--folder", "runs")
    assert "judge-fashion.safetensors is there already" in refusal(capsys, *training)
    result = answer(capsys, *training, "--replace")
    assert result["steps"] == 6 and result["recipe"]["batch"] == 16
    assert (place / "runs" / "judge-fashion" / "state.safetensors").is_file()
    scores = answer(capsys, "evaluate", "judge-fashion", "--write")
    assert checkpoint.card("judge-fashion")["metrics"] == scores
    again = answer(capsys, *training)
    assert again["metrics"] == scores  # nothing was trained, nothing overwritten
    text = answer(capsys, "evaluate", "vae-fashion", "--samples", "100", "--temperature", "0.5")
    assert text["knobs"] == {"temperature": 0.5} and text["floor"] is None
    floors = answer(capsys, "floors", "judge-fashion", "--write")
    assert list(floors["draws"]) == ["200"]
    assert checkpoint.card("judge-fashion")["floors"] == floors
    assert "choose a classifier" in refusal(capsys, "floors", "vae-fashion")
    (place / "weights" / "flow-fashion.safetensors").unlink()  # 50 steps a picture
    every = answer(capsys, "evaluate", "--all", "--samples", "200")
    assert list(every) == checkpoint.available()
    assert every["gan-fashion"]["floor"] == every["vae-fashion"]["floor"] > 0
    assert every["judge-fashion"]["accuracy"] == scores["accuracy"]
    monkeypatch.delenv("GEN_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    monkeypatch.setattr("gen_core.data.fashion._fetch", _offline)
    assert main(["evaluate", "--all", "--samples", "100"]) == 0
    said, told = capsys.readouterr()
    finished = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert [name for result in finished for name in result] == checkpoint.available()
    assert "| `gan-fashion` | 100 |" in said and "| `judge-fashion` | – |" in said
    for wrong in ([], ["vae-fashion", "--all"]):
        assert "or --all" in refusal(capsys, "evaluate", *wrong)


def test_a_model_of_portraits_is_evaluated_too(place, capsys):
    """Its classifier's shares are of attributes, not of questions about prompts."""
    judge = tiny("avatar-judge")
    features = torch.randn(200, 32, generator=torch.Generator().manual_seed(0)).half()
    card = CARD | {"data": "avatars", "metrics": {"accuracy": 0.5}}
    weights = place / "weights"
    extra = {"features.test": features}
    checkpoint.save(judge, weights / "judge-avatars.safetensors", card, extra=extra)
    checkpoint.save(tiny("style-gan"), weights / "gan-avatars.safetensors", card)
    result = answer(capsys, "evaluate", "gan-avatars", "--samples", "100")
    assert result["frechet"] > 0 and "hat" in result["shares"]
    assert main(["evaluate", "gan-avatars", "--samples", "100"]) == 0
    assert "frechet" in capsys.readouterr().out


def _offline(*args, **options):
    raise MissingData("offline")


def few_weights_to_time(monkeypatch):
    models = {f: tiny(f).requires_grad_(False) for f in families()}
    monkeypatch.setattr(
        "gen_core.evaluation.bench.load_or_build", lambda family, device: models[family]
    )


@pytest.mark.slow
@pytest.mark.heavy
def test_bench_reports_its_ratios(place, capsys, monkeypatch):
    few_weights_to_time(monkeypatch)
    result = answer(capsys, "bench", "--count", "2", "--steps", "3", "--rounds", "2")
    sampler = result["sampler"]
    assert sampler["ours_over_network"] > 0 and sampler["ours_over_diffusers"] > 0
    assert sampler["largest_difference"] < 0.2  # the two loops draw the same pictures
    assert result["precision"]["bfloat16_over_float32"] > 0
    assert [g["family"] for g in result["grids"]] == families()
    assert main(["bench", "--count", "2", "--steps", "3", "--rounds", "2"]) == 0
    assert set(result["texts"]["tokens_a_second"]) == {"ours", "without cache", "transformers"}
    text = capsys.readouterr().out
    assert "with cache / without" in text and "ours / transformers" in text
    assert "ours / 3 x bare network" in text and "aim: at most 1.05" in text
    assert "network in bfloat16 / in float32" in text


def test_a_missing_extra_is_one_line_with_the_way_out(place, capsys, monkeypatch):
    few_weights_to_time(monkeypatch)
    monkeypatch.setitem(sys.modules, "diffusers", None)  # import takes that for: not installed
    said = refusal(capsys, "bench", "--count", "1", "--steps", "1", "--rounds", "1")
    assert "this needs diffusers: install gen_core with" in said and "text-to-image" in said


def test_any_other_missing_module_is_a_defect_and_stays_a_traceback(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "gen_core.latent.analyze", None)
    with pytest.raises(ModuleNotFoundError):
        main(["atlas", "vae-fashion"])


@pytest.mark.heavy
def test_the_module_runs_and_knows_its_commands():
    root = Path(checkpoint.__file__).parents[2]
    command = [sys.executable, "-m", "gen_core", "--help"]
    shown = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert all(name in shown.stdout for name in ("list", "sample", "train", "evaluate", "bench"))


def test_no_command_is_an_error(capsys):
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2 and "COMMAND" in capsys.readouterr().err
