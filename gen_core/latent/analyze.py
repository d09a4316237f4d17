"""Analyzes a VAE's latent space once, after training: its atlas and what moves do in it."""

import time
from pathlib import Path
from typing import Any

from gen_core.data import load_data
from gen_core.devices import device_title
from gen_core.evaluation.reference import rounded
from gen_core.families.vae import VAE
from gen_core.knobs import KnobError
from gen_core.latent import anomaly, disentanglement
from gen_core.latent.atlas import Atlas
from gen_core.training import checkpoint

SECTION = "latent"
"""Where a checkpoint's card keeps what was measured here."""


def analyze(
    name: str,
    *,
    device: str = "auto",
    data_root: str | None = None,
    folder: Path | str | None = None,
    write: bool = False,
) -> dict[str, Any]:
    """The atlas of a VAE by name and, of portraits, what its sliders do, as plain values.

    `write` puts both into the checkpoint, beside its metrics. Takes minutes. Raises
    CheckpointError, MissingData, and KnobError for a model that is no VAE.
    """
    model = checkpoint.load(name, device, folder)
    if not isinstance(model, VAE):
        raise KnobError(f"name={name!r}: of family {model.name}; only a VAE has codes for pictures")
    data = model.card["data"]
    test, train = (load_data(data, split, data_root) for split in ("test", "train"))
    atlas = Atlas.of(model, test, train)
    found: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "hardware": device_title(model.device),
        "points": len(atlas.codes),
        "scales": atlas.scales.tolist(),
    }
    if atlas.regressor is not None:
        judge = checkpoint.load(f"judge-{data}", device, folder)
        found["sliders"] = disentanglement.measure(model, judge, atlas)
        found["anomaly"] = anomaly.measure(model)
    found = rounded(found)
    if write:
        checkpoint.amend(name, found, atlas.tensors(), folder, section=SECTION)
    return found


def report(found: dict[str, Any]) -> str:
    """The analysis for a person: a line for each slider."""
    lines = [f"{found['points']:,} pictures on the map"]
    for name, row in found.get("sliders", {}).get("by_trait", {}).items():
        own, besides = row["change"][name], disentanglement.others(row["change"], name)
        stir = disentanglement.others(row["stir"], name)
        lines.append(
            f"{name:<12} right {row['right']:6.1%}  own {own:+.2f}  others {besides:.0%} of it, "
            f"without sign {stir:.0%}"
        )
    return "\n".join(lines)
