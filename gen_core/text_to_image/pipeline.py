"""Text to image, one step at a time: the loop of Stable Diffusion as a generator of frames."""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import StableDiffusionPipeline
from safetensors import SafetensorError
from torch import Tensor
from torch.nn import functional as F

from gen_core.checkpoint import CheckpointError, weights_folder
from gen_core.checks import KnobError, choice, number, text, whole
from gen_core.devices import pick_device
from gen_core.family import Family, Frame
from gen_core.noise import Noise
from gen_core.text_to_image.attention import heat, watched
from gen_core.text_to_image.card import NAME
from gen_core.text_to_image.denoiser import clean
from gen_core.text_to_image.tokens import encoded

MAX_STEPS = 60
"""From 61 on the spacing of diffusers' schedulers rounds to one step too many now and then."""
MAX_GUIDANCE = 30.0
MAX_PROMPT = 2000
"""Characters; the tokenizer reads the first 30 tokens anyway."""
SCHEDULERS: dict[str, tuple[str, dict[str, Any]]] = {
    "DPM-Solver++": ("DPMSolverMultistepScheduler", {}),
    "DDIM": ("DDIMScheduler", {"clip_sample": False}),
    "PNDM": ("PNDMScheduler", {"skip_prk_steps": True}),
    "Euler": ("EulerDiscreteScheduler", {}),
    "Euler ancestral": ("EulerAncestralDiscreteScheduler", {}),
    "UniPC": ("UniPCMultistepScheduler", {}),
}
"""Samplers as a visitor reads them: the class in diffusers, and what latents ask of it."""


@dataclass(frozen=True)
class WordFrame(Frame):
    """A frame that also knows where the words looked."""

    heat: Tensor | None = None
    """(B, 32, 8, 8): how much each place looked at each token of its prompt."""


@dataclass(frozen=True)
class Start:
    """A picture to start from: image-to-image, and inpainting where a mask says what to redo."""

    picture: Tensor
    """(1, 3, 64, 64) in [-1, 1]"""
    strength: float = 0.6
    """The share of the steps that is walked, 0 to 1; 1 leaves next to nothing of the picture."""
    mask: Tensor | None = None
    """(1, 1, 64, 64): 1 where to paint anew, 0 where the picture stays."""


