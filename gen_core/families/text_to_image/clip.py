"""Words and pictures in one space (Radford et al. 2021, CLIP): for the measure of fit and search.

Its text half begins as the text encoder that steers the denoiser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.families.text_to_image.part import Part
from gen_core.families.text_to_image.tokens import LENGTH
from gen_core.family import Losses, Phase, register

if TYPE_CHECKING:
    from transformers import CLIPTextConfig


@dataclass(frozen=True)
class ClipConfig:
    vocabulary: int = 2512
    """Tokens of the tokenizer."""
    width: int = 192
    text_layers: int = 4
    vision_layers: int = 6
    shared: int = 128
    """Dimensions of the space that words and pictures share."""


def text_config(vocabulary: int, width: int, layers: int) -> CLIPTextConfig:
    """Of the text half; the two markers are the last two of the vocabulary."""
    from transformers import CLIPTextConfig  # heavy

    end = vocabulary - 1
    return CLIPTextConfig(
        **_size(width),
        vocab_size=vocabulary,
        num_hidden_layers=layers,
        max_position_embeddings=LENGTH,
        bos_token_id=end - 1,
        eos_token_id=end,
        pad_token_id=end,
    )


def _size(width: int) -> dict[str, int]:
    return {
        "hidden_size": width,
        "intermediate_size": 4 * width,
        "num_attention_heads": width // 32,
    }


@register
class Clip(Part):
    name = "text-to-image/clip"
    Config = ClipConfig

    def __init__(self, config: ClipConfig | None = None) -> None:
        from transformers import CLIPConfig, CLIPModel  # heavy

        super().__init__(config)
        c = self.config
        text = text_config(c.vocabulary, c.width, c.text_layers).to_dict()
        vision = _size(c.width) | {
            "image_size": 64,
            "patch_size": 8,
            "num_hidden_layers": c.vision_layers,
        }
        shared = {"projection_dim": c.shared}
        self.net = CLIPModel(
            CLIPConfig(text_config=text | shared, vision_config=vision | shared, **shared)
        )
        self.net.set_attn_implementation("eager")  # trains half again as fast on a CPU

    @classmethod
    def tiny(cls) -> ClipConfig:
        return ClipConfig(514, width=32, text_layers=1, vision_layers=1, shared=16)

    def phases(self) -> list[Phase]:
        return [
            Phase(
                "match",
                list(self.parameters()),
                self.loss,
                lr=1e-3,
                betas=(0.9, 0.98),
                weight_decay=0.02,
            )
        ]

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """Which caption belongs to which picture, asked both ways (Radford et al. 2021, fig. 3).

        x (B, 3, 64, 64) in [-1, 1], label (B, 32) the captions' tokens.
        """
        out = self.net(input_ids=label, pixel_values=x)
        logits, own = out.logits_per_text.float(), torch.arange(len(x), device=x.device)
        loss = (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2
        return {"loss": loss, "accuracy": (logits.argmax(1) == own).float().mean()}
