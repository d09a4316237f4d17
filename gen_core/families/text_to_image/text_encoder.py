"""The second part: a text encoder that says how what it reads would look.

CLIP's text half begins with its weights. To learn from contrast alone and then steer the denoiser,
as in Stable Diffusion, takes more data than this: it left as few directions as tell captions apart,
about twenty of 192.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gen_core.families.text_to_image.clip import text_config
from gen_core.families.text_to_image.part import Part
from gen_core.family import Losses, Phase, register


@dataclass(frozen=True)
class TextEncoderConfig:
    """As `ClipConfig`."""

    vocabulary: int = 2512
    width: int = 192
    text_layers: int = 4


@register
class TextEncoder(Part):
    """The text encoder that steers the denoiser."""

    name = "text-to-image/words"
    Config = TextEncoderConfig

    def __init__(self, config: TextEncoderConfig | None = None) -> None:
        from transformers import CLIPTextModel  # heavy

        super().__init__(config)
        c = self.config
        self.net = CLIPTextModel(text_config(c.vocabulary, c.width, c.text_layers))
        self.net.set_attn_implementation("eager")  # trains half again as fast on a CPU

    @classmethod
    def tiny(cls) -> TextEncoderConfig:
        return TextEncoderConfig(514, width=32, text_layers=1)

    def phases(self) -> list[Phase]:
        return [
            Phase(
                "sketch",
                list(self.parameters()),
                self.loss,
                lr=1e-3,
                betas=(0.9, 0.98),
                weight_decay=0.01,
            )
        ]

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """How far what is said after the last word is from the sketch.

        x (B, width) sketches, label (B, 32) tokens. The end marker pads the rest of a caption:
        all of them say the same, so that the denoiser finds it easily.
        """
        said = self.net(label).last_hidden_state.float()
        after = (label == self.config.vocabulary - 1).float()
        error = (said - x[:, None]).square().mean(2)
        loss = ((error * after).sum(1) / after.sum(1).clamp(min=1)).mean()
        return {"loss": loss, "share": loss.detach() / x.square().mean()}