class TextToImage(Family):
    """A pipeline folder, opened once: many runs may take turns with it, step by step."""

    name = "text-to-image"
    event = (4, 16, 16)

    def __init__(self, pipeline: StableDiffusionPipeline, card: dict[str, Any]) -> None:
        super().__init__(pipeline.unet.config)
        self.pipeline, self.card = pipeline, card
        self.unet, self.vae = pipeline.unet, pipeline.vae
        self.text_encoder = pipeline.text_encoder
        self.requires_grad_(False).eval()

    def scheduler(self, name: str) -> Any:
        """A fresh scheduler by its name on the page; it keeps state, so each run has its own."""
        kind, options = SCHEDULERS[choice("sampler", name, list(SCHEDULERS))]
        return getattr(diffusers, kind).from_config(self.pipeline.scheduler.config, **options)

    def encode_words(self, texts: Sequence[str]) -> Tensor:
        """(B, 32, width): what the denoiser reads of each text."""
        tokens = encoded(self.pipeline.tokenizer, texts).to(self.device)
        return self.text_encoder(tokens).last_hidden_state

    @torch.inference_mode()
    def sample(
        self, noise: Noise, *, prompt: str | Sequence[str] = "", negative_prompt: str = "",
        steps: int = 20, guidance_scale: float = 3.0, sampler: str = "DPM-Solver++",
        start: Start | None = None, attention: bool = False,
    ) -> Iterator[WordFrame]:  # fmt: skip
        """Yields frames of latents, one more than steps (PNDM: two more, it takes its second step
        twice); level is t from 999 to 0, out the velocity.

        prompt: one for all pictures or one for each; guidance_scale: 1 (off) to 30 (Ho & Salimans
        2022); start: from a picture rather than from noise alone (SDEdit, Meng et al. 2022), which
        leaves out the first steps; attention: each frame also says where the words looked.
        `decode` makes pictures of x and x0.
        """
        steps = whole("steps", steps, 1, MAX_STEPS)
        scale = number("guidance_scale", guidance_scale, 1.0, MAX_GUIDANCE)
        prompts = [text("prompt", p, MAX_PROMPT) for p in _one_for_each(prompt, len(noise))]
        negative = text("negative_prompt", negative_prompt, MAX_PROMPT)
        scheduler = self.scheduler(sampler)
        scheduler.set_timesteps(steps)  # on the CPU: each step asks for the number
        words = self.encode_words([*[negative] * len(noise), *prompts])
        eps = noise.randn(*self.event).to(self.device)
        way = _Way(scheduler, steps, eps, start, self.encode) if start else None
        times = way.times if way else scheduler.timesteps
        network_times = times.to(self.device)  # once: for each copy the host waits for the GPU
        x = way.first if way else eps * scheduler.init_noise_sigma
        for index, t in enumerate(times):
            seen = scheduler.scale_model_input(x, t)
            v, maps = self._guided(seen, network_times[index], words, scale, attention)
            x0 = clean(seen, v, scheduler.alphas_cumprod[int(t)])
            yield WordFrame(index, len(times), float(t), seen, x0, v, heat=maps)
            x = scheduler.step(v, t, x, **_noise_for(scheduler, noise)).prev_sample
            x = way.keep(x, index + 1) if way else x
        yield WordFrame(len(times), len(times), 0.0, x)

    def _guided(
        self, x: Tensor, t: Tensor, words: Tensor, scale: float, attention: bool
    ) -> tuple[Tensor, Tensor | None]:
        """The velocity with classifier-free guidance, and where the prompt's words looked."""
        net = self.unet
        keeping = watched(net) if attention else contextlib.nullcontext()
        with keeping as maps:
            if scale == 1:
                v = net(x, t, words.chunk(2)[1]).sample
            else:
                without, given = net(x.repeat(2, 1, 1, 1), t, words).sample.chunk(2)
                v = without + scale * (given - without)
        return v, heat(maps)[-len(x) :].cpu() if maps else None

    @torch.inference_mode()
    def encode(self, x: Tensor) -> Tensor:
        """(B, 3, 64, 64) in [-1, 1] -> (B, 4, 16, 16)"""
        vae = self.vae
        return vae.encode(x.to(self.device)).latent_dist.mean * vae.config.scaling_factor

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Tensor:
        """(B, 4, 16, 16) -> (B, 3, 64, 64) in [-1, 1]"""
        vae = self.vae
        out = vae.decode(latents.to(self.device) / vae.config.scaling_factor).sample
        return out.clamp(-1, 1).float()


class _Way:
    """The part of the steps that a start leaves, and what of its picture is kept on the way."""

    def __init__(
        self, scheduler: Any, steps: int, eps: Tensor, start: Start,
        encode: Callable[[Tensor], Tensor],
    ) -> None:  # fmt: skip
        strength = number("strength", start.strength, 0.0, 1.0)
        left_out = (steps - max(1, int(steps * strength))) * scheduler.order
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


def _one_for_each(prompt: str | Sequence[str], count: int) -> Sequence[str]:
    if isinstance(prompt, str):
        return [prompt] * count
    if not isinstance(prompt, Sequence) or len(prompt) != count:
        raise KnobError(f"prompt: give one text, or one for each of the {count} pictures")
    return prompt


def _noise_for(scheduler: Any, noise: Noise) -> dict[str, Any]:
    """Samplers that add fresh noise take it from each picture's own generator."""
    takes = inspect.signature(scheduler.step).parameters
    return {"generator": noise.generators} if "generator" in takes else {}


def open_pipeline(folder: Path | str | None = None, device: str = "auto") -> TextToImage:
    """The model in weights/text-to-image-emoji, or in `folder`, in float32.

    Raises CheckpointError for a missing or damaged folder, KnobError for an absent device.
    """
    folder = Path(folder or weights_folder() / NAME)
    if not (folder / "model_index.json").exists():
        raise CheckpointError(
            f"no pipeline in {folder}: set GEN_WEIGHTS to the folder that has {NAME}, or make one "
            "with `python -m gen_core.text_to_image train PART` and then `export`"
        )
    try:
        pipeline = StableDiffusionPipeline.from_pretrained(
            folder, local_files_only=True, low_cpu_mem_usage=False
        )
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, SafetensorError) as error:
        raise CheckpointError(f"{folder.name} is damaged ({error}): fetch it again") from error
    return TextToImage(pipeline.to(pick_device(device)), card)
