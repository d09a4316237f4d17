"""CLIP's text half learns one thing more: to say how what it reads would look.

Contrast alone leaves it with as few directions as tell captions apart, about twenty of 192. Once
it knows, what it knows is laid out in space by two layers more: see unfold.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import CLIPTextModel

from gen_core.family import Family, Losses, Phase
from gen_core.text_to_image.clip import text_config
from gen_core.text_to_image.tokens import LENGTH
from gen_core.text_to_image.unfold import unfolded


@dataclass(frozen=True)
class WordsConfig:
    vocabulary: int = 2512
    width: int = 192
    text_layers: int = 4
    """While it learns, all as in `ClipConfig`; when it is unfolded, two more."""
    inner: int = 768
    """Neurons of a layer."""
    tokens: int = LENGTH


class Words(Family):
    """The text encoder that steers the denoiser."""

    name = "t2i-words"
    Config = WordsConfig

    def __init__(self, config: WordsConfig | None = None) -> None:
        super().__init__(config)
        c = self.config
        self.net = CLIPTextModel(
            text_config(c.vocabulary, c.width, c.text_layers, c.tokens, intermediate_size=c.inner)
        )
        self.net.set_attn_implementation("eager")  # trains half again as fast on a CPU

    def phases(self) -> list[Phase]:
        return [
            Phase("sketch", list(self.parameters()), self.loss, lr=1e-3, betas=(0.9, 0.98),
                  weight_decay=0.01)
        ]  # fmt: skip

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """How far what is said after the last word is from the sketch.

        x (B, width) sketches, label (B, 96) tokens, of which it reads 32. The end marker pads the
        rest of a caption: all of them say the same, so that it is found easily.
        """
        label = label[:, :LENGTH]
        said = self.net(label).last_hidden_state.float()
        after = (label == self.config.vocabulary - 1).float()
        error = (said - x[:, None]).square().mean(2)
        loss = ((error * after).sum(1) / after.sum(1).clamp(min=1)).mean()
        return {"loss": loss, "share": loss.detach() / x.square().mean()}

    def unfolded(self, captions: Tensor, looks: Tensor) -> Words:
        """With layers and places more, which say in space what the first thing looks like: looks
        (N, 64, 16) of captions (N, 96), some thousands."""
        net = unfolded(self.net, captions, looks)
        c = net.config
        wider = Words(WordsConfig(
            self.config.vocabulary, self.config.width, c.num_hidden_layers, c.intermediate_size,
            c.max_position_embeddings,
        ))  # fmt: skip
        wider.net = net
        return wider
