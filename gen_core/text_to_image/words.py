"""CLIP's text half learns one thing more: to say how what it reads would look, and where.

Contrast alone leaves it with as few directions as tell captions apart, about twenty of 192.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import CLIPTextModel

from gen_core.family import Family, Losses, Phase
from gen_core.text_to_image.clip import text_config
from gen_core.text_to_image.patches import NUMBERS, STRENGTH, patched, places
from gen_core.text_to_image.tokens import LENGTH, SIDE, TOKENS


@dataclass(frozen=True)
class WordsConfig:
    vocabulary: int = 2512
    width: int = 192
    """As `ClipConfig`."""
    text_layers: int = 6
    inner: int = 1536
    """Neurons of a layer: more than in CLIP, for they keep in mind what hundreds of things are."""


class Words(Family):
    """The text encoder that steers the denoiser."""

    name = "t2i-words"
    Config = WordsConfig

    def __init__(self, config: WordsConfig | None = None) -> None:
        super().__init__(config)
        c = self.config
        self.net = CLIPTextModel(
            text_config(c.vocabulary, c.width, c.text_layers, TOKENS, intermediate_size=c.inner)
        )
        self.net.set_attn_implementation("eager")  # trains half again as fast on a CPU

    def phases(self) -> list[Phase]:
        return [
            Phase("sketch", list(self.parameters()), self.loss, lr=1e-3, betas=(0.9, 0.98),
                  weight_decay=0.01)
        ]  # fmt: skip

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """How far what is said after the last word is from the sketch, and what is said in the
        patches' tokens from the latents; their row and column beside it (see patches.py).

        x (B, width + 1024) sketches and latents, label (B, 96) tokens. The end marker pads the rest
        of a caption: all of them say the same, so that the denoiser finds it easily.
        """
        said = self.net(label).last_hidden_state.float()
        words, here = said[:, :LENGTH], said[:, LENGTH:]
        sketch, latents = x[:, : self.config.width], x[:, self.config.width :]
        after = (label[:, :LENGTH] == self.config.vocabulary - 1).float()
        error = (words - sketch[:, None]).square().mean(2)
        sketched = ((error * after).sum(1) / after.sum(1).clamp(min=1)).mean()
        looks = patched(latents.unflatten(1, (4, 16, 16)))
        expected = (here[..., :NUMBERS] - looks).square().mean()
        place = here[..., NUMBERS : NUMBERS + 2 * SIDE] - STRENGTH * places().to(here)
        return {
            "loss": 0.5 * sketched + expected + 0.1 * place.square().mean(),
            "sketch": sketched.detach() / sketch.square().mean(),
            "patches": expected.detach() / looks.square().mean(),
        }

    def grow_from(self, text: nn.Module) -> None:
        """Begins as CLIP's text half: its layers and neurons say what they said, and the new ones
        next to nothing."""
        own = self.net.state_dict()
        for name, value in text.state_dict().items():
            if name.endswith("fc2.weight"):
                own[name][:, value.shape[1] :] = 0
            own[name][tuple(map(slice, value.shape))] = value
        for number, layer in enumerate(self.net.encoder.layers):
            if number >= len(text.encoder.layers):
                for last in (layer.self_attn.out_proj, layer.mlp.fc2):
                    last.weight.data *= 0.1
