"""Nothing is left on the CPU where a model is on a GPU: asked of a GPU on paper (`paper_gpu`).

Models are built on the CPU and moved, as checkpoints and recipes do it, so that what a module
forgot to register stays behind and is found. An operation that meets tensors of both raises.

And where the GPU is kept busy, in sampling and training, the host must not wait for it: it may not
ask for values, nor send any but fresh noise, which is drawn on the CPU by design. What is asked
for once, at the end, may: metrics, reports and whatever else ends as numbers on the CPU.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

import pytest
import torch

from core_fixtures import GENERATIVE, examples, portraits, tiny
from gen_core import Frame, Noise, final
from gen_core.data import Batches, ImageSet
from gen_core.evaluation.compositionality import compositionality
from gen_core.evaluation.memorization import candidates
from gen_core.evaluation.reference import TrainingIndex, classified
from gen_core.families import style_gan
from gen_core.family import Family, Gaussian, Phase, Picture, registry
from gen_core.knobs import KnobError
from gen_core.latent import analyze, anomaly
from gen_core.latent.atlas import Atlas
from gen_core.latent.interpolation import four_corners, spherical, straight
from gen_core.sampling import cost_of
from gen_core.training import checkpoint
from gen_core.training.recipes import PORTRAIT_UNET
from gen_core.training.train import Trainer
from paper_gpu import PaperGPU, paper_gpu

PORTRAIT = {k: PORTRAIT_UNET[k] for k in ("channels", "classes", "choices", "measures")}
SHALLOW = {"widths": (32,)}
"""Of networks that are asked often; training walks through those of all levels."""

FAMILIES = [name for name in registry.classes if not name.startswith("text-to-image")]
"""Without text to image and its parts, which test_cuda_text_to_image holds to the same."""
DRAWING = [name for name in FAMILIES if name in GENERATIVE]

pytestmark = pytest.mark.heavy


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[PaperGPU]:
    monkeypatch.setattr(style_gan, "TYPICAL", 4)  # people who are drawn by lot, one by one
    with paper_gpu() as gpu:
        yield gpu


def moved(model: torch.nn.Module) -> Any:
    return model.to("cuda", memory_format=torch.channels_last)


def kinds(families: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """The families, each with all it can be conditioned on: classes, attributes, nothing."""
    found = [(family, {}) for family in families]
    for family in families:
        config = registry.classes[family].tiny()
        if hasattr(config, "choices"):
            found.append((family, PORTRAIT | {"size": 16}))
        elif family in GENERATIVE and getattr(config, "classes", 0):
            found.append((family, {"classes": 0}))
    return found


def named(kind: tuple[str, dict[str, Any]]) -> str:
    family, changes = kind
    return family + "".join(f"-{k}" for k in changes if k in ("classes", "choices"))


def data_for(model: Family, count: int = 8) -> ImageSet:
    if getattr(model.config, "choices", ()):
        return portraits(count, model.config.size)
    return examples(model, count)


def knobs_of(family: str) -> set[str]:
    return {knob.name for knob in tiny(family).every_knob}


def solvers_of(family: str) -> list[str]:
    """All that the family declares."""
    return [
        s for knob in registry.classes[family].knobs if knob.name == "solver" for s in knob.options
    ]


def ways(family: str) -> list[dict[str, Any]]:
    """Knobs that take another way through the code each, in as few steps as that takes."""
    found: list[dict[str, Any]] = [{"temperature": 0.5}, {"truncation_psi": 0.5}]
    found += [{"guidance_scale": scale, "steps": 1} for scale in (0.0, 1.0, 2.0)]
    if "solver" in knobs_of(family):
        found += [{"solver": solver, "steps": 2} for solver in solvers_of(family)]
    found.append({"solver": "ddim", "eta": 1.0, "steps": 2})
    return [way for way in found if way.keys() <= knobs_of(family)] or [{}]


def sampler(family: str, **changes: Any) -> Family:
    """A model whose network is asked often, or was elsewhere."""
    shallow = SHALLOW if hasattr(registry.classes[family].Config(), "blocks") else {}
    return moved(tiny(family, **shallow | changes))


def quick(family: str) -> dict[str, Any]:
    """Knobs that make a generation short."""
    return {k: v for k, v in {"steps": 1}.items() if k in knobs_of(family)}


class Counted(Noise):
    """Noise that knows how often it was drawn: each time, it is sent to the GPU."""

    draws = 0

    def randn(self, *event: int) -> torch.Tensor:
        self.draws += 1
        return super().randn(*event)

    def rand(self, *event: int, **options: Any) -> torch.Tensor:
        self.draws += 1
        return super().rand(*event, **options)


def drawn(gpu: PaperGPU, model: Family, **knobs: Any) -> None:
    """Samples, and fails where something is left on the CPU or the host waits for the GPU."""
    noise = Counted([1, 2])
    frames = model.sample(noise, **quick(model.name) | knobs)
    first = next(frames)
    drawn_before, sent_before = noise.draws, len(gpu.sent)
    for frame in (first, *frames):
        tensors = (frame.x, frame.x0, frame.out)
        assert {t.device.type for t in tensors if t is not None} == {"cuda"}
    assert frame.x.shape == (2, *model.event.shape) and frame.x.dtype == model.event.dtype
    assert gpu.asked == []
    assert len(gpu.sent) - sent_before == noise.draws - drawn_before, gpu.sent[sent_before:]


def updated(gpu: PaperGPU, trainer: Trainer, x: torch.Tensor, label: torch.Tensor) -> None:
    """One update, of which the same is asked; `devices.constant` sends each constant once."""
    gpu.asked.clear(), gpu.sent.clear()
    losses = trainer.update(x, label)
    assert losses and {value.device.type for value in losses.values()} == {"cuda"}
    assert gpu.asked == []
    assert [place for place in gpu.sent if "gen_core/devices.py" not in place] == []


def test_every_solver_is_asked():
    assert {"ddpm", "heun"} <= {*solvers_of("diffusion")} and "midpoint" in solvers_of("flow")


@pytest.mark.parametrize("kind", kinds(DRAWING), ids=named)
def test_sampling_stays_on_the_gpu(gpu, kind):
    family, changes = kind
    model = sampler(family, **changes)
    # Solvers know nothing of conditions.
    tried = [way for way in ways(family) if not (changes and "solver" in way)]
    assert tried
    for way in tried:
        gpu.asked.clear()
        if "guidance_scale" in way:
            way = way | {"label": model.condition.balanced(range(2))}
        drawn(gpu, model, **way)


@pytest.mark.parametrize("kind", kinds(DRAWING), ids=named)
def test_a_label_may_be_written_in_any_way(gpu, kind):
    family, changes = kind
    model, taken = sampler(family, **changes), 0
    if "label" not in {knob.name for knob in model.condition.knobs}:
        pytest.skip(f"{family} takes no label")
    rows = model.condition.balanced(range(2))
    wish = {"hat": "cap", "smile": 0.5}
    for label in (None, 1, [1, 2], torch.tensor([1, 2]), wish, [wish, {}], rows):
        gpu.asked.clear()
        with contextlib.suppress(KnobError):
            drawn(gpu, model, label=label)
            taken += 1
    assert taken >= 3
    if isinstance(rows, torch.Tensor):  # it may be anywhere, and is looked at on the CPU, once
        final(model.sample(Noise([1, 2]), **quick(family) | {"label": rows.to("cuda")}))


@pytest.mark.parametrize("kind", kinds(FAMILIES), ids=named)
def test_training_stays_on_the_gpu(gpu, kind):
    """Each phase and each penalty: all of them have their turn in the first update."""
    family, changes = kind
    model = sampler(family, **changes) if changes else moved(tiny(family))
    trainer = Trainer(model.train(), steps=8, seed=0, ema=0.9, warmup=1)
    batch = Batches(data_for(model), 8, 0)[0]
    updated(gpu, trainer, *batch)
    trainer.ema.calibrate(*trainer.recent)
    for module in (trainer.model, trainer.ema):
        assert {t.device.type for t in (*module.parameters(), *module.buffers())} == {"cuda"}


def test_training_goes_on_from_a_file_on_the_gpu(gpu, tmp_path):
    trainer = Trainer(moved(tiny("judge")).train(), steps=8, seed=0, ema=0.9, warmup=1)
    batch = Batches(examples(tiny("judge"), 8), 8, 0)[0]
    trainer.update(*batch)
    trainer.save(tmp_path / "state")
    resumed = Trainer(moved(tiny("judge")).train(), steps=8, seed=0, ema=0.9, warmup=1)
    resumed.restore(tmp_path / "state")
    assert resumed.step == 1
    updated(gpu, resumed, *batch)
    resumed.sync_weights()
    moments = [m for optimiser in resumed.optimisers.values() for m in optimiser.state.values()]
    assert moments and {m["exp_avg"].device.type for m in moments} == {"cuda"}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_checkpoint_is_read_onto_the_gpu(gpu, family, tmp_path):
    extra = {}
    if family == "gan":
        weights = tiny(family).generator.state_dict()
        extra = {f"snapshot.7.{name}": value for name, value in weights.items()}
    checkpoint.save(tiny(family), tmp_path / "one.safetensors", {}, extra=extra)
    with mock.patch("gen_core.training.checkpoint.pick_device", torch.device):
        model = checkpoint.load("one", "cuda", tmp_path)
    if extra:
        model = model.at_snapshot(7)
    if family in ("gan", "vae"):
        drawn(gpu, model)
    checkpoint.save(model, tmp_path / "again.safetensors", {})


JUDGES = [name for name, kind in registry.classes.items() if hasattr(kind, "census")]


@pytest.mark.parametrize("family", JUDGES)
def test_a_classifier_answers_from_the_gpu(gpu, family):
    judge, data = moved(tiny(family)), examples(tiny(family), 8)
    x = data.pictures(slice(8))
    said = judge(x.to("cuda"))
    assert judge.features(x.to("cuda")).device == said.device == judge.device
    for label in (data.labels, data.labels.to("cuda")):
        assert 0 <= judge.agreement(said, label)["accuracy"] <= 1
        assert judge.agreement(said.cpu(), label)
    assert judge.census(said).keys() == judge.census(said.cpu()).keys()
    for batches in ([x], [x.to("cuda")]):
        assert {part.device.type for part in classified(judge, batches)} == {"cpu"}


@pytest.mark.parametrize("kind", kinds(["gan", "style-gan"]), ids=named)
def test_a_discriminator_judges_on_the_gpu(gpu, kind):
    family, changes = kind
    model = moved(tiny(family, **changes))
    data = data_for(model, 2)
    x, own = data.pictures(slice(2)), model.condition.balanced(range(2))
    for pictures in (x, x.to("cuda")):
        assert model.judge(pictures).device.type == "cuda"
        if own is not None:
            assert model.judge(pictures, own).device.type == "cuda"


@pytest.fixture
def vae(gpu) -> Family:
    return moved(tiny("vae", channels=3, size=16))


def test_codes_are_made_and_read_on_the_gpu(gpu, vae):
    x = portraits(4, 16).pictures(slice(4))
    mean, logvar = vae.encode(x.to("cuda"))
    parts = vae.bound(x.to("cuda"), torch.Generator("cuda").manual_seed(0))
    parts += vae.bound(x.to("cuda"))
    assert {t.device.type for t in (mean, logvar, vae.decode(mean), *parts)} == {"cuda"}
    assert gpu.asked == []
    assert len(vae.order) == vae.config.latent  # asked for by the page, not by training
    assert [t.device.type for t in anomaly.examine(vae, x)[1].values()] == ["cpu", "cpu"]
    for path in (straight, spherical):
        assert path(mean[0], mean[1], torch.linspace(0, 1, 5)).device == mean.device
    assert four_corners(mean[:4], 3).device == mean.device


def test_a_latent_space_is_surveyed_from_the_gpu(gpu):
    """An atlas is the CPU's: only the pictures are encoded, decoded and judged on the GPU."""
    data, judge = portraits(12, 16), moved(tiny("avatar-judge"))
    vae = moved(tiny("vae", channels=3, size=16, latent=2))
    atlas = Atlas.of(vae, data, data, steps=2)
    assert Atlas.kept(atlas.tensors()).at((0.0, 0.0)).device.type == "cpu"
    codes = atlas.regressor.moved(atlas.codes[:2].float(), {"smile": 1.0})
    assert analyze.seen_traits(judge, analyze.decoded(vae, codes)).device.type == "cpu"
    on_gpu = {k: v.to("cuda") for k, v in atlas.tensors().items()}
    assert Atlas.kept(on_gpu).mean.device.type == "cpu"


