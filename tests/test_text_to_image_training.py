"""How text to image is trained and measured: words, batches, parts, judge, the 500 prompts."""

import json

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionOutput
from safetensors.torch import load_file, save_file

from emoji_fixtures import drawn_emoji
from emoji_pipeline import tiny_parts, tiny_pipeline
from gen_core import load
from gen_core.__main__ import main as command_line
from gen_core.classifiers.emoji import (
    IGNORE_INDEX,
    QUESTIONS,
    SceneClassifier,
    SceneClassifierConfig,
    half,
    relation_found,
    truth,
)
from gen_core.data.emoji.captions import caption
from gen_core.data.emoji.scenes import COLOURS, Scene, random_scene
from gen_core.evaluation import prompt_accuracy
from gen_core.families.text_to_image import TextToImage, batches, training
from gen_core.families.text_to_image.batches import (
    UNTOUCHED,
    WINDOW,
    ClassifierBatches,
    GuessBatches,
    LatentBatches,
    SceneBatches,
    WindowBatches,
    latents_of,
    pictures,
)
from gen_core.families.text_to_image.folder import NAME
from gen_core.families.text_to_image.parts import Decoder, Denoiser
from gen_core.families.text_to_image.tokens import (
    LENGTH,
    encoded,
    known_words,
    learned,
    unknown_words,
)
from gen_core.training import checkpoint, recipes
from gen_core.training.train import Trainer


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = tiny_pipeline(tmp_path_factory.mktemp("t2i"), patch)
        yield load(NAME, "cpu", folder.parent)


def test_a_tokenizer_reads_any_text_and_its_own_words_whole():
    tokenizer = learned(["a cat left of a dog, on a red background"] * 50)
    assert tokenizer.tokenize("CAT  background") == ["cat</w>", "background</w>"]
    tokens = encoded(tokenizer, ["", "猫 Ω zebra", "cat " * 100])
    start, end = len(tokenizer) - 2, len(tokenizer) - 1
    assert tokens.shape == (3, LENGTH) and (tokens[:, 0] == start).all()
    assert (tokens[0, 1:] == end).all() and tokens[2, -1] == end
    assert tokens[1].tolist().index(end) > 5  # no piece of a strange text reads as its end


@pytest.mark.slow
@pytest.mark.heavy
def test_every_part_trains_and_resumes_to_the_same_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "load_emoji", lambda root: drawn_emoji())
    one, two = (tiny_parts(tmp_path / name, monkeypatch) for name in ("one", "two"))
    for name in TextToImage.parts:
        recipe = f"{NAME}/{name}"
        steps = list(recipes.run(recipe, tmp_path / "one").train(device="cpu"))
        assert len(steps) == 3 and all(
            torch.isfinite(s.losses[next(iter(s.losses))]) for s in steps
        )
        next(recipes.run(recipe, tmp_path / "two").train(device="cpu", save_every=1))
        list(recipes.run(recipe, tmp_path / "two").train(device="cpu"))
        ours, theirs = (training.part(name, runs).state_dict() for runs in (one, two))
        assert all(torch.equal(ours[k], theirs[k]) for k in ours), name


