"""How its models are trained stands in every panel: the lines run and train what the recipe trains,
and the loss beside them is the one that training minimises."""

from __future__ import annotations

import dataclasses
import inspect
import re
import shutil
import textwrap
from pathlib import Path

import pytest
import torch

from code_panels import code_panels, lines_of
from core_fixtures import portraits, tiny, write_fashion
from demos.page import shell, training_code
from demos.page.handlers import App
from demos.page.tab import declared
from demos.page.training_code import losses, recipes_of, training_lines, training_section
from emoji_pipeline import tiny_parts
from gen_core import available, data
from gen_core.data.text import SOURCES, TextData
from gen_core.data.tokenizers import CHARACTERS
from gen_core.families.picture_tokens import AUTOENCODER
from gen_core.families.text_to_image.folder import NAME, export
from gen_core.family import registry
from gen_core.training import checkpoint, recipes
from gen_core.training.recipes import AS_WRITTEN, RECIPES

PANELS = [panel for tab in declared() for panel in tab.panels if panel.here]
PANELS += [part for panel in PANELS for part in panel.parts]
BATCH = 4


def shown_recipes() -> list[str]:
    """Those of all panels, as the page shows them."""
    app, found = App("cpu"), []
    for panel in PANELS:
        found += panel.recipes(panel.declared(app)[0])
    return [*dict.fromkeys(found)]


PARTS = [name for name in shown_recipes() if name.startswith(f"{NAME}/")]
WHOLE = [name for name in shown_recipes() if name not in PARTS]


@pytest.fixture(scope="module")
def sections() -> dict[str, str]:
    """Of the page's code panels: the lines that draw, and what is said of training, if it is."""
    app = App("cpu")
    shown = code_panels(app, shell.build_page(app))
    return {lines: below.partition("How it was trained")[2] for lines, below in shown}


def test_every_panel_shows_how_what_it_loads_was_trained(sections):
    """By the names in its lines; text to image is loaded whole and trained in parts."""
    assert len(sections) > 30
    for lines, said in sections.items():
        loaded = re.findall(r"""["']([\w-]+-(?:fashion|avatars|emoji)[\w-]*)["']""", lines)
        assert all(f"<summary>{name}</summary>" in said for name in recipes_of(loaded)), lines
    assert sum(bool(said) for said in sections.values()) >= 30


def test_every_model_on_the_page_can_be_trained_from_its_lines(sections):
    """All checkpoints that are here, and of each recipe exactly one set of lines a panel."""
    said = "\n".join(sections.values())
    named = set(re.findall(r"<summary>(.*?)</summary>", said))
    assert named == set(shown_recipes()) and set(recipes_of(available())) <= named | {
        "judge-fashion"  # measures, and shows nothing
    }
    for section in filter(None, sections.values()):
        names = re.findall(r"<summary>(.*?)</summary>", section)
        assert (
            len(names)
            == len(set(names))
            == lines_of(section).count("for step in fit(model, batches, ")
        )


def test_models_that_a_control_offers_by_a_title_are_among_them():
    offers = 0
    for tab in declared():
        for panel in tab.panels:
            knobs, _ = panel.declared(App("cpu"))
            offered = [name for knob in knobs for name in knob.names.values()]
            named = recipes_of([name for name in offered if isinstance(name, str)])
            assert set(named) <= set(panel.recipes(knobs)), panel.name
            offers += len(named)
    assert offers >= 2


def test_models_from_elsewhere_have_no_lines():
    assert recipes_of(["somebody/else", "vae-fashion", "All ten", "vae-fashion"]) == ["vae-fashion"]
    assert recipes_of([NAME, f"{NAME}/clip"]) == [f"{NAME}/denoiser", f"{NAME}/clip"]


# --- the lines ------------------------------------------------------------------------------------


BEGUN = checkpoint.weights_folder()
"""Where the trained models are, with which some recipes begin."""