def test_composing_and_its_cost_are_measured_from_the_gpu(gpu, monkeypatch):
    pair = ("hair", "cloth_colour")
    held_out = {pair: frozenset({("afro", "red")})}  # one of dozens
    monkeypatch.setattr("gen_core.evaluation.compositionality.HELD_OUT", held_out)
    model, judge = sampler("flow", **PORTRAIT, size=16), moved(tiny("avatar-judge"))
    assert compositionality(model, judge, each=2, steps=1)["held_out"]["pictures"] == 2
    cost = cost_of(model, [1, 2], steps=1)
    assert cost.x.device.type == "cpu" and cost.evaluations == 1


def test_copies_are_looked_for_on_the_gpu(gpu):
    judge, x = moved(tiny("avatar-judge")), portraits(60, 16).pictures(slice(60))
    features = classified(judge, [x]).features
    judge.extra = TrainingIndex.of(features + torch.randn(features.shape)).tensors()
    for picture in (x[:1], x[:1].to("cuda")):
        assert 0 <= next(candidates(judge, picture)).difference <= 1


# That the test can fail: families with one mistake each.


@dataclass(frozen=True)
class FaultyConfig:
    pass


class Faultless(Family):
    """The smallest family there is."""

    name = "faulty"
    Config = FaultyConfig
    event = Picture(1, 1, 3)
    prior = Gaussian((1, 1, 3))

    def __init__(self, config: FaultyConfig | None = None) -> None:
        super().__init__(config)
        self.net = torch.nn.Linear(3, 3)
        self.register_buffer("scale", torch.ones(3))

    def phases(self) -> list[Phase]:
        return [Phase("only", [*self.parameters()], self.loss)]

    def loss(self, x, label, rng):
        noise = torch.randn(x.shape, generator=rng, device=x.device)
        return {"loss": (self.scale * self.net(x + noise)).square().mean()}

    def frames(self, noise, condition):
        x = self.prior.draw(noise).to(self.device)
        yield Frame(0, 1, 0.0, x)
        yield Frame(1, 1, 1.0, self.scale * self.net(x))


