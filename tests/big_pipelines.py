"""Random pipelines of the kinds that the bigger models are, small enough to build in a moment."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    PNDMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5TokenizerFast,
)

from gen_core.families.text_to_image.tokens import learned
from gen_core.hub import worker

WIDTH = 32
SIDE = 32
"""Pixels: two halvings below, the autoencoder's latents are 16 x 16."""


def tiny(kind: str, folder: Path, **changes: object) -> Path:
    """Saves a "StableDiffusion", "StableDiffusionXL" or "Flux" pipeline to the folder."""
    torch.manual_seed(0)
    MAKERS[kind](**changes).save_pretrained(folder)
    return folder


DOWN = {
    "down_block_types": ("DownEncoderBlock2D",) * 2,
    "up_block_types": ("UpDecoderBlock2D",) * 2,
}


def autoencoder(channels: int = 4, **options: object) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(WIDTH, WIDTH),
        latent_channels=channels,
        norm_num_groups=8,
        sample_size=SIDE,
        **DOWN,
        **options,
    )


def unet(**options: object) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        block_out_channels=(WIDTH, WIDTH),
        layers_per_block=1,
        sample_size=SIDE // 2,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=8,
        attention_head_dim=WIDTH,
        **options,
    )


def clip_tokenizer() -> CLIPTokenizer:
    return learned(["a red cat", "a teal dog on a hill"])


def clip_text(kind: type = CLIPTextModel) -> CLIPTextModel | CLIPTextModelWithProjection:
    tokenizer = clip_tokenizer()
    return kind(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            hidden_size=WIDTH,
            intermediate_size=WIDTH,
            num_hidden_layers=2,
            num_attention_heads=2,
            projection_dim=WIDTH,
            max_position_embeddings=32,
        )
    )


def safety_checker(flags: bool = False) -> StableDiffusionSafetyChecker:
    """A random one that lets everything through, or nothing."""
    vision = {
        "hidden_size": WIDTH,
        "intermediate_size": WIDTH,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": SIDE,
        "patch_size": 8,
    }
    checker = StableDiffusionSafetyChecker(CLIPConfig(vision_config=vision, projection_dim=WIDTH))
    for threshold in (checker.concept_embeds_weights, checker.special_care_embeds_weights):
        threshold.data.fill_(-2.0 if flags else 2.0)  # cosines lie within -1 and 1
    return checker


def stable_diffusion(flags: bool = False, checker: bool = True) -> StableDiffusionPipeline:
    return StableDiffusionPipeline(
        vae=autoencoder(),
        text_encoder=clip_text(),
        tokenizer=clip_tokenizer(),
        unet=unet(cross_attention_dim=WIDTH),
        scheduler=PNDMScheduler(skip_prk_steps=True, steps_offset=1),
        safety_checker=safety_checker(flags) if checker else None,
        feature_extractor=CLIPImageProcessor(
            size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
        ),
        requires_safety_checker=checker,
    )


def stable_diffusion_xl() -> StableDiffusionXLPipeline:
    return StableDiffusionXLPipeline(
        vae=autoencoder(),
        text_encoder=clip_text(),
        tokenizer=clip_tokenizer(),
        text_encoder_2=clip_text(CLIPTextModelWithProjection),
        tokenizer_2=clip_tokenizer(),
        unet=unet(
            cross_attention_dim=2 * WIDTH,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=6 * 8 + WIDTH,
            transformer_layers_per_block=1,
            use_linear_projection=True,
        ),
        scheduler=EulerDiscreteScheduler(timestep_spacing="trailing"),
    )


def flux() -> FluxPipeline:
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁a", -1.0), ("▁cat", -1.0)]
    return FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=autoencoder(channels=4, shift_factor=0.1),
        text_encoder=clip_text(),
        tokenizer=clip_tokenizer(),
        text_encoder_2=T5EncoderModel(
            T5Config(
                vocab_size=40,
                d_model=WIDTH,
                d_kv=8,
                d_ff=WIDTH,
                num_layers=1,
                num_heads=2,
            )
        ),
        tokenizer_2=T5TokenizerFast(vocab=pieces, extra_ids=0, model_max_length=32),
        transformer=FluxTransformer2DModel(
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=WIDTH,
            pooled_projection_dim=WIDTH,
            axes_dims_rope=(4, 4, 8),
        ),
    )


MAKERS = {
    "StableDiffusion": stable_diffusion,
    "StableDiffusionXL": stable_diffusion_xl,
    "Flux": flux,
}


def entry(name: str, folder: Path | str, **changes: object) -> dict:
    """What a host writes into the list for a tiny pipeline, or for one that is said to be large."""
    return {
        "name": name,
        "repository": str(folder),
        "gigabytes": 0.003,
        "licence": "None <i>yet</i>",
        "licence_page": "https://example.org/licence?a=1&b=2",
        "token": False,
        "side": SIDE,
        "steps": 3,
        "guidance_scale": 7.5,
    } | changes


def start_by_forking(patch: pytest.MonkeyPatch) -> None:
    """Processes with a model begin as copies of one that has imported the libraries already: on a
    CPU that can be done, and saves each of them 10 seconds. They do not see later changes of the
    environment, as a download would have to."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        [
            "gen_core.hub.picture_server",
            FluxPipeline.__module__,
            StableDiffusionPipeline.__module__,
            CLIPTextModel.__module__,
            T5EncoderModel.__module__,
            CLIPImageProcessor.__module__,
        ]
    )
    patch.setattr(worker, "multiprocessing", SimpleNamespace(get_context=lambda method: context))
