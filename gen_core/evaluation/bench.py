"""How long sampling takes, and how much of it is not the network."""

import statistics
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gen_core.devices import device_title, fast_math, has_bf16_units, pick_device
from gen_core.evaluation.bench_texts import compare_texts, texts_as_text
from gen_core.evaluation.rounds import interleaved, ratio
from gen_core.families.diffusion import Diffusion
from gen_core.family import Family, registry
from gen_core.knobs import choice, whole
from gen_core.progress import Report, ignore
from gen_core.sampling import Noise, final
from gen_core.training import checkpoint

GRID, STEPWISE_GRID = 64, 16
"""Pictures in the grid that a visitor waits for, drawn in one pass or in many steps."""
AIM_OVERHEAD = 1.05
AIM_DIFFUSERS = 1.02


def bare_network(
    model: Diffusion, count: int, steps: int, math: torch.autocast | None = None
) -> Tensor:
    """`steps` evaluations of the network and nothing else, in the precision that is chosen here,
    or in that of `math`."""
    x = Noise(range(count)).randn(*model.event.shape).to(model.device)
    t, label = torch.ones(count, device=model.device), model.condition.null(count).to(model.device)
    with torch.inference_mode(), math or fast_math(model.device):
        for _ in range(steps):
            out = model.net(x, t, label)
    return out.cpu()


def diffusers_ddim(model: Diffusion, count: int, steps: int) -> Tensor:
    """The same network in the loop that diffusers' documentation shows. Needs diffusers.

    Its clock runs from T - 1 to 0 where ours runs from T to 1: its t is our t - 1.
    """
    from diffusers import DDIMScheduler

    scheduler = DDIMScheduler(
        beta_start=1e-4,
        beta_end=0.02,
        beta_schedule="linear",
        clip_sample=False,
        prediction_type="v_prediction",
        timestep_spacing="trailing",
    )
    scheduler.set_timesteps(steps)
    x = Noise(range(count)).randn(*model.event.shape).to(model.device)
    label = model.condition.null(count).to(model.device)
    with torch.inference_mode():
        for t in scheduler.timesteps:
            time_in = ((t + 1) / model.schedule.total).expand(count).to(model.device)
            with fast_math(model.device):
                v = model.net(x, time_in, label).float()
            x = scheduler.step(v, t, x).prev_sample
    return x.clamp(-1, 1).cpu()  # as the pipelines do with their last x, and we with ours


def compare_samplers(
    model: Diffusion, count: int, steps: int, rounds: int, progress: Report
) -> dict[str, Any]:
    """Our DDIM beside the bare network and beside diffusers' DDIM, on one network."""

    def ours() -> Tensor:
        return final(model.sample(Noise(range(count)), steps=steps, solver="ddim"))

    jobs = {
        "bare network": lambda: bare_network(model, count, steps),
        "ours": ours,
        "diffusers": lambda: diffusers_ddim(model, count, steps),
    }
    seconds = interleaved(jobs, rounds, progress, "samplers")
    return {
        "count": count,
        "steps": steps,
        "rounds": rounds,
        "seconds": {name: round(statistics.median(s), 4) for name, s in seconds.items()},
        "ours_over_network": ratio(seconds["ours"], seconds["bare network"]),
        "aim_over_network": AIM_OVERHEAD,
        "ours_over_diffusers": ratio(seconds["ours"], seconds["diffusers"]),
        "aim_over_diffusers": AIM_DIFFUSERS,
        "largest_difference": float((ours() - diffusers_ddim(model, count, steps)).abs().max()),
    }


def compare_precisions(
    model: Diffusion, count: int, rounds: int, progress: Report
) -> dict[str, Any]:
    """Whether `has_bf16_units` chooses well: the network alone in bfloat16 and in float32."""

    def job(enabled: bool) -> Callable[[], Tensor]:
        math = torch.autocast(model.device.type, torch.bfloat16, enabled=enabled)
        return lambda: bare_network(model, count, 1, math)

    seconds = interleaved(
        {"float32": job(False), "bfloat16": job(True)}, rounds, progress, "precisions"
    )
    return {
        "chosen": "bfloat16" if has_bf16_units(model.device) else "float32",
        "seconds": {name: round(statistics.median(s), 4) for name, s in seconds.items()},
        "bfloat16_over_float32": ratio(seconds["bfloat16"], seconds["float32"]),
    }


