"""What the loop of Stable Diffusion stands on: the library's schedulers, its denoiser with guidance
and attention maps, and the steps that a picture to start from leaves."""

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen_core.knobs import Knob, KnobError, number, shown
from gen_core.sampling import Noise

if TYPE_CHECKING:
    from diffusers import UNet2DConditionModel

MAX_STEPS = 60
"""From 61 on the spacing of diffusers' schedulers rounds to one step too many now and then."""
HEAT_SIDE = 8
"""Latent pixels of a heat map's side: maps of other layers are brought to it."""


@dataclass(frozen=True)
class Scheduler:
    """A solver of the library's."""

    label: str
    """As a visitor reads it."""
    kind: str
    """Its class in diffusers."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What latents ask of it."""
    knobs: tuple[Knob, ...] = ()

    def made(self, config: Mapping[str, Any]) -> Any:
        """A fresh one, as it keeps state: each run has its own."""
        import diffusers

        return getattr(diffusers, self.kind).from_config(config, **self.options)


SCHEDULERS = {
    "dpm++2m": Scheduler("DPM-Solver++", "DPMSolverMultistepScheduler"),
    "ddim": Scheduler("DDIM", "DDIMScheduler", {"clip_sample": False}),
    "pndm": Scheduler("PNDM", "PNDMScheduler", {"skip_prk_steps": True}),
    "euler": Scheduler("Euler", "EulerDiscreteScheduler"),
    "euler-ancestral": Scheduler("Euler ancestral", "EulerAncestralDiscreteScheduler"),
    "unipc": Scheduler("UniPC", "UniPCMultistepScheduler"),
}


@dataclass(frozen=True)
class Start:
    """A picture to start from: image-to-image (SDEdit, Meng et al. 2022), and inpainting where a
    mask says what to redo. Raises KnobError for values that it cannot have."""

    picture: Tensor
    """(1, 3, 64, 64) in [-1, 1]"""
    strength: float = 0.6
    """The share of the steps that is walked, 0 to 1; 1 leaves next to nothing of the picture."""
    mask: Tensor | None = None
    """(1, 1, 64, 64): 1 where to redraw, 0 where the picture stays."""

    def __post_init__(self) -> None:
        number("strength", self.strength, 0.0, 1.0)
        for name, shape in (("picture", (1, 3, 64, 64)), ("mask", (1, 1, 64, 64))):
            value = getattr(self, name)
            if value is not None and getattr(value, "shape", None) != shape:
                found = getattr(value, "shape", None)
                said = f"of shape {(*found,)}" if found is not None else shown(value)
                raise KnobError(f"{name} {said}: give a tensor {shape}")


Denoise = Callable[[Tensor, Tensor, Tensor, bool], tuple[Tensor, Tensor | None]]
"""As `denoised`, of one network."""


NO_GUIDANCE = 1
"""The scale at which the denoiser is asked with the prompt alone."""


def used(knobs: Mapping[str, Any]) -> dict[str, Any]:
    """The knobs that have an effect: without guidance the negative prompt has none."""
    unread = {"negative_prompt"} if knobs.get("guidance_scale") == NO_GUIDANCE else set()
    return {name: value for name, value in knobs.items() if name not in unread}


class GuidedDenoiser:
    """The denoiser with classifier-free guidance (Ho & Salimans 2022), which counts how often it is
    asked about each sample, and can tell where the words looked."""

    def __init__(self, denoise: Denoise, words: Tensor, scale: float, attention: bool) -> None:
        """words (2 B, 32, width): what should not appear in each picture, then what should."""
        self.denoise, self.words, self.scale, self.attention = denoise, words, scale, attention
        self.evaluations = 0

    def __call__(self, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor | None]:
        """x (B, 4, 16, 16) -> the velocity, and how much each place looked at each token of the
        prompt (B, 32, 8, 8)."""
        t = t.expand(len(x))
        if self.scale == NO_GUIDANCE:
            self.evaluations += 1
            v, looked = self.denoise(x, t, self.words.chunk(2)[1], self.attention)
        else:
            self.evaluations += 2
            both, looked = self.denoise(
                x.repeat(2, 1, 1, 1), t.repeat(2), self.words, self.attention
            )
            without, given = both.chunk(2)
            v = without + self.scale * (given - without)
        return v, None if looked is None else looked[-len(x) :].cpu()


