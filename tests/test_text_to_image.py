"""Text to image: the parts, the loop that is the library's own, and the folder anyone can open."""

import json
import shutil
import subprocess
import sys

import diffusers
import pytest
import torch

from emoji_fixtures import drawn_emoji
from emoji_pipeline import tiny_parts, tiny_pipeline
from gen_core import Noise, final
from gen_core.checkpoint import CheckpointError
from gen_core.checks import KnobError
from gen_core.data.captions import caption
from gen_core.data.scenes import COLOURS, Scene, random_scene
from gen_core.text_to_image import measure, training
from gen_core.text_to_image.__main__ import main as command_line
from gen_core.text_to_image.batches import JudgeBatches, LatentBatches, SceneBatches, pictures
from gen_core.text_to_image.judge import (
    QUESTIONS,
    UNSEEN,
    SceneJudge,
    SceneJudgeConfig,
    half,
    relation_found,
    truth,
)
from gen_core.text_to_image.match import Matcher
from gen_core.text_to_image.pipeline import MAX_STEPS, SCHEDULERS, Start, open_pipeline
from gen_core.text_to_image.tokens import LENGTH, encoded, learned
from gen_core.text_to_image.vocabulary import known_words, unknown_words

PROMPTS = ["a red cat on a blue background", "two dogs"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield tiny_pipeline(tmp_path_factory.mktemp("t2i"), patch)


@pytest.fixture(scope="module")
def model(folder):
    return open_pipeline(folder, "cpu")


def generators(seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


@pytest.mark.parametrize("sampler", SCHEDULERS)
def test_the_last_frame_is_what_the_plain_pipeline_draws(model, folder, sampler):
    plain = diffusers.StableDiffusionPipeline.from_pretrained(folder)
    plain.set_progress_bar_config(disable=True)
    kind, options = SCHEDULERS[sampler]
    plain.scheduler = getattr(diffusers, kind).from_config(plain.scheduler.config, **options)
    expected = plain(
        PROMPTS, negative_prompt=["blurry"] * 2, num_inference_steps=5, guidance_scale=3.0,
        generator=generators([3, 4]), output_type="pt",
    ).images  # fmt: skip
    last = final(
        model.sample(
            Noise([3, 4]), prompt=PROMPTS, negative_prompt="blurry", steps=5, guidance_scale=3.0,
            sampler=sampler, attention=True,
        )
    )  # fmt: skip
    assert model.decode(last) / 2 + 0.5 == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("sampler", ["DPM-Solver++", "Euler ancestral"])
def test_the_same_seed_is_the_same_picture_whatever_else_is_drawn(model, sampler):
    knobs = {"prompt": "a cat", "steps": 3, "sampler": sampler}
    together = model.decode(final(model.sample(Noise(range(5)), **knobs)))
    for seed in range(5):
        alone = model.decode(final(model.sample(Noise([seed]), **knobs)))
        assert alone[0] == pytest.approx(together[seed], abs=2 / 255)


@pytest.mark.parametrize("sampler", SCHEDULERS)
def test_frames_run_from_noise_to_the_picture(model, sampler):
    frames = list(model.sample(Noise([1]), prompt="a cat", steps=4, sampler=sampler))
    total = 5 if sampler == "PNDM" else 4
    assert [f.step for f in frames] == list(range(total + 1)) and {f.total for f in frames} == {
        total
    }
    assert frames[0].x == pytest.approx(Noise([1]).randn(4, 16, 16), abs=0.01)
    assert [f.level for f in frames] == sorted((f.level for f in frames), reverse=True)
    assert frames[-1].out is None and frames[-1].x0 is None and frames[-1].level == 0
    if sampler not in ("DDIM", "PNDM"):  # the others' last step takes the guess
        assert frames[-2].x0 == pytest.approx(frames[-1].x, abs=1e-4)


@pytest.mark.parametrize("sampler", SCHEDULERS)
def test_every_number_of_steps_stays_within_the_schedule(model, sampler):
    for steps in range(1, MAX_STEPS + 1):
        scheduler = model.scheduler(sampler)
        scheduler.set_timesteps(steps)
        times = scheduler.timesteps
        assert len(times) == steps + (sampler == "PNDM" and steps > 1) and times.min() >= 0, steps


def test_each_place_shares_its_attention_among_the_words(model):
    frames = list(model.sample(Noise([1, 2]), prompt=PROMPTS, steps=2, attention=True))
    assert frames[0].heat.shape == (2, LENGTH, 8, 8)
    assert frames[0].heat.sum(1) == pytest.approx(torch.ones(2, 8, 8), abs=1e-4)
    for row, seed in enumerate((1, 2)):  # each picture's own, and of the prompt, not of no words
        knobs = {"prompt": PROMPTS[row], "steps": 2, "guidance_scale": 1, "attention": True}
        alone = next(model.sample(Noise([seed]), **knobs))
        assert frames[0].heat[row] == pytest.approx(alone.heat[0], abs=1e-4)
    processors = {type(p).__name__ for p in model.pipeline.unet.attn_processors.values()}
    assert processors == {"AttnProcessor2_0"}  # nothing stays behind for the next visitor


def test_a_prompt_matters_only_with_its_own_guidance(model):
    noise = [Noise([1]) for _ in range(3)]
    same = {"steps": 2, "negative_prompt": "a dog"}
    one, two = (final(model.sample(n, guidance_scale=1, prompt="a cat", **k))
                for n, k in zip(noise, (same, same | {"negative_prompt": ""})))  # fmt: skip  # noqa: B905
    assert torch.equal(one, two)
    assert not torch.equal(one, final(model.sample(noise[2], prompt="a cat", **same)))


STRANGE = [
    "",
    " ",
    "🐱" * 50,
    "قطة حمراء",
    "<script>alert(1)</script>",
    "\x00\x07\u202e",
    "a" * 2000,
]


@pytest.mark.parametrize("prompt", STRANGE, ids=range(len(STRANGE)))
def test_any_prompt_gives_a_picture(model, prompt):
    picture = model.decode(final(model.sample(Noise([1]), prompt=prompt, steps=1)))
    assert picture.shape == (1, 3, 64, 64) and torch.isfinite(picture).all()


@pytest.mark.parametrize(
    ("knobs", "message"),
    [({"steps": 0}, "steps=0: choose a whole number from 1 to 60"),
     ({"guidance_scale": 31}, "guidance_scale=31: choose a number from 1 to 30"),
     ({"sampler": "Magic"}, "sampler='Magic': choose one of DPM-Solver"),
     ({"prompt": "a" * 10_000}, "prompt has 10,000 characters: write at most 2,000"),
     ({"negative_prompt": None}, "negative_prompt=None: write some text"),
     ({"prompt": ["a", "b"]}, "give one text, or one for each of the 1 pictures")],
)  # fmt: skip
def test_wrong_knobs_are_named_with_what_is_possible(model, knobs, message):
    with pytest.raises(KnobError, match=message):
        next(model.sample(Noise([1]), **knobs))


OPEN = """
import sys, warnings
from diffusers import StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained(sys.argv[1])
pipe.set_progress_bar_config(disable=True)
print(pipe("a cat", num_inference_steps=1).images[0].size)
assert "gen_core" not in sys.modules
"""


def test_the_folder_opens_without_anything_of_ours(folder, tmp_path):
    answer = subprocess.run(
        [sys.executable, "-c", OPEN, str(folder)], cwd=tmp_path, capture_output=True, text=True
    )
    assert answer.stdout.strip().endswith("(64, 64)"), answer.stderr
    assert max(path.stat().st_size for path in folder.rglob("*")) < 10_000_000
    card = json.loads((folder / "card.json").read_text())
    assert card.keys() == {"t2i-autoencoder", "t2i-clip", "t2i-denoiser"}


def test_a_missing_folder_says_what_to_do(tmp_path):
    with pytest.raises(CheckpointError, match="no pipeline in .*train PART"):
        open_pipeline(tmp_path)


@pytest.mark.parametrize(
    "file",
    ["model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.safetensors",
     "text_encoder/model.safetensors", "vae/diffusion_pytorch_model.safetensors", "card.json"],
)  # fmt: skip
def test_a_damaged_folder_says_what_to_do(folder, tmp_path, file):
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy" / file).write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(CheckpointError, match="is damaged"):
        open_pipeline(tmp_path / "copy")


def test_a_damaged_matcher_says_what_to_do(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy/clip/model.safetensors").write_text("{")
    with pytest.raises(CheckpointError, match="is damaged"):
        Matcher.open(tmp_path / "copy")


def test_a_tokenizer_reads_any_text_and_its_own_words_whole():
    tokenizer = learned(["a cat left of a dog, on a red background"] * 50)
    assert tokenizer.tokenize("CAT  background") == ["cat</w>", "background</w>"]
    tokens = encoded(tokenizer, ["", "猫 Ω zebra", "cat " * 100])
    start, end = len(tokenizer) - 2, len(tokenizer) - 1
    assert tokens.shape == (3, LENGTH) and (tokens[:, 0] == start).all()
    assert (tokens[0, 1:] == end).all() and tokens[2, -1] == end
    assert tokens[1].tolist().index(end) > 5  # no piece of a strange text reads as its end


def test_every_part_trains_and_resumes_to_the_same_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "load_emoji", lambda root: drawn_emoji())
    tiny_parts(tmp_path / "one", monkeypatch)
    tiny_parts(tmp_path / "two", monkeypatch)
    for name in training.PARTS:
        steps = list(training.run(name, tmp_path / "one").train(device="cpu"))
        assert len(steps) == 3 and all(
            torch.isfinite(s.losses[next(iter(s.losses))]) for s in steps
        )
        next(training.run(name, tmp_path / "two").train(device="cpu", save_every=1))
        list(training.run(name, tmp_path / "two").train(device="cpu"))
        ours, theirs = (training.part(name, tmp_path / n).state_dict() for n in ("one", "two"))
        assert all(torch.equal(ours[k], theirs[k]) for k in ours), name


def test_twins_differ_in_their_captions_too():
    batches = SceneBatches(drawn_emoji(), learned(["a cat"] * 9), 64, seed=0, twins=True)
    for step in range(10):
        scenes = batches.scenes(step)
        said = batches.captions(step, scenes)
        assert all(one != two for one, two in zip(said[::2], said[1::2], strict=True))


def test_the_judge_learns_the_answers_that_a_picture_gives():
    batches = JudgeBatches(drawn_emoji(), 64, seed=0)
    answers = torch.cat([batches[step][1] for step in range(8)])
    assert answers.shape == (512, len(QUESTIONS))
    for column, choices in zip(answers.T, QUESTIONS.values(), strict=True):
        assert column.min() >= UNSEEN and column.max() < choices
    whole = (answers[:, 0] == UNSEEN).float().mean()
    assert 0.03 < whole < 0.15  # a third of the quarter that shows two things
    two = Scene((3, 4), ("", "red"), "flat", "teal", relation="above")
    assert truth(two, 1) == [4, 2, list(COLOURS).index("teal"), 1]
    assert truth(two, None)[0] == UNSEEN and truth(two)[3] == 0
    sketch = Scene((3,), medium="pencil sketch")
    assert truth(sketch)[2:] == [UNSEEN, UNSEEN]


def test_one_caption_in_ten_is_dropped_and_latents_are_scaled(model, folder):
    scenes = SceneBatches(drawn_emoji(), model.pipeline.tokenizer, 100, seed=0)
    latents, words = LatentBatches(scenes, model.vae, model.text_encoder)[0]
    x, _ = scenes[0]
    assert latents == pytest.approx(model.encode(x), abs=0.05)  # bfloat16 here and there
    empty = model.encode_words([""])[0]
    dropped = [k for k in range(100) if torch.allclose(words[k], empty, atol=0.05)]
    assert 3 <= len(dropped) <= 20


class Colours(SceneJudge):
    """A judge that knows the drawn shapes by heart: red is concept 0, blue concept 1."""

    def forward(self, x):
        red, blue = ((x[:, a] - x[:, b]).clamp(min=0).mean((1, 2)) for a, b in ((0, 2), (2, 0)))
        logits = {name: torch.zeros(len(x), choices) for name, choices in QUESTIONS.items()}
        logits["concept"][:, 0], logits["concept"][:, 1] = 50 * red, 50 * blue
        return logits


@pytest.mark.parametrize("relation", measure.RELATIONS)
def test_a_relation_is_read_from_the_halves_of_the_picture(relation):
    scene = Scene((0, 1), ("red", "blue"), relation=relation)
    x = pictures([scene], drawn_emoji())
    assert half(x, (1, 0)).shape == (1, 3, 64, 64)
    assert relation_found(Colours(), x, [(0, 1)]) == [(relation, True)]
    assert relation_found(Colours(), x, [(0, 7)])[0][1] is False
    alone = Scene((0,), ("red",))
    x = torch.cat([x, pictures([alone], drawn_emoji())])
    pair, single = measure.answers(Colours(), x, [scene, alone])
    assert pair["relation"] and pair["both"] and single["concept"] and not single["tint"]


def test_half_of_the_prompts_ask_for_what_was_held_out():
    asked = measure.prompts()
    assert len(asked) == 500 and sum(a.held_out for a in asked) == 250
    assert all(measure.is_held_out(a.scene) is a.held_out for a in asked)
    assert sum(bool(a.scene.relation) for a in asked) == 200
    assert sum(any(a.scene.tints) for a in asked) == 100
    seen, held = ([a.scene for a in asked[k:300:2]] for k in (0, 1))
    assert [s.things for s in seen] == [s.things for s in held] and len(
        {s.things for s in seen}
    ) == 150
    assert [s.style for s in seen] == [s.style for s in held]
    assert asked[0].prompt.split()[0] in ("a", "an") and "background" in asked[0].prompt


@pytest.mark.parametrize("sampler", ["DPM-Solver++", "DDIM", "Euler"])
@pytest.mark.parametrize("masked", [False, True], ids=["image-to-image", "inpainting"])
def test_starting_from_a_picture_is_what_the_library_does(model, folder, sampler, masked):
    kind = "Inpaint" if masked else "Img2Img"
    plain = getattr(diffusers, f"StableDiffusion{kind}Pipeline").from_pretrained(folder)
    plain.set_progress_bar_config(disable=True)
    plain.scheduler = model.scheduler(sampler)
    x = pictures([Scene((0,), background="red")], drawn_emoji())
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 32:] = 1
    known = model.encode(x)  # given as latents, for the library would draw them at random
    options = {"mask_image": mask, "masked_image_latents": known} if masked else {}
    expected = plain(
        "a dog", image=known, strength=0.6, num_inference_steps=5, guidance_scale=3.0,
        generator=generators([7]), output_type="latent", **options,
    ).images  # fmt: skip
    start = Start(x, strength=0.6, mask=mask if masked else None)
    knobs = {"prompt": "a dog", "steps": 5, "guidance_scale": 3.0, "sampler": sampler}
    frames = list(model.sample(Noise([7]), start=start, **knobs))
    assert len(frames) == 4
    assert frames[-1].x == pytest.approx(expected, abs=1e-4)
    if masked:
        assert torch.equal(frames[-1].x[..., :8], model.encode(x)[..., :8])


def test_a_start_without_strength_still_takes_a_step(model):
    x = torch.zeros(1, 3, 64, 64)
    frames = list(model.sample(Noise([1, 2]), start=Start(x, strength=0.0), steps=10))
    assert len(frames) == 2 and frames[-1].x.shape == (2, 4, 16, 16)
    with pytest.raises(KnobError, match="strength=1.5: choose a number from 0 to 1"):
        next(model.sample(Noise([1]), start=Start(x, strength=1.5)))


def test_the_clip_score_is_a_hundred_times_the_cosine(model, folder):
    matcher = Matcher.open(folder)
    x = pictures([Scene((0,)), Scene((1,), background="red")], drawn_emoji())
    tokens = encoded(matcher.tokenizer, PROMPTS)
    logits = matcher.net(input_ids=tokens, pixel_values=x).logits_per_text
    cosine = logits.diagonal() / matcher.net.logit_scale.exp()
    assert matcher.score(x, PROMPTS) == pytest.approx((100 * cosine).clamp(min=0), abs=1e-3)
    assert matcher.of_pictures(x).norm(dim=1) == pytest.approx(torch.ones(2), abs=1e-5)
    with pytest.raises(CheckpointError, match="no clip/"):
        Matcher.open(folder / "unet")


def test_unknown_words_are_marked_and_the_nearest_known_ones_offered():
    prompt = "A tiny elefant left of a quark, on a purpel background!"
    found = unknown_words(prompt)
    assert [prompt[u.start : u.end] for u in found] == ["elefant", "quark", "purpel"]
    assert found[0].nearest[0] == "elephant" and found[2].nearest[0] == "purple"
    assert unknown_words("") == unknown_words("3D emoji of three t-rexes, at night") == []


def test_every_word_of_every_caption_is_known():
    said = {u.word for k in range(4000) for u in unknown_words(caption(random_scene(k), k))}
    assert said == set()


def test_every_word_is_one_token_and_every_caption_fits():
    captions = [caption(random_scene(k), k) for k in range(20_000)]
    tokenizer = learned([*captions, *sorted(known_words()) * 20])
    words = [w for w in known_words() if w.isalpha()]
    split = {w for w in words if len(tokenizer.tokenize(w)) > 1}
    assert split == set()
    assert max(len(ids) for ids in tokenizer(captions).input_ids) <= LENGTH


def test_the_whole_measurement_runs(model):
    judge = SceneJudge(SceneJudgeConfig((16, 16, 16, 16))).eval()
    done = []
    shares = measure.share_right(model, judge, steps=1, tick=lambda k, n: done.append((k, n)))
    assert done[-1] == (500, 500) and shares.keys() == {"seen", "held out"}
    asked = {"background", "style", "concept", "in the first five", "tint", "relation", "both"}
    assert all(s.keys() == asked for s in shares.values())
    assert measure.judge_right(judge, drawn_emoji()).keys() == shares.keys()


def test_the_command_line_answers_in_words(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("GEN_DATA", raising=False)
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    for arguments, message in (
        (["train", "judge", "--data", str(tmp_path)], "--data FOLDER or in GEN_DATA"),
        (["export", "--runs", str(tmp_path)], "train autoencoder` makes it"),
        (["measure", "--runs", str(tmp_path)], "no pipeline in"),
    ):
        assert command_line(arguments) == 1
        assert message in capsys.readouterr().err