@pytest.fixture(scope="module")
def small_data(tmp_path_factory):
    """Made-up clothes and texts, and a few portraits, in place of the data sets; everything on the
    CPU."""
    folder = tmp_path_factory.mktemp("data")
    write_fashion(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_DATA", str(folder))
        patch.setenv("GEN_WEIGHTS", str(folder / "weights"))
        patch.setitem(data.LOADERS, "avatars", lambda *_: portraits(2 * BATCH, 64))
        for name in SOURCES:
            text = TextData(name, CHARACTERS + "A fox met a wolf. " * 400)
            patch.setitem(data.LOADERS, name, lambda *_, text=text: text)
        patch.setattr("gen_core.devices.pick_device", lambda name="auto": torch.device("cpu"))
        yield folder


def brief(name: str) -> tuple[str, recipes.Recipe]:
    """The lines of a recipe as printed, but for two updates with small batches, and the recipe with
    the same changes."""
    recipe, lines = RECIPES[name], training_lines(name)
    changes = {"steps": 2, "batch": BATCH}
    printed = {
        f"steps={recipe.steps},": "steps=2,",
        f", {recipe.batch}, seed=": f", {BATCH}, seed=",
    }
    if recipe.snapshots:
        changes["snapshots"] = (1, 2)
        printed[f"kept = {recipe.snapshots}"] = "kept = (1, 2)"
    if recipe.switch_step:
        changes["switch_step"] = 1
        printed[f"step.step == {recipe.switch_step}:"] = "step.step == 1:"
    for before, after in printed.items():
        assert lines.count(before) == 1
        lines = lines.replace(before, after)
    return lines, dataclasses.replace(recipe, **changes)


def write_part(name: str, folder: Path) -> None:
    """An untrained autoencoder where the run of a model looks for it. The run's own weights hold
    it too, for the lines."""
    torch.manual_seed(1)
    model = registry.classes[RECIPES[name].family]()
    (folder / AUTOENCODER).mkdir(parents=True)
    path = folder / AUTOENCODER / "final.safetensors"
    checkpoint.save(model.autoencoder, path, {"hours": 0.0})


@pytest.mark.heavy
@pytest.mark.parametrize("name", WHOLE)
def test_the_lines_train_what_the_recipe_trains(name, small_data, tmp_path, capsys):
    """To the same losses and to the same weights, bit for bit."""
    lines, recipe = brief(name)
    if f"{name}/{AUTOENCODER}" in RECIPES:
        write_part(name, tmp_path / "run")
    if recipe.start and recipe.start not in available():  # it stands before this one in the list
        checkpoint.weights_folder().mkdir(exist_ok=True)
        shutil.copy(BEGUN / f"{recipe.start}.safetensors", checkpoint.weights_folder())
    run = registry.classes[recipe.family].run(name, recipe, tmp_path / "run")
    *_, expected = run.train(device="cpu")
    scope = {"__name__": "__main__"}
    exec(lines, scope)
    step = scope["step"]
    assert step.step == 2 and step.losses.keys() == expected.losses.keys()
    assert all(torch.equal(step.losses[key], value) for key, value in expected.losses.items())
    ours, theirs = scope["model"].state_dict(), expected.trainer.ema.state_dict()
    assert all(torch.equal(ours[key], value) for key, value in theirs.items())
    assert capsys.readouterr().out.startswith("1 {")
    if recipe.snapshots:
        last = scope["snapshots"][2].state_dict()
        assert [*scope["snapshots"]] == [1, 2] and all(
            torch.equal(value, ours[f"generator.{key}"])
            for key, value in last.items()
            if key != "mean_style"  # measured in the end
        )


@pytest.fixture
def trained_parts(emoji_home, tmp_path, monkeypatch):
    """A folder of runs, whose parts are in half precision as in the weights made of them."""
    runs = tiny_parts(tmp_path / "runs", monkeypatch)
    for name in registry.classes["text-to-image"].parts:
        part = checkpoint.load("final", "cpu", runs / name)
        checkpoint.save(part, runs / name / "final.safetensors", part.card)
    export(runs, tmp_path / "weights" / NAME)
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("GEN_DATA", str(emoji_home / "data"))
    return runs.parent


EAGER = 'made.text_encoder.set_attn_implementation("eager")'
"""As the recipe reads captions; by default the library adds up attention in another order."""


@pytest.mark.heavy
@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize(("attention", "off"), [("", 5e-3), (EAGER, 0)], ids=["as it is", "eager"])
def test_the_lines_train_a_part_on_what_the_others_make(name, attention, off, trained_parts):
    *_, expected = recipes.run(name, trained_parts).train(device="cpu")
    scope: dict = {}
    exec(re.sub("^(made = .*)", rf"\1\n{attention}", training_lines(name), flags=re.M), scope)
    step = scope["step"]
    assert step.step == 3 and step.losses.keys() == expected.losses.keys()
    for key, value in expected.losses.items():  # NaN: a mean of none
        assert float(step.losses[key]) == pytest.approx(float(value), off, abs=0, nan_ok=True)


def test_what_the_lines_say_is_what_the_recipe_says():
    """Every setting of a recipe that a run of one process heeds stands in its lines."""
    for name in shown_recipes():
        recipe, lines = RECIPES[name], training_lines(name)
        loop = re.search(r"fit\(model, batches, (.*)\):", lines)[1]
        said = dict(setting.split("=") for setting in loop.split(", "))
        for key in ("steps", "seed", "ema", "warmup"):
            assert said[key] == str(getattr(recipe, key)), name
        assert f", {recipe.batch}, seed={recipe.seed}" in lines
        assert all(
            f"{key}={value!r}" in lines
            for key, value in (recipe.config | recipe.config_after_switch).items()
        )
        assert len(lines.splitlines()) <= 26 and max(map(len, lines.splitlines())) <= 100


# --- the loss -------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", sorted({RECIPES[name].family for name in shown_recipes()}))
def test_the_loss_that_is_shown_is_the_one_that_is_minimised(family):
    kind = registry.classes[family]
    phases = tiny(family).phases()
    minimised = [f.__func__ for p in phases for f in (p.loss, p.penalty) if f is not None]
    assert set(losses(kind)) == set(minimised)
    name = next(name for name in shown_recipes() if RECIPES[name].family == family)
    said = training_section([name])
    for method in (kind.phases, *minimised):
        assert textwrap.dedent(inspect.getsource(method)).strip() in said
    assert all(f"`{method.__qualname__}`" in said for method in minimised)


def test_both_players_of_a_game_are_shown():
    for name in ("gan-fashion", "gan-avatars"):
        said = training_section([name])
        assert "def discriminator_loss" in said and "def generator_loss" in said
        assert "def penalty" in said and "def slope" in said  # what the penalty calls


# --- around them ----------------------------------------------------------------------------------


def test_of_several_models_the_first_one_is_open():
    said = training_section(["vae-fashion", "vae-fashion-2d"])
    assert said.count("<details open>") == 1 and said.count("<details>") == 1
    assert said.index("<summary>vae-fashion</summary>") < said.index("<summary>vae-fashion-2d")


@pytest.mark.parametrize("name", [name for name in WHOLE if name in available()])
def test_weights_with_another_history_are_said_to_have_one(name):
    card = checkpoint.card(name)
    said = training_section([name])
    assert ("have another history" in said) is (recipes.deviation(name, card) != AS_WRITTEN)
    if "deviation" in card:
        assert card["deviation"]["why"] in said


def test_a_checkpoint_that_is_missing_or_whose_recipe_has_changed(tmp_path, monkeypatch):
    changed = dataclasses.replace(RECIPES["vae-fashion"], batch=32)
    monkeypatch.setitem(RECIPES, "vae-fashion", changed)
    assert "history: the recipe has changed since." in training_section(["vae-fashion"])
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    said = training_section(["vae-fashion"])
    assert "history" not in said and 'load_data("fashion"), 32, seed=0' in said


def test_the_other_parts_of_a_model_are_named():
    said = training_section([f"{NAME}/denoiser"])
    assert "`denoiser`, one of 6 parts" in said and f"train {NAME}/PART`" in said
    assert all(f"`{part}`" in said for part in registry.classes["text-to-image"].parts)
    assert training_code.DRAWS in registry.classes["text-to-image"].parts
