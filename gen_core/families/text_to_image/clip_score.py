"""How well pictures fit words: the CLIP score."""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor
from torch.nn import functional as F
from transformers import CLIPModel, CLIPTokenizer

from gen_core.families.text_to_image.tokens import encoded
from gen_core.training.checkpoint import CheckpointError


class ClipScorer:
    """Words and pictures in one space: the whole of the CLIP that was trained here."""

    def __init__(self, net: CLIPModel, tokenizer: CLIPTokenizer) -> None:
        self.net, self.tokenizer = net.requires_grad_(False).eval(), tokenizer

    @classmethod
    def open(cls, folder: Path | str, device: torch.device | str = "cpu") -> "ClipScorer":
        """From a pipeline folder. Raises CheckpointError where its clip/ is not."""
        folder = Path(folder)
        if not (folder / "clip/config.json").exists():
            raise CheckpointError(f"no clip/ in {folder}: fetch the weights again")
        try:
            net = CLIPModel.from_pretrained(
                folder / "clip", use_safetensors=True, local_files_only=True
            )
            return cls(net.to(device), CLIPTokenizer.from_pretrained(folder / "tokenizer"))
        except (OSError, ValueError, SafetensorError) as error:
            raise CheckpointError(f"clip/ is damaged ({error}): fetch it again") from error

    @torch.inference_mode()
    def of_words(self, texts: Sequence[str]) -> Tensor:
        """(B, shared), each of length 1"""
        tokens = encoded(self.tokenizer, texts).to(self.net.device)
        return F.normalize(self.net.text_projection(self.net.text_model(tokens).pooler_output))

    @torch.inference_mode()
    def of_pictures(self, x: Tensor) -> Tensor:
        """x (B, 3, 64, 64) in [-1, 1] -> (B, shared), each of length 1"""
        seen = self.net.vision_model(pixel_values=x.to(self.net.device))
        return F.normalize(self.net.visual_projection(seen.pooler_output))

    def score(self, x: Tensor, texts: Sequence[str]) -> Tensor:
        """max(100 cos, 0) of each picture and its own text (B,): CLIPScore of Hessel et al. 2021,
        with the weight 100 that has become usual.

        It compares pictures for one encoder and one prompt; it is no share of anything, and an
        encoder trained here gives other numbers than OpenAI's.
        """
        cosine = (self.of_words(texts) * self.of_pictures(x)).sum(1)
        return (100 * cosine).clamp(min=0).cpu()

    def scores(self, x: Tensor, texts: Sequence[str]) -> Tensor:
        """The score of each picture with each text (pictures, texts)."""
        cosine = self.of_pictures(x) @ self.of_words(texts).T
        return (100 * cosine).clamp(min=0).cpu()
