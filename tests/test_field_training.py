"""Training"""

from __future__ import annotations

import dataclasses
import inspect
import logging
import re
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core_fixtures import write_fashion
from gen_core.__main__ import main
from gen_core.evaluation import metrics
from gen_core.training import checkpoint, recipes
from gen_core.training.recipes import Recipe, Run

pytestmark = pytest.mark.heavy

RECIPE = Recipe(
    "gan",
    steps=20,
    batch=8,
    warmup=2,
    snapshots=(3, 20),
    config={"widths": (16, 16, 16), "latent": 4, "discriminator_width": 4},
)
FILES = (
    "state.safetensors",
    "state-before.safetensors",
    "log.jsonl",
    "recipes.json",
    "snapshot-000003.safetensors",
)


def cut(share: float) -> Callable[[bytes], bytes]:
    return lambda content: content[: int(share * len(content))]


def zeroed(share: float) -> Callable[[bytes], bytes]:
    """As a filesystem leaves a file whose length was written before its contents."""
    return lambda content: cut(share)(content) + bytes(len(content) - int(share * len(content)))


DAMAGES = {
    "empty": cut(0),
    "cut in its head": cut(0.01),
    "cut in the middle": cut(0.5),
    "cut at its end": lambda content: content[:-2],
    "zeros": zeroed(0),
    "zeros from the middle on": zeroed(0.5),
    "half a character": lambda content: cut(0.5)(content) + "é".encode()[:1],
}


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a made-up data set, the weights of a run that nobody interrupted, and in
    runs/ one that was interrupted after step 17: its states are of steps 16 and 14."""
    folder = tmp_path_factory.mktemp("training")
    write_fashion(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_DATA", str(folder))
        patch.setenv("GEN_WEIGHTS", str(folder / "weights"))
        patch.setitem(recipes.RECIPES, "straight", RECIPE)
        list(run_in(folder, "straight").train(device="cpu", save_every=2))
        for step in run_in(folder, "cut").train(device="cpu", save_every=2):
            if step.step == 17:
                break
        yield folder


def run_in(folder: Path, name: str) -> Run:
    return Run(name, RECIPE, folder / "runs" / name)


def copied(begun: Path, to: Path, name: str = "cut") -> Run:
    """The interrupted run once more, for a test to damage; its result goes to other weights."""
    shutil.copytree(begun / "runs" / name, to / "run")
    return Run("again", RECIPE, to / "run")


@pytest.fixture
def own_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights"


def same_weights(begun: Path, weights: Path) -> bool:
    """Whether the run arrived where one arrives that nobody interrupts."""
    ours, _ = checkpoint.read("again", weights)
    theirs, _ = checkpoint.read("straight", begun / "weights")
    return all(
        torch.equal(ours[name], theirs[name])
        for name in theirs
        if not name.startswith(checkpoint.EXTRA)
    )


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", FILES)
def test_cutting_the_power_while_a_model_trains(begun, own_weights, tmp_path, caplog, file, damage):
    """Training goes on from the last file that is whole, and one sentence names the damaged one."""
    run = copied(begun, tmp_path)
    place = run.folder / file
    place.write_bytes(DAMAGES[damage](place.read_bytes()))
    steps = [step.step for step in run.train(device="cpu", save_every=2)]
    from_step = 14 if file == "state.safetensors" else 16
    assert steps == list(range(from_step + 1, 21))
    assert same_weights(begun, own_weights)
    (sentence,) = caplog.messages
    assert str(place) in sentence and "\n" not in sentence
    list(copied_again(run).train(device="cpu"))  # and nothing is wrong any more
    assert len(caplog.messages) <= 1


def copied_again(run: Run) -> Run:
    return Run(run.name, run.recipe, run.folder)


@given(share=st.floats(0, 1), rest=st.sampled_from(["", "zeros"]))
def test_cutting_the_power_at_any_byte_of_a_state(begun, tmp_path_factory, share, rest):
    """The state that was saved before it is still there: no more than the last steps are lost."""
    run = run_in(begun, "cut")
    whole = run.state.read_bytes()
    folder = tmp_path_factory.mktemp("any")
    damaged = Run("cut", RECIPE, folder)
    shutil.copy(run.state_before, damaged.state_before)
    damaged.state.write_bytes((zeroed if rest else cut)(share)(whole))
    intact = damaged.state.read_bytes() == whole
    assert damaged.steps_done() == (16 if intact else 14)
    shutil.rmtree(folder)


@given(at=st.integers(0, 10_000))
def test_cutting_the_power_at_any_byte_of_a_log(begun, tmp_path_factory, at):
    """Its whole lines are kept."""
    content = run_in(begun, "cut").log.read_bytes()
    folder = tmp_path_factory.mktemp("log")
    cut_off = Run("cut", RECIPE, folder)
    cut_off.log.write_bytes(content[: at % (len(content) + 1)])
    lines = cut_off.read_log()
    assert lines == run_in(begun, "cut").read_log()[: len(lines)]
    assert len(lines) >= content[: at % (len(content) + 1)].count(b"\n")
    shutil.rmtree(folder)


def test_losing_both_states_to_a_power_cut(begun, own_weights, tmp_path, caplog):
    """Training begins anew, and says so of each file."""
    run = copied(begun, tmp_path)
    for place in (run.state, run.state_before):
        place.write_bytes(b"")
    assert next(run.train(device="cpu")).step == 1
    assert [str(place) in caplog.text for place in (run.state, run.state_before)] == [True, True]
    assert caplog.text.count("training begins anew") == 2
    assert (run.folder / "state.safetensors.damaged").exists()


@pytest.mark.parametrize("damage", ["empty", "cut in the middle", "missing"])
def test_cutting_the_power_just_as_a_training_ends(begun, own_weights, tmp_path, caplog, damage):
    """The finished model is written again, from the last state."""
    run = copied(begun, tmp_path)
    list(run.train(device="cpu", save_every=2))
    before = run.result.read_bytes()
    if damage == "missing":
        run.result.unlink()
    else:
        run.result.write_bytes(DAMAGES[damage](before))
    assert list(copied_again(run).train(device="cpu")) == []
    assert same_weights(begun, own_weights)
    assert "again" in caplog.text


def test_losing_the_notes_on_a_recipe_to_a_power_cut(begun, own_weights, tmp_path):
    """The model's card says that its first steps were made with settings nobody knows any more."""
    run = copied(begun, tmp_path)
    run.recipes.write_bytes(b"")
    list(run.train(device="cpu"))
    why = checkpoint.card("again")["deviation"]["why"]
    assert why == "until step 16 with settings that nobody knows any more"


