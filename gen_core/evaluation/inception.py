"""The features of the published FID: InceptionV3 as torch-fidelity has it."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


class MissingInception(OSError):
    """torch-fidelity is not installed or its weights cannot be had. The message says which."""


def inception_features(batches: Iterable[Tensor], device: torch.device | str = "cpu") -> Tensor:
    """Batches of (B, 1 or 3, H, W) in [-1, 1] -> (N, 2048) float32: the features of the published
    FID, from torch-fidelity. Raises MissingInception.

    `frechet_distance` of two such sets is the FID that papers report (for 28 x 28 grey pictures,
    scaled up to the network's 299 x 299, a number of limited meaning).
    """
    extractor = _extractor().to(device)
    features = []
    with torch.inference_mode():
        for x in batches:
            pixels = ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
            features.append(extractor(pixels.expand(-1, 3, -1, -1).to(device))[0].float().cpu())
    return torch.cat(features)


def _extractor() -> torch.nn.Module:
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError as error:
        raise MissingInception(
            "the standard FID needs torch-fidelity: `pip install torch-fidelity`"
        ) from error
    try:
        return FeatureExtractorInceptionV3("inception-v3-compat", ["2048"]).eval()
    except OSError as error:  # what urllib raises, offline too
        raise MissingInception(
            f"the standard FID needs the weights of InceptionV3, which torch-fidelity downloads "
            f"once; that failed: {error}"
        ) from error
