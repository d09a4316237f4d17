"""The words that hold the library together: Phase, Family and the registry.

A family declares itself: what it draws (`event`), where a generation begins (`prior`), its clock,
its knobs, what it can be asked for (`condition`), what its network says (`out`). Command line,
evaluation, benchmarks, contract tests and the page are read from that.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

import torch
from torch import Tensor, nn

from gen_core.conditions import Condition, Nothing
from gen_core.knobs import Choice, Knob, check_all, check_config
from gen_core.sampling import Frame, Noise

if TYPE_CHECKING:
    from gen_core.evaluation.evaluate import Evaluation
    from gen_core.training.recipes import Recipe, Run

UNDRAWN = -1
"""In place of a token that is not drawn yet; in a picture, its darkest value."""


class Picture(NamedTuple):
    """What is drawn is a picture: float32 (B, channels, height, width) in [-1, 1]."""

    channels: int
    height: int
    width: int
    levels: int = 256
    """From black to white, of each channel, where a network tells them apart."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample."""
        return self.channels, self.height, self.width

    dtype = torch.float32


class Tokens(NamedTuple):
    """What is drawn is a row of tokens: int64 (B, length) in 0 .. vocabulary - 1, `UNDRAWN` for
    what is not drawn yet."""

    length: int
    vocabulary: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.length,)

    dtype = torch.int64


Event = Picture | Tokens


@dataclass(frozen=True)
class Gaussian:
    """A generation begins with standard normal noise of this shape."""

    shape: tuple[int, ...]

    def draw(self, noise: Noise) -> Tensor:
        """(B, *shape) float32 on the CPU."""
        return noise.randn(*self.shape)


@dataclass(frozen=True)
class Empty:
    """A generation begins with nothing drawn: every token, or pixel, is `UNDRAWN`."""

    event: Event

    def draw(self, noise: Noise) -> Tensor:
        return torch.full((len(noise), *self.event.shape), UNDRAWN, dtype=self.event.dtype)


@dataclass(frozen=True)
class Uniform:
    """A generation begins with tokens drawn by chance, all alike."""

    event: Tokens

    def draw(self, noise: Noise) -> Tensor:
        return (noise.rand(*self.event.shape) * self.event.vocabulary).long()


Prior = Gaussian | Empty | Uniform


class Clock(NamedTuple):
    """What `Frame.level` counts."""

    symbol: str
    """As formulas write it: "t", "sigma", "token"."""
    falling: bool = False
    """Whether it runs down, as diffusion's does."""


Losses = dict[str, Tensor]
"""Scalars by name. "loss" is minimised, the others are only logged."""


@dataclass(frozen=True)
class Phase:
    """What one optimiser does in one training step. A GAN is two phases of one ordinary loop."""

    name: str
    parameters: list[nn.Parameter]
    loss: Callable[[Tensor, Tensor, torch.Generator], Losses]
    """loss(x, label, rng): x (B, C, H, W) in [-1, 1], label (B,) int64; all randomness from rng."""
    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.0
    every: int = 1
    """Runs in each `every`-th training step."""
    penalty: Callable[[Tensor, Tensor, torch.Generator], Tensor] | None = None
    """penalty(x, label, rng): a part of the loss too dear for every update. It joins the first of
    each `penalty_every` updates, as many times as heavy (lazy regularisation, Karras et al. 2020,
    section 3), and shares the loss's optimiser: Adam divides each gradient by its usual size, so
    that alone its weight would have no effect."""
    penalty_every: int = 1


class Trainable(nn.Module):
    """A network with a config and losses: a family of generative models, or a classifier.

    `Config` is a frozen dataclass of plain values and travels in the checkpoint.
    """

    name: ClassVar[str]
    Config: ClassVar[type]
    libraries: ClassVar[tuple[str, ...]] = ()
    """Packages that it needs and the core does not: imported when a model is built."""
    layout: ClassVar[torch.memory_format] = torch.channels_last
    """In which its weights lie in memory, for the sake of speed."""
    renamed: ClassVar[Mapping[str, str]] = {}
    """By the name in older files what a field of the config or a part of a tensor's name is called
    now."""
    absent: ClassVar[Mapping[str, Any]] = {}
    """What fields of the config were, in effect, in older files, which do not have them: where that
    is another value than the default."""
    parts: ClassVar[Mapping[str, "type[Trainable]"]] = {}
    """What is trained one by one where the whole is not; such a family's weights are a folder."""

    networks: ClassVar[tuple[str, ...]] = ()
    """What is evaluated for a row of inputs each, modules or methods, by the path from here: an
    engine may put the rows of many requests together."""

    averages: ClassVar[tuple[str, ...]] = ()
    """Buffers that move in training, by the path from here: processes that train together keep
    their mean, as they do of gradients."""

    small: ClassVar[Mapping[str, Any]] = {}
    """What makes the config of `tiny`."""

    def __init__(self, config: Any = None) -> None:
        super().__init__()
        self.config = config if config is not None else self.Config()
        if is_dataclass(self.config):
            check_config(self.config)
        self.card: dict[str, Any] = {}
        """What the checkpoint says of itself: recipe, data, steps, seed, hardware, metrics."""
        self.extra: dict[str, Tensor] = {}
        """What the checkpoint holds besides weights: curves, snapshots, features."""

    @classmethod
    def tiny(cls) -> Any:
        """A config so small that tests and trials take no time; by default the usual one."""
        return cls.Config(**cls.small)

    @classmethod
    def run(cls, name: str, recipe: "Recipe", folder: Path) -> "Run":
        """The training of a recipe in its folder."""
        from gen_core.training.recipes import Run  # which knows of this module

        return Run(name, recipe, folder)

    @classmethod
    def from_folder(cls, folder: Path, card: Mapping[str, Any]) -> Self:
        """The model whose weights are a folder of another library's. Raises CheckpointError."""
        raise NotImplementedError(f"the weights of {cls.name} are a file")

    @classmethod
    def from_pretrained(cls, repository: Path | str, **options: Any) -> Self:
        """A model of this kind from the Hugging Face hub, or from a folder. Raises CheckpointError.
        options: as `gen_core.hub.sharing.from_pretrained` takes them."""
        from gen_core.hub.sharing import from_pretrained  # which knows of this module

        return from_pretrained(cls, repository, **options)

    def save_pretrained(self, folder: Path | str) -> Path:
        """Writes the model and its card into a folder as the hub has them."""
        from gen_core.hub.sharing import save_pretrained

        return save_pretrained(self, folder)

    def push_to_hub(self, repository: str, **options: Any) -> str:
        """Puts the model and its card into a repository of the hub; returns its address.
        options: as `gen_core.hub.sharing.push_to_hub` takes them."""
        from gen_core.hub.sharing import push_to_hub

        return push_to_hub(self, repository, **options)

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def phases(self) -> list[Phase]:
        """What one training step optimises, in order."""
        raise NotImplementedError

    def calibrate(self, x: Tensor, label: Tensor) -> None:
        """Called once after training with some of the data, to measure what `sample` needs."""