# --- a full disk ----------------------------------------------------------------------------------


@pytest.fixture
def small_files() -> Iterator[Callable[[int], None]]:
    """Lets no file grow over so many bytes, as on a full disk; the system refuses the rest."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, usual[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, usual)


@pytest.mark.says("run the same command again")
def test_training_until_the_disk_is_full(begun, own_weights, tmp_path, small_files, says):
    run = copied(begun, tmp_path)
    before = {name: (run.folder / name).read_bytes() for name in FILES[:2]}
    small_files(4096)
    with pytest.raises(OSError) as caught:
        list(run.train(device="cpu", save_every=2))
    small_files(resource.RLIM_INFINITY)
    said = str(caught.value)
    assert says in said and f"{run.state} holds step 16" in said and "state.safetensors" in said
    assert {name: (run.folder / name).read_bytes() for name in FILES[:2]} == before
    assert not list(run.folder.glob("*.partial*"))
    list(copied_again(run).train(device="cpu", save_every=2))
    assert same_weights(begun, own_weights)


def test_training_where_nothing_can_be_written(begun, tmp_path, monkeypatch, capsys):
    """It is refused before the first step, whether the runs or the weights may not be written."""
    monkeypatch.setitem(recipes.RECIPES, "again", RECIPE)
    (tmp_path / "file").touch()
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path / "file" / "weights"))
    assert main(["train", "again", "--folder", str(tmp_path)]) == 2
    assert "GEN_WEIGHTS=" in (said := capsys.readouterr().err) and said.count("\n") == 1
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path / "weights"))
    assert main(["train", "again", "--folder", str(tmp_path / "file")]) == 2
    assert "folder=" in (said := capsys.readouterr().err) and said.count("\n") == 1
    assert not (tmp_path / "weights").exists()


# --- a checkpoint that is there already -----------------------------------------------------------


@pytest.mark.says("add --replace if it shall, or set GEN_WEIGHTS to another folder")
def test_training_a_model_that_is_shipped(begun, own_weights, tmp_path, monkeypatch, capsys, says):
    monkeypatch.setitem(recipes.RECIPES, "shipped", RECIPE)
    own_weights.mkdir()
    shutil.copy(begun / "weights" / "straight.safetensors", own_weights / "shipped.safetensors")
    before = (own_weights / "shipped.safetensors").read_bytes()
    training = ["train", "shipped", "--steps", "3", "--folder", str(tmp_path / "runs")]
    assert main(training) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1
    assert (own_weights / "shipped.safetensors").read_bytes() == before
    assert not (tmp_path / "runs").exists()
    assert main([*training, "--replace"]) == 0
    assert checkpoint.card("shipped")["steps"] == 3
    longer = ["train", "shipped", "--steps", "5", "--folder", str(tmp_path / "runs")]
    assert main(longer) == 0  # its own may grow
    (own_weights / "shipped.safetensors").write_bytes(before)
    assert main([*longer[:2], "--steps", "6", *longer[4:]]) == 2  # that of another may not


def test_going_on_with_a_run_of_another_recipe(begun, own_weights, tmp_path):
    """It names the state that does not fit, and the way out."""
    run = copied(begun, tmp_path)
    config = RECIPE.config | {"latent": 5}
    other = Run("again", dataclasses.replace(RECIPE, config=config), run.folder)
    with pytest.raises(checkpoint.CheckpointError, match="choose another folder for the runs"):
        next(other.train(device="cpu"))


def test_the_sentences_reach_the_terminal(begun, own_weights, tmp_path, monkeypatch, capsys):
    """On the command line they stand on stderr, one line each."""
    monkeypatch.setitem(recipes.RECIPES, "again", RECIPE)
    copied(begun, tmp_path / "runs").folder.rename(tmp_path / "runs" / "again")
    (tmp_path / "runs" / "again" / "state.safetensors").write_bytes(b"")
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    assert main(["train", "again", "--folder", str(tmp_path / "runs"), "--device", "cpu"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert sum("state.safetensors is damaged" in line for line in lines) == 1


# --- figures of what is no set of features --------------------------------------------------------

GOOD = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
SHARES = GOOD.softmax(1)
MEASURES: dict[str, tuple[torch.Tensor, ...]] = {
    "class_shares": (GOOD,),
    "classes_alive": (SHARES[0],),
    "accuracy": (GOOD, GOOD.argmax(1)),
    "inception_score": (SHARES,),
    "moments": (GOOD,),
    "frechet_from_moments": (*metrics.moments(GOOD), *metrics.moments(GOOD + 1)),
    "frechet_distance": (GOOD, GOOD + 1),
    "extrapolated_frechet": (GOOD, GOOD + 1),
    "kernel_distance": (GOOD, GOOD + 1),
    "precision_recall": (GOOD, GOOD + 1),
    "density_coverage": (GOOD, GOOD + 1),
    "share_inside": (GOOD, GOOD + 1),
}
"""By the name of each function, what it takes."""
SPOILT: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "NaN": lambda x: x.where(torch.rand(x.shape) < 0.9, float("nan")).index_fill(
        0, torch.tensor(0), float("nan")
    ),
    "infinity": lambda x: x.index_fill(0, torch.tensor(0), float("inf")),
    "no rows": lambda x: x[:0],
    "one row": lambda x: x[:1],
    "a column too many": lambda x: torch.cat([x, x[..., :1]], -1),
    "no columns": lambda x: x[..., :0],
    "a number": lambda x: torch.tensor(1.0),
}
FINE = {
    ("class_shares", 0, "one row"),
    ("class_shares", 0, "a column too many"),
    ("classes_alive", 0, "one row"),
    ("classes_alive", 0, "a column too many"),
    ("accuracy", 0, "a column too many"),
    ("inception_score", 0, "one row"),
    ("moments", 0, "a column too many"),
    ("density_coverage", 1, "one row"),
    ("share_inside", 0, "one row"),
}
"""What is no fault: a row may be judged by itself, and there may be more classes."""


@pytest.mark.parametrize("fault", SPOILT)
def test_measuring_what_is_no_set_of_features(fault):
    """Each function says which of its inputs is wrong, and never answers NaN."""
    public = {n for n, f in vars(metrics).items() if inspect.isfunction(f) and n[0] != "_"}
    assert public == MEASURES.keys()
    for name, inputs in MEASURES.items():
        measure = getattr(metrics, name)
        parameters = list(inspect.signature(measure).parameters)
        for index, value in enumerate(inputs):
            if not value.is_floating_point() and fault in ("NaN", "infinity"):
                continue
            spoilt = [*inputs[:index], SPOILT[fault](value), *inputs[index + 1 :]]
            if (name, index, fault) in FINE:
                found = measure(*spoilt)
                parts = found if isinstance(found, tuple) else (found,)
                assert all(torch.as_tensor(part).isfinite().all() for part in parts)
                continue
            with pytest.raises(ValueError) as caught:
                measure(*spoilt)
            said = str(caught.value)
            assert not isinstance(caught.value, torch.linalg.LinAlgError), (name, index)
            assert any(re.search(rf"\b{parameter}\b", said) for parameter in parameters), (
                name,
                index,
                said,
            )