class LeftBehind(Faultless):
    def __init__(self, config: FaultyConfig | None = None) -> None:
        super().__init__(config)
        del self.scale
        self.scale = torch.ones(3)  # no buffer: it does not move


class MadeOnCPU(Faultless):
    def loss(self, x, label, rng):
        return {"loss": (self.net(x) * torch.linspace(0, 1, 3)).mean()}


class DrawnElsewhere(Faultless):
    def loss(self, x, label, rng):
        eps = torch.randn(x.shape, generator=torch.Generator().manual_seed(0), device=x.device)
        return {"loss": self.net(x + eps).mean()}


class Masked(Faultless):
    def loss(self, x, label, rng):
        return {"loss": self.net(x)[x > 0].mean()}


class Waiting(Faultless):
    def loss(self, x, label, rng):
        loss = self.net(x).mean()
        return {"loss": loss * float(loss)}


class Sending(Faultless):
    def loss(self, x, label, rng):
        return {"loss": (self.net(x) * torch.tensor([1.0, 2.0, 3.0], device=x.device)).mean()}


FAULTS = {
    LeftBehind: "at least two devices, cpu and cuda",
    MadeOnCPU: "at least two devices, cuda:0 and cpu",
    DrawnElsewhere: "Expected a 'cuda' device type for generator but found 'cpu'",
    Masked: "nonzero",
    Waiting: "_local_scalar_dense",
    Sending: "_to_copy",
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_found_in_training(gpu, kind):
    trainer = Trainer(moved(kind()), steps=2, seed=0, ema=0.9, warmup=1)
    with pytest.raises((RuntimeError, AssertionError), match=FAULTS[kind]):
        updated(gpu, trainer, torch.randn(2, 3), torch.zeros(2))


def test_a_fault_is_found_in_sampling_and_none_where_there_is_none(gpu):
    with mock.patch.dict(registry.classes, faulty=Faultless):
        drawn(gpu, moved(Faultless()))
        with pytest.raises(RuntimeError, match="at least two devices"):
            drawn(gpu, moved(LeftBehind()))
    trainer = Trainer(moved(Faultless()), steps=2, seed=0, ema=0.9, warmup=1)
    updated(gpu, trainer, torch.randn(2, 3), torch.zeros(2))