def test_a_training_may_end_before_its_recipe_does(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(training, "load_emoji", lambda root: drawn_emoji())
    runs = tiny_parts(tmp_path / "runs", monkeypatch)
    judge = ["train", f"{NAME}/judge", "--folder", str(tmp_path / "runs"), "--device", "cpu"]
    assert command_line([*judge, "--steps", "2", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    card = training.part("judge", runs).card
    assert card["steps"] == card["recipe"]["steps"] == 2 and card.items() <= said.items()
    assert said["file"] == str(runs / "judge" / "final.safetensors")
    assert command_line([*judge, "--steps", "0"]) == 2
    assert "steps=0: choose a whole number from 1 to" in capsys.readouterr().err


def test_twins_differ_in_their_captions_too():
    source = SceneBatches(drawn_emoji(), learned(["a cat"] * 9), 64, seed=0, twins=True)
    for step in range(10):
        scenes = source.scenes(step)
        said = source.captions(step, scenes)
        assert all(one != two for one, two in zip(said[::2], said[1::2], strict=True))


def test_the_autoencoder_sees_windows_on_the_grid_of_the_latents():
    windows, _ = WindowBatches(drawn_emoji(), 6, seed=3)[5]
    assert windows.shape == (6, 3, WINDOW, WINDOW)
    scenes = pictures([random_scene((3, k)) for k in range(15, 18)], drawn_emoji())
    for k, window in enumerate(windows):
        views = scenes[k // 2].unfold(1, WINDOW, 4).unfold(2, WINDOW, 4)  # (3, 9, 9, 32, 32)
        assert (views == window[:, None, None]).all(-1).all(-1).all(0).any()


def test_the_judge_learns_the_answers_that_a_picture_gives():
    source = ClassifierBatches(drawn_emoji(), 64, seed=0)
    answers = torch.cat([source[step][1] for step in range(8)])
    assert answers.shape == (512, len(QUESTIONS))
    for column, choices in zip(answers.T, QUESTIONS.values(), strict=True):
        assert column.min() >= IGNORE_INDEX and column.max() < choices
    whole = (answers[:, 0] == IGNORE_INDEX).float().mean()
    assert 0.03 < whole < 0.15  # a third of the quarter that shows two things
    two = Scene((3, 4), ("", "red"), "flat", "teal", relation="above")
    assert truth(two, 1) == [4, 2, list(COLOURS).index("teal"), 1]
    assert truth(two, None)[0] == IGNORE_INDEX and truth(two)[3] == 0
    sketch = Scene((3,), medium="pencil sketch")
    assert truth(sketch)[2:] == [IGNORE_INDEX, IGNORE_INDEX]


@pytest.mark.heavy
def test_one_caption_in_ten_is_dropped_and_latents_are_scaled(model):
    scenes = SceneBatches(drawn_emoji(), model.pipeline.tokenizer, 100, seed=0)
    latents, words = LatentBatches(scenes, model.vae, model.text_encoder)[0]
    x, _ = scenes[0]
    assert latents == pytest.approx(model.encode(x), abs=0.05)  # bfloat16 here and there
    empty = model.encode_words([""])[0]
    dropped = [k for k in range(100) if torch.allclose(words[k], empty, atol=0.05)]
    assert 3 <= len(dropped) <= 20


def test_latents_are_met_again_in_other_words(model, monkeypatch):
    monkeypatch.setattr(batches, "KEPT", 2)
    scenes = SceneBatches(drawn_emoji(), model.pipeline.tokenizer, 3, seed=0)
    source = LatentBatches(scenes, model.vae, model.text_encoder)
    first = [source[step] for step in range(2 * batches.VISITS)]
    for latents, words in first[2::2]:
        assert torch.equal(latents, first[0][0]) and not torch.allclose(words, first[0][1])
    assert not torch.equal(first[1][0], first[0][0])
    later = source[2 * batches.VISITS]
    assert not any(torch.equal(later[0], latents) for latents, _ in first)
    resumed = LatentBatches(scenes, model.vae, model.text_encoder)
    for step in (2 * batches.VISITS, 5):
        assert all(map(torch.equal, resumed[step], source[step]))


class Knowing(torch.nn.Module):
    """Predicts the velocity of the latents it was told beforehand."""

    def __init__(self, latents, eps, schedule):
        super().__init__()
        self.truth = latents, eps, schedule

    def forward(self, x_t, t, words):
        latents, eps, schedule = self.truth
        return UNet2DConditionOutput(sample=schedule.get_velocity(latents, eps, t))


def test_a_denoiser_that_knows_the_velocity_guesses_the_latents():
    denoiser = Denoiser(Denoiser.Config(widths=(32, 32, 64), words=32))
    latents, eps = torch.randn(2, 3, 4, 16, 16).unbind()
    denoiser.net = Knowing(latents, eps, denoiser.schedule)
    guess = denoiser.guess(latents, torch.tensor([1, 300, 999]), eps, torch.zeros(3, 32, 32))
    assert torch.allclose(guess, latents, atol=1e-4)


def test_the_decoder_reads_guesses_and_some_latents_as_they_are(model):
    scenes = SceneBatches(drawn_emoji(), model.pipeline.tokenizer, 60, seed=0)
    denoiser = Denoiser(Denoiser.Config(widths=(32, 32, 64), words=32))
    source = GuessBatches(scenes, model.vae, model.text_encoder, denoiser)
    x, read = source[3]
    assert torch.equal(x, scenes[3][0])
    latents = latents_of(x, model.vae) / model.vae.config.scaling_factor
    untouched = (read == latents).all(-1).all(-1).all(-1).float().mean()
    assert untouched == pytest.approx(UNTOUCHED, abs=0.15)
    assert torch.equal(source[3][1], read) and not torch.equal(source[4][1], read)


@pytest.mark.heavy
def test_the_decoder_keeps_the_encoder_and_the_scale_that_the_denoiser_knows(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "load_emoji", lambda root: drawn_emoji())
    runs = tiny_parts(tmp_path / "runs", monkeypatch)
    list(recipes.run(f"{NAME}/decoder", tmp_path / "runs").train(device="cpu"))
    before, after = (training.part(n, runs) for n in ("autoencoder", "decoder"))
    for name, weight in before.net.state_dict().items():
        moved = not torch.equal(weight, after.net.state_dict()[name])
        assert moved is name.startswith(("decoder.", "post_quant_conv.")), name
    assert after.net.config.scaling_factor == before.net.config.scaling_factor == 0.5


def test_files_from_when_the_discriminator_was_called_critic_still_open(tmp_path):
    def older(names):
        return {k.replace("discriminator", "critic"): v for k, v in names.items()}

    def trained():
        return Trainer(Decoder(Decoder.tiny()), steps=2, seed=0, ema=0.9, warmup=0)

    torch.manual_seed(0)
    trainer, x = trained(), torch.rand(2, 3, 64, 64)
    trainer.update(x, torch.randn(2, 4, 16, 16))
    trainer.save(tmp_path / "state.safetensors")
    stored = load_file(tmp_path / "state.safetensors")
    assert any("discriminator" in name for name in stored)
    save_file(older(stored), tmp_path / "state.safetensors", {"step": "1", "seed": "0"})
    again = trained()
    again.restore(tmp_path / "state.safetensors")
    again.save(tmp_path / "again.safetensors")
    restored = load_file(tmp_path / "again.safetensors")
    assert restored.keys() == stored.keys()
    assert all(torch.equal(restored[name], stored[name]) for name in stored)
    path = tmp_path / "final.safetensors"
    checkpoint.save(trainer.model, path, {"metrics": {}}, dtype=torch.float32)
    tensors, meta = checkpoint.read("final", tmp_path)
    meta["config"] = older(meta["config"])
    save_file(older(tensors), path, {k: json.dumps(v) for k, v in meta.items()})
    loaded = checkpoint.load("final", "cpu", tmp_path)
    assert loaded.config == trainer.model.config
    for name, weight in trainer.model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], weight), name


class Colours(SceneClassifier):
    """A judge that knows the drawn shapes by heart: red is concept 0, blue concept 1."""

    def forward(self, x):
        red, blue = ((x[:, a] - x[:, b]).clamp(min=0).mean((1, 2)) for a, b in ((0, 2), (2, 0)))
        logits = {name: torch.zeros(len(x), choices) for name, choices in QUESTIONS.items()}
        logits["concept"][:, 0], logits["concept"][:, 1] = 50 * red, 50 * blue
        return logits


@pytest.mark.parametrize("relation", prompt_accuracy.RELATIONS)
def test_a_relation_is_read_from_the_halves_of_the_picture(relation):
    scene = Scene((0, 1), ("red", "blue"), relation=relation)
    x = pictures([scene], drawn_emoji())
    assert half(x, (1, 0)).shape == (1, 3, 64, 64)
    assert relation_found(Colours(), x, [(0, 1)]) == [(relation, (True, True))]
    assert not all(relation_found(Colours(), x, [(0, 7)])[0][1])
    alone = Scene((0,), ("red",))
    x = torch.cat([x, pictures([alone], drawn_emoji())])
    pair, single = prompt_accuracy.answers(Colours(), x, [scene, alone])
    assert pair["relation"] and pair["both"] and single["concept"] and not single["tint"]


def test_half_of_the_prompts_ask_for_what_was_held_out():
    asked = prompt_accuracy.prompts()
    assert len(asked) == 500 and sum(a.held_out for a in asked) == 250
    assert all(prompt_accuracy.is_held_out(a.scene) is a.held_out for a in asked)
    assert sum(bool(a.scene.relation) for a in asked) == 200
    assert sum(any(a.scene.tints) for a in asked) == 100
    seen, held = ([a.scene for a in asked[k:300:2]] for k in (0, 1))
    assert [s.things for s in seen] == [s.things for s in held] and len(
        {s.things for s in seen}
    ) == 150
    assert [s.style for s in seen] == [s.style for s in held]
    seen, held = ([a.scene for a in asked[k::2]] for k in (300, 301))
    for one, other in zip(seen, held, strict=True):
        assert one.things[0] == other.things[0] != one.things[1] != other.things[1]
        assert (one.style, one.relation) == (other.style, other.relation)
    assert len({s.things[0] for s in held}) > 70  # of all 300, not of the first few
    assert asked[0].prompt.split()[0] in ("a", "an") and "background" in asked[0].prompt


def test_unknown_words_are_marked_and_the_nearest_known_ones_offered():
    prompt = "A tiny elefant left of a quark, on a purpel background!"
    found = unknown_words(prompt)
    assert [prompt[u.start : u.end] for u in found] == ["elefant", "quark", "purpel"]
    assert found[0].nearest[0] == "elephant" and found[2].nearest[0] == "purple"
    assert unknown_words("") == unknown_words("3D emoji of three t-rexes, at night") == []


@pytest.mark.heavy
def test_every_word_of_every_caption_is_known():
    said = {u.word for k in range(4000) for u in unknown_words(caption(random_scene(k), k))}
    assert said == set()


@pytest.mark.slow
def test_every_word_is_one_token_and_every_caption_fits():
    captions = [caption(random_scene(k), k) for k in range(20_000)]
    tokenizer = learned([*captions, *sorted(known_words()) * 20])
    words = [w for w in known_words() if w.isalpha()]
    split = {w for w in words if len(tokenizer.tokenize(w)) > 1}
    assert split == set()
    assert max(len(ids) for ids in tokenizer(captions).input_ids) <= LENGTH


@pytest.mark.heavy
def test_the_whole_measurement_runs(model):
    judge = SceneClassifier(SceneClassifierConfig((16, 16, 16, 16))).eval()
    done = []
    shares = prompt_accuracy.measured_accuracy(model, judge, steps=1, progress=done.append)
    assert (done[-1].done, done[-1].total, done[-1].unit) == (500, 500, "pictures")
    assert shares.keys() == {"seen", "held out"}
    asked = {"background", "style", "concept", "in the first five", "tint", "relation", "both"}
    assert all(s.keys() == asked for s in shares.values())
    assert prompt_accuracy.classifier_accuracy(judge, drawn_emoji()).keys() == shares.keys()


def test_the_command_line_answers_in_words(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("GEN_DATA", raising=False)
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for arguments, message in (
        (["train", f"{NAME}/judge", "--data", str(tmp_path)], "--data or in GEN_DATA"),
        (["export", "--folder", str(tmp_path)], f"train {NAME}/judge` makes it"),
        (["look", "--folder", str(tmp_path)], f"train {NAME}/denoiser` makes it"),
        (["evaluate", NAME], f"no weights named '{NAME}'"),
        (["tradeoff"], f"no weights named '{NAME}'"),
        (["sharpness"], f"no weights named '{NAME}'"),
    ):
        assert command_line(arguments) == 2
        assert message in capsys.readouterr().err