def grid_of(model: Family) -> tuple[int, dict[str, Any]]:
    """What a visitor waits for: how many pictures, and the knobs of the family's first grid."""
    count = GRID if model.total(model.typical) == 1 else STEPWISE_GRID
    return count, dict(model.typical) | model.balanced(range(count))


def grid_times(models: dict[str, Family], rounds: int, progress: Report) -> list[dict[str, Any]]:
    """Seconds for the grid that a visitor gets from each family."""
    grids = {name: grid_of(model) for name, model in models.items()}

    def job(name: str) -> Callable[[], Tensor]:
        count, knobs = grids[name]
        return lambda: final(models[name].sample(Noise(range(count)), **knobs))

    seconds = interleaved({name: job(name) for name in models}, rounds, progress, "grids")
    return [
        {
            "family": name,
            "pictures": grids[name][0],
            **model.typical,
            "seconds": round(statistics.median(seconds[name]), 4),
        }
        for name, model in models.items()
    ]


def families() -> list[str]:
    """Names of all that draw."""
    return [name for name, kind in registry.classes.items() if issubclass(kind, Family)]


def load_or_build(family: str, device: str) -> Family:
    """The shipped Fashion-MNIST model, else the family's first checkpoint, else an untrained model
    of its usual size: as fast, if not as good."""
    names = checkpoint.available()
    for name in sorted(names, key=lambda name: not name.endswith("-fashion")):
        if checkpoint.card(name)["family"] == family:
            return checkpoint.load(name, device)
    model = registry.classes[family]().requires_grad_(False).eval()
    return model.to(pick_device(device), memory_format=model.layout)


def bench(
    *names: str,
    device: str = "auto",
    count: int = 16,
    steps: int = 20,
    rounds: int = 9,
    progress: Report = ignore,
) -> dict[str, Any]:
    """All measurements, or the grids of the families that are named, as plain values for JSON."""
    count, steps = whole("count", count, 1, 256), whole("steps", steps, 1, 1000)
    rounds = whole("rounds", rounds, 1, 1000)
    chosen = [choice("family", name, families()) for name in names] or families()
    models = {family: load_or_build(family, device) for family in chosen}
    found = {
        "hardware": device_title(next(iter(models.values())).device),
        "torch": torch.__version__,
        "untrained": [family for family, model in models.items() if not model.card],
    }
    if not names:
        diffusion = models["diffusion"]
        found["sampler"] = compare_samplers(diffusion, count, steps, rounds, progress)
        found["precision"] = compare_precisions(diffusion, count, rounds, progress)
        found["texts"] = compare_texts(models["gpt"], rounds, progress)
    return found | {"grids": grid_times(models, rounds, progress)}


def _sampler_as_text(result: dict[str, Any]) -> list[str]:
    def verdict(value: float, aim: float) -> str:
        return f"{value:.3f}   (aim: at most {aim}, {'met' if value <= aim else 'MISSED'})"

    s, precision = result["sampler"], result["precision"]
    network = verdict(s["ours_over_network"], s["aim_over_network"])
    library = verdict(s["ours_over_diffusers"], s["aim_over_diffusers"])
    return [
        f"Networks run in {precision['chosen']}.",
        f"DDIM, {s['count']} pictures, {s['steps']} steps, medians of {s['rounds']} rounds:",
        *(f"  {name:<14}{seconds:9.3f} s" for name, seconds in s["seconds"].items()),
        f"  ours / {s['steps']} x bare network  {network}",
        f"  ours / diffusers          {library}",
        f"  largest difference between ours and diffusers' pictures: {s['largest_difference']:.2g}",
        f"  network in bfloat16 / in float32: {precision['bfloat16_over_float32']:.3f}",
    ]


def as_text(result: dict[str, Any]) -> str:
    """The result of `bench` as lines for a terminal."""
    lines = [f"{result['hardware']}, torch {result['torch']}"]
    lines += _sampler_as_text(result) if "sampler" in result else []
    lines += texts_as_text(result["texts"]) if "texts" in result else []
    lines.append("Grids:")
    for grid in result["grids"]:
        knobs = ", ".join(f"{k}={v}" for k, v in grid.items() if k not in ("family", "seconds"))
        lines.append(f"  {grid['family']:<14}{grid['seconds']:9.3f} s   {knobs}")
    if result["untrained"]:
        lines.append(f"No weights, so untrained networks of the same size: {result['untrained']}")
    return "\n".join(lines)
