"""What "Show the code" prints: a short script that runs as it is."""

import ast
from collections.abc import Callable, Mapping
from typing import Any

from demos.page.controls import label_code

HOMES = {
    "math": "log nan",
    "os": "environ",
    "torch": "torch",
    "copy": "deepcopy",
    "dataclasses": "replace",
    "PIL": "Image",
    "diffusers": "AutoPipelineForText2Image",
    "httpx": "post",
    "demos.page.picture_files": "grey_picture prepare prepare_colour prepare_mask",
    "gen_core": "Noise final fit load record",
    "gen_core.classifiers.emoji": "relation_found thing_found",
    "gen_core.data": "Batches load_data",
    "gen_core.data.avatars": "avatars",
    "gen_core.data.avatars.schema": "CATEGORICAL CONTINUOUS",
    "gen_core.data.planes": "load_plane",
    "gen_core.data.yardstick": "Yardstick",
    "gen_core.data.emoji": "load_emoji",
    "gen_core.data.point_texts": "read_points",
    "gen_core.data.emoji.reading": "as_read",
    "gen_core.data.emoji.scenes": "random_scene",
    "gen_core.data.emoji.things": "things_in",
    "gen_core.data.tokenizers": "in_ascii tokenizer",
    "gen_core.devices": "pick_device",
    "gen_core.editing": "blur fill recast redraw restore round_trip shrink",
    "gen_core.evaluation.code_length": "code_length",
    "gen_core.evaluation.pictures": "diversity",
    "gen_core.evaluation.text_quality": "TextJudge distinct entropy",
    "gen_core.sampling": "cost_of",
    "gen_core.families.text_to_image.batches": (
        "ClassifierBatches LatentBatches SceneBatches pictures"
    ),
    "gen_core.families.text_to_image.clip_score": "ClipScorer",
    "gen_core.families.text_to_image.folder": "classifier_of",
    "gen_core.families.text_to_image.pipeline": "Start",
    "gen_core.families.text_to_image.search": "Search",
    "gen_core.families.text_to_image.tokens": "words_of",
    "gen_core.hub.answers": "Asked",
    "gen_core.hub.writer": "opened write",
    "gen_core.lab": "Camera Game Settings",
    "gen_core.latent": "anomaly",
    "gen_core.latent.atlas": "Atlas",
    "gen_core.latent.corruptions": "KINDS corrupt",
    "gen_core.latent.interpolation": "four_corners spherical straight",
    "gen_core.paths": "Exact Training reflow road straightness",
    "gen_core.paths.fields": "SCHEDULES mixed shifted",
    "gen_core.paths.reflow": "pairs_of",
    "gen_core.paths.roads": "distance reference",
    "gen_core.provenance": "metadata watermark",
    "gen_core.training.checkpoint": "weights_folder",
}
"""Module -> the names that scripts import from it, where they use them."""


def script(*body: str, **own: str) -> str:
    """The body, lines of Python, below the imports that it needs. own: what is a tab's own, name
    and module; it comes before what others mean by that name."""
    tree = ast.walk(ast.parse("\n".join(body)))
    names = [node for node in tree if isinstance(node, ast.Name)]
    used = {node.id for node in names} - {n.id for n in names if isinstance(n.ctx, ast.Store)}
    homes = {module: {*names.split()} - own.keys() for module, names in HOMES.items()}
    for name, module in own.items():
        homes.setdefault(module, set()).add(name)
    needed = [(module, sorted(used & names)) for module, names in homes.items()]
    imports = [
        "import torch" if module == "torch" else f"from {module} import {', '.join(found)}"
        for module, found in needed
        if found
    ]
    return "\n".join([*imports, "", *body])


def sampling(
    knobs: Mapping[str, Any],
    into: str = "x = final",
    *,
    shape: str = "",
    without: tuple[str, ...] = (),
    indent: int = 0,
    **given: str,
) -> list[str]:
    """The lines that hand `model.sample` with a panel's knobs over to `into`.

    The knobs seed and count are its noise; those named `without` are left out. given: Python that
    stands in place of a knob's value, or is one more. shape: of one sample, for a comment.
    """
    seed, count = knobs["seed"], knobs.get("count", 1)
    own = {name: repr(value) for name, value in knobs.items()}
    if "label" in own:
        own["label"] = label_code(knobs["label"], count)
    left_out = {"seed", "count", "model", *without}
    options = {name: value for name, value in (own | given).items() if name not in left_out}
    lines = [
        f"{into}(model.sample(",
        f"    Noise(range({seed}, {seed + count}))," if count > 1 else f"    Noise([{seed}]),",
        *(f"    {name}={value}," for name, value in options.items()),
        f"))  # ({count}, {shape}) in [-1, 1]" if shape else "))",
    ]
    return [" " * indent + line for line in lines]


def drawing(model: str, **shown: Any) -> Callable[[Mapping[str, Any]], str]:
    """The code of a panel that draws with its knobs and nothing else; a knob "model" comes before
    `model`. shown: what else `sampling` takes."""
    return lambda knobs: script(
        f'model = load("{knobs.get("model", model)}")', *sampling(knobs, **shown)
    )


def random_code(name: str, seed: int) -> list[str]:
    """The line that draws a code (1, latent) from the prior of `model`."""
    return [f"{name} = Noise([{seed}]).randn(model.config.latent).to(model.device)"]
