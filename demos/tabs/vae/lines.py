"""What "Show the code" prints in the VAE's panels: lines that run as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from demos.page.image_input import Lines, PictureInput
from demos.page.script import LOAD, NOISE, TORCH, script


def samples(knobs: dict[str, Any]) -> str:
    seed, count = knobs["seed"], knobs["count"]
    return script(
        [LOAD, NOISE, ("gen_core", "final")],
        f'model = load("{knobs["model"]}")',
        f"noise = Noise(range({seed}, {seed + count}))",
        f"x = final(model.sample(noise, temperature={knobs['temperature']:g}))"
        f"  # ({count}, 1, 28, 28) in [-1, 1]",
    )


def latent(knobs: dict[str, Any]) -> str:
    code = knobs["code"]
    numbers = ", ".join(f"{value:g}" for value in code.z)
    return script(
        [LOAD, TORCH],
        f'model = load("{code.model}")',
        f"z = torch.tensor([[{numbers}]], device=model.device)",
        "x = model.decode(z)  # (1, 1, 28, 28) in [-1, 1]",
        "print(model.order)  # latent numbers, the one that changes the picture most first",
    )


def reconstruct(source: PictureInput, knobs: dict[str, Any]) -> str:
    given = source.code(knobs, knobs["count"])
    return script(
        [LOAD, TORCH, *given.needs],
        *given.body,
        "",
        f'model = load("{knobs["model"]}")',
        "x = x.to(model.device)",
        "mean, logvar = model.encode(x)  # each (B, latent)",
        "reconstruction = model.decode(mean)",
        "error = (reconstruction - x) / 2  # as a share of a pixel's range",
        f"rng = torch.Generator(model.device).manual_seed({knobs['seed']})",
        "distortion, rate = model.bound(x, rng)  # nats, each (B,)",
    )


def interpolate(ends: Sequence[PictureInput], random: str, knobs: dict[str, Any]) -> str:
    parts = [_end(end, letter, random, knobs) for end, letter in zip(ends, "ab", strict=True)]
    loaded = parts[0].body[0]  # a data set or a model that both ends use is loaded once
    second = parts[1].body[1:] if parts[1].body[0] == loaded else parts[1].body
    return script(
        [LOAD, TORCH, *parts[0].needs, *parts[1].needs]
        + [("gen_core.latent.interpolation", name) for name in ("spherical", "straight")],
        f'model = load("{knobs["model"]}")',
        *parts[0].body,
        *second,
        f"t = torch.linspace(0, 1, {knobs['count']}, device=model.device)",
        f"on_the_line = model.decode(straight(z_a, z_b, t))  # ({knobs['count']}, 1, 28, 28)",
        "on_the_arc = model.decode(spherical(z_a, z_b, t))",
    )


def _end(end: PictureInput, letter: str, random: str, knobs: dict[str, Any]) -> Lines:
    """The lines that make one end of a walk, z_a or z_b (latent,)."""
    if knobs[f"{end.prefix}source"] == random:
        seed = knobs[f"{end.prefix}seed"]
        draw = f"Noise([{seed}]).randn(model.config.latent)[0].to(model.device)"
        return Lines([NOISE], [f"z_{letter} = {draw}"])
    given = end.code(knobs, name=f"x_{letter}")
    code = f"z_{letter} = model.encode(x_{letter}.to(model.device))[0][0]"
    return Lines(given.needs, [*given.body, code])
