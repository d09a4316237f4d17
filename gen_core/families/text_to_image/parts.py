"""The six parts, by name, in the order of the command line."""

from __future__ import annotations

from gen_core.classifiers.emoji import SceneJudge
from gen_core.families.text_to_image.autoencoder import Autoencoder
from gen_core.families.text_to_image.clip import Clip
from gen_core.families.text_to_image.decoder import Decoder
from gen_core.families.text_to_image.denoiser import Denoiser
from gen_core.families.text_to_image.part import Part
from gen_core.families.text_to_image.text_encoder import Words

PARTS: dict[str, type[Part]] = {
    "judge": SceneJudge,
    "autoencoder": Autoencoder,
    "words": Words,
    "clip": Clip,
    "denoiser": Denoiser,
    "decoder": Decoder,
}