class Family(Trainable):
    """A family of generative models: what training optimises, and how noise becomes data.

    A subclass declares itself by the attributes below and by `frames`; `sample` checks the knobs
    against the declaration and calls `frames`.
    """

    knobs: ClassVar[tuple[Knob, ...]] = ()
    """Of sampling, besides those of the condition and of the solvers."""
    clock: ClassVar[Clock] = Clock("t")
    inputs: ClassVar[tuple[Knob, ...]] = ()
    """What `sample` takes and checks besides, but nobody types, such as a picture to start from."""
    out: ClassVar[Literal["noise", "velocity", "picture", "logits"]] = "picture"
    """What the network says: the kind of `Frame.out`."""
    typical: ClassVar[Mapping[str, Any]] = {}
    """Knobs as a visitor first finds them, where these are not the defaults: also what benchmarks
    time."""
    measured_with: ClassVar[Mapping[str, Any]] = {}
    """Knobs that published metrics are measured with, where these are not the defaults."""

    event: Event
    """What is drawn."""
    prior: Prior
    """What the first frame is drawn from."""

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.condition = self.condition_of(self.config)
        """What it can be asked for."""

    @classmethod
    def condition_of(cls, config: Any) -> Condition:
        """What a model of this config can be asked for."""
        return Nothing()

    @property
    def every_knob(self) -> tuple[Knob, ...]:
        """All that `sample` takes: what can be asked for, then the family's own knobs, those of its
        solvers behind them."""
        return (*self.condition.knobs, *own_knobs(type(self)))

    @property
    def published(self) -> dict[str, Any]:
        """The knobs that the metrics in the checkpoint were measured with, or would be."""
        return dict(self.measured_with) | self.card.get("metrics", {}).get("knobs", {})

    def total(self, settings: Mapping[str, Any]) -> int:
        """The number of steps of a generation with these knobs."""
        return settings.get("steps", 1)

    def sample(self, noise: Noise, **knobs: Any) -> Iterator[Frame]:
        """Yields Frames from the prior to the sample, `total` + 1 of them.

        knobs: by name, as `every_knob` and `inputs` declare them. Raises KnobError, before anything
        is drawn, for a value out of range and for a name that no knob has.
        """
        settings = check_all((*self.every_knob, *self.inputs), knobs, self.name)
        condition = self.condition.read(settings, noise.seeds)
        if isinstance(condition, Tensor):
            condition = condition.to(self.device)
        return self.frames(noise, condition, **settings)

    def frames(self, noise: Noise, condition: Any, **settings: Any) -> Iterator[Frame]:
        """The generation itself: condition as the family's `condition` reads it (None: nothing is
        asked for), settings a checked value for each other knob. A generator under
        `torch.inference_mode()`."""
        raise NotImplementedError

    def text(self, x: Tensor) -> list[str]:
        """Tokens (B, length) as a person reads them; as numbers, where they stand for no words."""
        return [" ".join(map(str, row)) for row in x.tolist()]

    def balanced(self, indices: Sequence[int]) -> dict[str, Any]:
        """Knobs that ask for something, so that everything has its turn among the samples so
        numbered; {} where nothing can be asked for."""
        asked = self.condition.balanced(indices)
        return {} if asked is None else {self.condition.knobs[0].name: asked}

    def extra_metrics(self, evaluation: "Evaluation") -> dict[str, Any]:
        """What `evaluate` shall measure of this family alone."""
        return {}


def own_knobs(kind: type[Family]) -> tuple[Knob, ...]:
    """A family's own knobs, and behind a choice of solvers the knobs that these have."""
    found: dict[str, Knob] = {}
    for knob in kind.knobs:
        found[knob.name] = knob
        options = knob.options if isinstance(knob, Choice) else ()
        for solver in options.values() if isinstance(options, Mapping) else ():
            found |= {extra.name: extra for extra in getattr(solver, "knobs", ())}
    return tuple(found.values())


@dataclass
class Registry:
    """Classes by name; `register` is a class decorator."""

    classes: dict[str, type] = field(default_factory=dict)

    def register(self, cls: type) -> type:
        if cls.name in self.classes:
            raise ValueError(f"{cls.name!r} is registered already, by {self.classes[cls.name]}")
        self.classes[cls.name] = cls
        return cls


registry = Registry()
register = registry.register
