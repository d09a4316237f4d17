"""Text to image: diffusion in the latent space of an autoencoder, steered by words.

Rombach et al. 2022, "High-Resolution Image Synthesis with Latent Diffusion Models": a small Stable
Diffusion. Its parts are trained one after the other; its weights are a folder that diffusers opens
with nothing of ours.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor

from gen_core.classifiers.emoji import SceneClassifier
from gen_core.conditions import Text
from gen_core.families.text_to_image.folder import assembled, opened
from gen_core.families.text_to_image.parts import (
    LIBRARIES,
    Autoencoder,
    AutoencoderConfig,
    Clip,
    Decoder,
    Denoiser,
    DenoiserConfig,
    TextEncoder,
    TextEncoderConfig,
    clean,
)
from gen_core.families.text_to_image.pipeline import (
    MAX_STEPS,
    SCHEDULERS,
    GuidedDenoiser,
    Start,
    Way,
    denoised,
    noise_for,
)
from gen_core.families.text_to_image.tokens import encoded, learned
from gen_core.family import Clock, Family, Gaussian, Phase, Picture, register
from gen_core.knobs import Choice, Flag, Instance, Number, Whole
from gen_core.sampling import Frame, Noise
from gen_core.training.checkpoint import config_of, stated

if TYPE_CHECKING:
    from diffusers import StableDiffusionPipeline

    from gen_core.evaluation.evaluate import Evaluation


@dataclass(frozen=True)
class TextToImageConfig:
    """Those of the parts that draw."""

    autoencoder: AutoencoderConfig = field(default_factory=AutoencoderConfig)
    text_encoder: TextEncoderConfig = field(default_factory=TextEncoderConfig)
    denoiser: DenoiserConfig = field(default_factory=DenoiserConfig)


@dataclass(frozen=True)
class LatentFrame(Frame):
    """A frame whose x, x0 and out are latents (B, 4, 16, 16), but for the last one's x, which is
    the picture (B, 3, 64, 64). `TextToImage.decode` makes pictures of the others."""

    latents: Tensor | None = None
    """(B, 4, 16, 16): the state, on the last frame too."""
    heat: Tensor | None = None
    """(B, 32, 8, 8): how much each place looked at each token of its prompt; None unless asked
    for, and on the last frame."""


@register
class TextToImage(Family):
    name = "text-to-image"
    Config = TextToImageConfig
    networks = ("denoise", "text_encoder", "vae.encoder", "vae.decoder")
    libraries = LIBRARIES
    layout = torch.contiguous_format
    parts: ClassVar = {
        "judge": SceneClassifier,
        "autoencoder": Autoencoder,
        "words": TextEncoder,
        "clip": Clip,
        "denoiser": Denoiser,
        "decoder": Decoder,
    }
    knobs = (
        Whole("steps", 20, 1, MAX_STEPS),
        Number(
            "guidance_scale",
            3.0,
            1,
            30,
            step=0.5,
            label="Guidance",
            info="1 is none, 3 is usual, 30 exaggerates the words",
        ),
        Choice("solver", "dpm++2m", SCHEDULERS, advanced=True),
    )
    inputs = (Instance("start", None, kind=Start), Flag("attention", False))
    """A picture to start from rather than from noise alone, which leaves out the first steps; and
    whether frames say where the words looked."""
    clock = Clock("t", falling=True)
    out = "velocity"
    typical: ClassVar = {"steps": 20}

    def __init__(
        self,
        config: TextToImageConfig | None = None,
        pipeline: "StableDiffusionPipeline | None" = None,
    ) -> None:
        """Around a pipeline of the library's, or else untrained and reading letter by letter."""
        super().__init__(config)
        self.pipeline = pipeline or _untrained(self.config)
        self.unet, self.vae = self.pipeline.unet, self.pipeline.vae
        self.text_encoder = self.pipeline.text_encoder
        self.event, self.prior = Picture(3, 64, 64), Gaussian((4, 16, 16))
        self.condition = Text(functools.partial(encoded, self.pipeline.tokenizer), _test_prompts)
        self.folder: Path | None = None
        """Of its weights: what it is measured with lies there too."""

    @classmethod
    def tiny(cls) -> TextToImageConfig:
        return cls.Config(Autoencoder.tiny(), TextEncoder.tiny(), Denoiser.tiny())

    @classmethod
    def from_folder(cls, folder: Path, card: Mapping[str, Any]) -> Self:
        parts = stated(card, "parts", folder.name)
        networks = ("autoencoder", "words", "denoiser")
        own = [config_of(stated(parts, name, folder.name)) for name in networks]
        model = cls(cls.Config(*own), opened(folder))
        model.folder = folder
        return model

    def phases(self) -> list[Phase]:
        """None of its own: its parts are trained."""
        return []

    def total(self, settings: Mapping[str, Any]) -> int:
        """PNDM takes its second step twice. A start leaves fewer."""
        steps = settings["steps"]
        return steps + (settings.get("solver") == "pndm" and steps > 1)

    def scheduler(self, solver: str) -> Any:
        """A fresh scheduler of the library's."""
        return SCHEDULERS[solver].made(self.pipeline.scheduler.config)

    def encode_words(self, texts: Sequence[str]) -> Tensor:
        """(B, 32, width): what the denoiser reads of each text."""
        return self._read(self.condition.encode(list(texts), len(texts)).to(self.device))

    def _read(self, tokens: Tensor) -> Tensor:
        return self.text_encoder(tokens).last_hidden_state

    @torch.inference_mode()
    def frames(
        self,
        noise: Noise,
        condition: Tensor,
        *,
        steps: int,
        guidance_scale: float,
        solver: str,
        start: Start | None,
        attention: bool,
    ) -> Iterator[LatentFrame]:
        """level is t from 999 to 0, out the velocity."""
        scheduler = self.scheduler(solver)
        scheduler.set_timesteps(steps)  # on the CPU: each step asks for the number
        words = self._read(condition.flatten(0, 1))
        network = GuidedDenoiser(self.denoise, words, guidance_scale, attention)
        eps = self.prior.draw(noise).to(self.device)
        way = Way(scheduler, steps, eps, start, self.encode) if start else None
        times = way.times if way else scheduler.timesteps
        network_times = times.to(self.device)  # once: for each copy the host waits for the GPU
        x = way.first if way else eps * scheduler.init_noise_sigma
        for index, t in enumerate(times):
            seen = scheduler.scale_model_input(x, t)
            v, heat = network(seen, network_times[index])
            x0 = clean(seen, v, scheduler.alphas_cumprod[int(t)])
            yield LatentFrame(
                index, len(times), float(t), seen, x0, v, network.evaluations, seen, heat
            )
            x = scheduler.step(v, t, x, **noise_for(scheduler, noise)).prev_sample
            x = way.keep(x, index + 1) if way else x
        yield LatentFrame(
            len(times), len(times), 0.0, self.decode(x), evaluations=network.evaluations, latents=x
        )

    def denoise(
        self, x: Tensor, t: Tensor, words: Tensor, attention: bool
    ) -> tuple[Tensor, Tensor | None]:
        """As `pipeline.denoised`, of its own network."""
        return denoised(self.unet, x, t, words, attention)

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

    def extra_metrics(self, evaluation: "Evaluation") -> dict[str, Any]:
        """How often its pictures show what the words asked for."""
        from gen_core.evaluation.prompt_accuracy import evaluated

        return evaluated(self, evaluation)


def _untrained(config: TextToImageConfig) -> "StableDiffusionPipeline":
    tokenizer = learned([])
    text_encoder = TextEncoder(replace(config.text_encoder, vocabulary=len(tokenizer)))
    autoencoder, denoiser = Autoencoder(config.autoencoder), Denoiser(config.denoiser)
    return assembled(autoencoder.net, text_encoder.net, denoiser.net, tokenizer)


def _test_prompts() -> list[str]:
    from gen_core.evaluation.prompt_accuracy import prompts

    return [asked.prompt for asked in prompts()]
