"""The six parts, by name, in the order of the command line."""

from __future__ import annotations

from gen_core.classifiers.emoji import SceneClassifier
from gen_core.families.text_to_image.autoencoder import Autoencoder
from gen_core.families.text_to_image.clip import Clip
from gen_core.families.text_to_image.decoder import Decoder
from gen_core.families.text_to_image.denoiser import Denoiser
from gen_core.families.text_to_image.part import Part
from gen_core.families.text_to_image.text_encoder import TextEncoder

PARTS: dict[str, type[Part]] = {
    "judge": SceneClassifier,
    "autoencoder": Autoencoder,
    "words": TextEncoder,
    "clip": Clip,
    "denoiser": Denoiser,
    "decoder": Decoder,
}
