"""One bigger model: its files, its pipeline, a picture.

diffusers and its friends change settings of the whole process while they open a model (the default
precision, how layers are initialised), so the app does this in a process of its own: see `server`.
"""

import functools
import inspect
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gen_core.hub.downloads import counting, fetching
from gen_core.hub.models import BigModel
from gen_core.knobs import KnobError, text, whole
from gen_core.progress import Progress, Report, ignore
from gen_core.sampling import MAX_SEED

MAX_PROMPT = 2000
"""Characters; the text encoders read the first 77 to 512 tokens anyway."""
MAX_STEPS = 1000
DRAWING = "Drawing"
"""What a progress says while the steps are taken."""


@dataclass(frozen=True)
class Drawn:
    picture: np.ndarray
    """uint8 (H, W, 3)"""
    flagged: bool
    """Whether the safety checker did not like the picture, which is black then."""
    steps: int
    guided: bool
    """Whether the negative prompt was heeded."""
    seconds: float


def fetched(model: BigModel, progress: Report = ignore) -> str:
    """The folder with its files, fetched into the Hub's cache where they are not there yet.

    Only in a process that does nothing else: it puts a progress bar of ours into diffusers.
    Raises KnobError where the network, the model's authors or the disk do not let us.
    """
    if Path(model.repository).is_dir():
        return model.repository
    from diffusers import DiffusionPipeline
    from diffusers.pipelines import pipeline_utils
    from huggingface_hub import snapshot_download

    with fetching(model, progress) as doing:
        # diffusers knows best which files a pipeline needs, but passes no progress bar on.
        pipeline_utils.snapshot_download = functools.partial(
            counting, snapshot_download, doing, progress
        )
        return str(
            DiffusionPipeline.download(
                model.repository,
                variant=model.variant,
                use_safetensors=True,
                trust_remote_code=False,
            )
        )


def opened(model: BigModel, folder: str, device: torch.device, in_turns: bool = True) -> Any:
    """The pipeline from its folder: on a GPU in half precision, its parts there in turns or all at
    once.

    Raises KnobError for Stable Diffusion without its safety checker.
    """
    from diffusers import AutoPipelineForText2Image, StableDiffusionPipeline
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    for library in (diffusers_logging, transformers_logging):
        library.disable_progress_bar()
    precision = torch.float32 if device.type == "cpu" else getattr(torch, model.half)
    pipeline = AutoPipelineForText2Image.from_pretrained(
        folder,
        dtype=precision,
        variant=model.variant,
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
    )
    if isinstance(pipeline, StableDiffusionPipeline) and pipeline.safety_checker is None:
        raise KnobError(f"{model.name} has no safety checker, and does not run without one")
    pipeline.set_progress_bar_config(disable=True)
    if device.type != "cuda":
        return pipeline.to(device)
    if in_turns:
        pipeline.enable_model_cpu_offload(device=device)
    else:
        pipeline.to(device)
    pipeline.vae.enable_slicing()
    pipeline.vae.enable_tiling()
    return pipeline


def generate(
    pipeline: Any,
    model: BigModel,
    prompt: str,
    *,
    negative_prompt: str = "",
    seed: int = 0,
    steps: int | None = None,
    progress: Report = ignore,
) -> Drawn:
    """A picture for the words: steps (None) and guidance are as the model's authors advise."""
    steps = whole("steps", model.steps if steps is None else steps, 1, MAX_STEPS)
    rng = torch.Generator("cpu").manual_seed(whole("seed", seed, 0, MAX_SEED))
    options = {"prompt": text("prompt", prompt, MAX_PROMPT)}
    takes = inspect.signature(pipeline.__call__).parameters
    # Pipelines with a "true" guidance scale know no negative prompt under the ordinary one.
    can = "negative_prompt" in takes and "true_cfg_scale" not in takes
    if guided := can and model.guidance_scale > 1:
        options["negative_prompt"] = text("negative_prompt", negative_prompt, MAX_PROMPT)
    if model.max_sequence_length and "max_sequence_length" in takes:
        options["max_sequence_length"] = model.max_sequence_length

    def step_is_done(pipeline: Any, step: int, _time: Any, _tensors: dict) -> dict:
        progress(Progress(DRAWING, step + 1, pipeline.num_timesteps))
        return {}

    progress(Progress(DRAWING, 0, steps))
    started = time.perf_counter()
    try:
        result = pipeline(
            **options,
            num_inference_steps=steps,
            guidance_scale=model.guidance_scale,
            height=model.side,
            width=model.side,
            generator=rng,
            callback_on_step_end=step_is_done,
        )
    finally:
        pipeline.maybe_free_model_hooks()  # also where a cancelled run left a part on the GPU
    seconds = time.perf_counter() - started
    flags = getattr(result, "nsfw_content_detected", None) or [False]
    return Drawn(np.asarray(result.images[0].convert("RGB")), any(flags), steps, guided, seconds)
