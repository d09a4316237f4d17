"""Text to image: the loop that is the library's own, and the folder that anyone can open."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import diffusers
import pytest
import torch
from safetensors.torch import load_file

from emoji_fixtures import drawn_emoji
from emoji_pipeline import tiny_pipeline
from gen_core import Noise, available, final, load, record
from gen_core.data.emoji.scenes import Scene
from gen_core.families.text_to_image import TextToImage
from gen_core.families.text_to_image.batches import pictures
from gen_core.families.text_to_image.clip_score import ClipScorer
from gen_core.families.text_to_image.folder import NAME
from gen_core.families.text_to_image.pipeline import MAX_STEPS, SCHEDULERS, Start
from gen_core.families.text_to_image.tokens import LENGTH, encoded
from gen_core.knobs import KnobError
from gen_core.training import checkpoint
from gen_core.training.checkpoint import CheckpointError

PROMPTS = ["a red cat on a blue background", "two dogs"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield tiny_pipeline(tmp_path_factory.mktemp("t2i"), patch)


@pytest.fixture(scope="module")
def model(folder):
    return load(NAME, "cpu", folder.parent)


def generators(seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


@pytest.mark.parametrize("solver", SCHEDULERS)
@pytest.mark.heavy
def test_the_last_frame_is_what_the_plain_pipeline_draws(model, folder, solver):
    plain = diffusers.StableDiffusionPipeline.from_pretrained(folder)
    plain.set_progress_bar_config(disable=True)
    plain.scheduler = SCHEDULERS[solver].made(plain.scheduler.config)
    expected = plain(
        PROMPTS,
        negative_prompt=["blurry"] * 2,
        num_inference_steps=5,
        guidance_scale=3.0,
        generator=generators([3, 4]),
        output_type="pt",
    ).images
    last = final(
        model.sample(
            Noise([3, 4]),
            prompt=PROMPTS,
            negative_prompt="blurry",
            steps=5,
            guidance_scale=3.0,
            solver=solver,
            attention=True,
        )
    )
    assert last / 2 + 0.5 == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("solver", ["dpm++2m", "euler-ancestral"])
def test_the_same_seed_is_the_same_picture_whatever_else_is_drawn(model, solver):
    knobs = {"prompt": "a cat", "steps": 3, "solver": solver}
    together = final(model.sample(Noise(range(5)), **knobs))
    for seed in range(5):
        alone = final(model.sample(Noise([seed]), **knobs))
        assert alone[0] == pytest.approx(together[seed], abs=2 / 255)


@pytest.mark.parametrize("solver", SCHEDULERS)
def test_frames_run_from_noise_to_the_picture(model, solver):
    frames = list(model.sample(Noise([1]), prompt="a cat", steps=4, solver=solver))
    total = model.total({"steps": 4, "solver": solver})
    assert total == (5 if solver == "pndm" else 4)
    assert [f.step for f in frames] == list(range(total + 1)) and {f.total for f in frames} == {
        total
    }
    assert frames[0].x == pytest.approx(Noise([1]).randn(4, 16, 16), abs=0.01)
    assert [f.level for f in frames] == sorted((f.level for f in frames), reverse=True)
    assert frames[-1].out is None and frames[-1].x0 is None and frames[-1].level == 0
    assert frames[-1].x.shape == (1, *model.event.shape)
    assert torch.equal(frames[-1].x, model.decode(frames[-1].latents))
    assert all(torch.equal(f.x, f.latents) for f in frames[:-1])
    assert [f.evaluations for f in frames] == [*range(2, 2 * total + 1, 2), 2 * total]
    if solver not in ("ddim", "pndm"):  # the others' last step takes the guess
        assert frames[-2].x0 == pytest.approx(frames[-1].latents, abs=1e-4)
    assert all(not f.latents.is_inference() for f in record(iter(frames)))


@pytest.mark.parametrize("solver", SCHEDULERS)
def test_every_number_of_steps_stays_within_the_schedule(model, solver):
    for steps in range(1, MAX_STEPS + 1):
        scheduler = model.scheduler(solver)
        scheduler.set_timesteps(steps)
        times = scheduler.timesteps
        assert len(times) == steps + (solver == "pndm" and steps > 1) and times.min() >= 0, steps


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
    picture = final(model.sample(Noise([1]), prompt=prompt, steps=1))
    assert picture.shape == (1, 3, 64, 64) and torch.isfinite(picture).all()


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"steps": 0}, "steps=0: choose a whole number from 1 to 60"),
        ({"guidance_scale": 31}, "guidance_scale=31: choose a number from 1 to 30"),
        ({"solver": "Magic"}, r"solver='Magic': choose one of dpm\+\+2m, ddim"),
        ({"prompt": "a" * 10_000}, "prompt has 10,000 characters: write at most 2,000"),
        ({"negative_prompt": None}, "negative_prompt=None: write some text"),
        ({"prompt": ["a", "b"]}, "prompt has 2 entries: give one text, or one per sample .1."),
        ({"start": "a cat"}, "start='a cat': give a Start, or None"),
        ({"attention": 1}, "attention=1: choose true or false"),
    ],
)
def test_wrong_knobs_are_named_with_what_is_possible(model, knobs, message):
    with pytest.raises(KnobError, match=message):
        model.sample(Noise([1]), **knobs)


OPEN = """
import sys, warnings
from diffusers import StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained(sys.argv[1])
pipe.set_progress_bar_config(disable=True)
print(pipe("a cat", num_inference_steps=1).images[0].size)
assert "gen_core" not in sys.modules
"""


@pytest.mark.heavy
def test_the_folder_opens_without_anything_of_ours(folder, tmp_path):
    answer = subprocess.run(
        [sys.executable, "-c", OPEN, str(folder)], cwd=tmp_path, capture_output=True, text=True
    )
    assert answer.stdout.strip().endswith("(64, 64)"), answer.stderr
    assert max(path.stat().st_size for path in folder.rglob("*")) < 10_000_000
    card = json.loads((folder / "card.json").read_text())
    assert card["parts"].keys() == TextToImage.parts.keys() and card["hours"] == 0.5 * len(
        TextToImage.parts
    )


def test_a_missing_folder_says_what_to_do(tmp_path):
    with pytest.raises(CheckpointError, match=f"no weights named '{NAME}' in .*GEN_WEIGHTS"):
        load(NAME, "cpu", tmp_path)


def test_it_is_a_checkpoint_like_the_others(model, folder):
    assert available(folder.parent) == [NAME]
    card = checkpoint.card(NAME, folder.parent)
    assert model.card == card and card["family"] == model.name and card["metrics"] == {}
    drawing = (model.unet, model.vae, model.text_encoder)
    assert card["parameters"] == sum(p.numel() for part in drawing for p in part.parameters())
    assert model.config.denoiser.words == model.config.text_encoder.width == 32
    files = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert checkpoint.size(NAME, folder.parent) == files


@pytest.mark.parametrize(
    "file",
    [
        "model_index.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "text_encoder/model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
        "card.json",
    ],
)
def test_a_damaged_folder_says_what_to_do(folder, tmp_path, file):
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy" / file).write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(CheckpointError, match="is damaged"):
        load("copy", "cpu", tmp_path)


def as_pickle(file: Path) -> None:
    """The same tensors as the libraries stored them before safetensors, by the name of then."""
    names = {"model": "pytorch_model", "diffusion_pytorch_model": "diffusion_pytorch_model"}
    torch.save(load_file(file), file.with_name(f"{names[file.stem]}.bin"))
    file.unlink()


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_a_pickle_in_the_folder_is_not_opened(folder, tmp_path, part):
    copy = shutil.copytree(folder, tmp_path / "copy")
    as_pickle(next((copy / part).glob("*.safetensors")))
    with pytest.raises(CheckpointError, match=r"copy is damaged .*no file named .*safetensors"):
        load("copy", "cpu", tmp_path)


def test_a_pickled_matcher_is_not_opened(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    as_pickle(copy / "clip/model.safetensors")
    with pytest.raises(CheckpointError, match=r"clip/ is damaged .*no file named .*safetensors"):
        ClipScorer.open(copy)


@pytest.mark.parametrize("missing", ["parts", "words", "config"])
def test_a_card_without_its_parts_is_refused(folder, tmp_path, missing):
    shutil.copytree(folder, tmp_path / "copy")
    card = json.loads((folder / "card.json").read_text())
    holders = {"parts": card, "words": card["parts"], "config": card["parts"]["denoiser"]}
    del holders[missing][missing]
    (tmp_path / "copy/card.json").write_text(json.dumps(card))
    with pytest.raises(CheckpointError, match=f"states no '{missing}'"):
        load("copy", "cpu", tmp_path)


def test_a_damaged_matcher_says_what_to_do(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy/clip/model.safetensors").write_text("{")
    with pytest.raises(CheckpointError, match="is damaged"):
        ClipScorer.open(tmp_path / "copy")


@pytest.mark.parametrize("solver", ["dpm++2m", "ddim", "euler"])
@pytest.mark.parametrize("masked", [False, True], ids=["image-to-image", "inpainting"])
def test_starting_from_a_picture_is_what_the_library_does(model, folder, solver, masked):
    kind = "Inpaint" if masked else "Img2Img"
    plain = getattr(diffusers, f"StableDiffusion{kind}Pipeline").from_pretrained(folder)
    plain.set_progress_bar_config(disable=True)
    plain.scheduler = model.scheduler(solver)
    x = pictures([Scene((0,), background="red")], drawn_emoji())
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 32:] = 1
    known = model.encode(x)  # given as latents, for the library would draw them at random
    options = {"mask_image": mask, "masked_image_latents": known} if masked else {}
    expected = plain(
        "a dog",
        image=known,
        strength=0.6,
        num_inference_steps=5,
        guidance_scale=3.0,
        generator=generators([7]),
        output_type="latent",
        **options,
    ).images
    start = Start(x, strength=0.6, mask=mask if masked else None)
    knobs = {"prompt": "a dog", "steps": 5, "guidance_scale": 3.0, "solver": solver}
    frames = list(model.sample(Noise([7]), start=start, **knobs))
    assert len(frames) == 4
    assert frames[-1].latents == pytest.approx(expected, abs=1e-4)
    if masked:
        assert torch.equal(frames[-1].latents[..., :8], model.encode(x)[..., :8])


def test_a_start_without_strength_still_takes_a_step(model):
    x = torch.zeros(1, 3, 64, 64)
    frames = list(model.sample(Noise([1, 2]), start=Start(x, strength=0.0), steps=10))
    assert len(frames) == 2 and frames[-1].latents.shape == (2, 4, 16, 16)
    with pytest.raises(KnobError, match="strength=1.5: choose a number from 0 to 1"):
        Start(x, strength=1.5)
    with pytest.raises(KnobError, match=r"picture of shape \(1, 1, 28, 28\): give a tensor"):
        Start(torch.zeros(1, 1, 28, 28))
    with pytest.raises(KnobError, match="mask 'all': give a tensor"):
        Start(x, mask="all")


def test_the_clip_score_is_a_hundred_times_the_cosine(model, folder):
    matcher = ClipScorer.open(folder)
    x = pictures([Scene((0,)), Scene((1,), background="red")], drawn_emoji())
    tokens = encoded(matcher.tokenizer, PROMPTS)
    logits = matcher.net(input_ids=tokens, pixel_values=x).logits_per_text
    cosine = logits.diagonal() / matcher.net.logit_scale.exp()
    assert matcher.score(x, PROMPTS) == pytest.approx((100 * cosine).clamp(min=0), abs=1e-3)
    assert matcher.of_pictures(x).norm(dim=1) == pytest.approx(torch.ones(2), abs=1e-5)
    with pytest.raises(CheckpointError, match="no clip/"):
        ClipScorer.open(folder / "unet")


class Blank(torch.nn.Module):
    """A denoiser that knows that there is no picture behind the noise `eps`."""

    def __init__(self, eps: torch.Tensor, kept: torch.Tensor) -> None:
        super().__init__()
        self.eps, self.kept = eps, kept

    def forward(self, x: torch.Tensor, t: torch.Tensor, words: torch.Tensor):
        return SimpleNamespace(sample=self.kept[int(t)].sqrt() * self.eps)


@pytest.mark.parametrize("solver", sorted({*SCHEDULERS} - {"euler-ancestral"}))
@pytest.mark.parametrize(("steps", "strength"), [(20, 1.0), (20, 0.95), (20, 0.6), (20, 0.25)])
def test_a_state_is_as_noisy_as_its_time_says(model, solver, steps, strength):
    """From a blank picture: x_t is sqrt(1 - alpha_bar) eps all the way, and nothing at its end."""
    eps, kept = Noise([5]).randn(4, 16, 16), model.scheduler(solver).alphas_cumprod
    blank = TextToImage(model.config, model.pipeline)
    blank.unet, blank.encode = Blank(eps, kept), lambda x: torch.zeros(1, 4, 16, 16)
    walk = blank.sample(
        Noise([5]),
        steps=steps,
        guidance_scale=1.0,
        solver=solver,
        start=Start(torch.zeros(1, 3, 64, 64), strength),
    )
    *on_the_way, last = walk
    walked = int(steps * strength)
    off = 0.2 if solver == "pndm" else 0.05  # it takes the mean of velocities of several times
    assert len(on_the_way) == walked + (solver == "pndm")
    for frame in on_the_way:
        noise = float((1 - kept[int(frame.level)]).sqrt())
        assert float((frame.x / eps).mean()) == pytest.approx(noise, rel=off), frame.level
    assert abs(float((last.latents / eps).mean())) < 0.05