def denoised(
    net: "UNet2DConditionModel", x: Tensor, t: Tensor, words: Tensor, attention: bool
) -> tuple[Tensor, Tensor | None]:
    """x (B, 4, 16, 16), t (B,), words (B, 32, width) -> the velocity, and with attention how much
    each place looked at each token (B, 32, 8, 8)."""
    with watched(net) if attention else contextlib.nullcontext() as maps:
        v = net(x, t, words).sample
    return v, heat(maps) if maps else None


@contextlib.contextmanager
def watched(net: "UNet2DConditionModel") -> Iterator[list[Tensor]]:
    """Within it, each evaluation of `net` adds its cross-attention layers' maps to the list, each
    (B, places, tokens), rows sum to 1.

    One thread evaluates it at a time: all is put back at the end.
    """
    from diffusers.models.attention_processor import AttnProcessor  # heavy

    maps: list[Tensor] = []
    before = net.attn_processors
    watching = {k: AttnProcessor() if ".attn2." in k else v for k, v in before.items()}
    layers = [layer for name, layer in net.named_modules() if name.endswith(".attn2")]
    net.set_attn_processor(watching)  # the ordinary ones never compute the maps as such
    for layer in layers:
        layer.get_attention_scores = functools.partial(_kept_scores, layer, maps)
    try:
        yield maps
    finally:
        for layer in layers:
            del layer.get_attention_scores
        net.set_attn_processor(before)


def _kept_scores(layer: nn.Module, maps: list[Tensor], *inputs: Tensor | None) -> Tensor:
    weights = type(layer).get_attention_scores(layer, *inputs)  # (B * heads, places, tokens)
    maps.append(weights.unflatten(0, (-1, layer.heads)).mean(1))
    return weights


def heat(maps: list[Tensor]) -> Tensor:
    """The layers' maps (B, places, tokens) as one: (B, tokens, 8, 8), 0 to 1 over the tokens."""
    pictures = []
    for weights in maps:
        side = round(weights.shape[1] ** 0.5)
        picture = weights.float().transpose(1, 2).unflatten(2, (side, side))
        pictures.append(F.interpolate(picture, (HEAT_SIDE, HEAT_SIDE), mode="bilinear"))
    return torch.stack(pictures).mean(0)


class Way:
    """The part of the steps that a start leaves, and what of its picture is kept on the way."""

    def __init__(
        self,
        scheduler: Any,
        steps: int,
        eps: Tensor,
        start: Start,
        encode: Callable[[Tensor], Tensor],
    ) -> None:
        left_out = (steps - max(1, int(steps * start.strength))) * scheduler.order
        self.scheduler, self.eps = scheduler, eps
        self.times = _last(scheduler.timesteps, left_out)
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(left_out)
        self.known = encode(start.picture).expand_as(eps)
        self.first = self._noised(0)
        self.mask = None
        if start.mask is not None:  # a latent pixel is redone where any of its pixels is
            self.mask = F.adaptive_max_pool2d(start.mask.to(eps), eps.shape[-2:])

    def _noised(self, index: int) -> Tensor:
        time = self.times[index : index + 1].repeat(len(self.eps))
        return self.scheduler.add_noise(self.known, self.eps, time)

    def keep(self, x: Tensor, index: int) -> Tensor:
        """x with the picture back where the mask leaves it, as noisy as the next step expects."""
        if self.mask is None:
            return x
        known = self._noised(index) if index < len(self.times) else self.known
        return self.mask * x + (1 - self.mask) * known


def _last(times: Tensor, left_out: int) -> Tensor:
    """The times after the first `left_out`. PNDM's second stands there twice, as it walks its first
    step twice: so it does wherever it begins, and its times must say so."""
    twice = len(times) > 2 and times[1] == times[2]
    if not twice:
        return times[left_out:]
    each = torch.cat([times[:2], times[3:]])[left_out:]
    return torch.cat([each[:2], each[1:]])


def noise_for(scheduler: Any, noise: Noise) -> dict[str, Any]:
    """Schedulers that add fresh noise take it from each picture's own generator."""
    takes = inspect.signature(scheduler.step).parameters
    return {"generator": noise.generators} if "generator" in takes else {}
