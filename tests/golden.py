"""Golden pictures and the golden page: what a rebuilt house must still do.

python tests/golden.py write [NAME ...]     draw the stored pictures anew, after a new checkpoint
python tests/golden.py page                 store the page's panels, knobs and endpoints anew
python tests/golden.py compare REVISION     draw with a revision and with the working tree, and
                                            list every state that is not exactly equal
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from safetensors.torch import load_file

from golden_run import cases, checkpoints, drawn, fingerprint, in_float32, opened

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "golden"
WEIGHTS = ROOT / "weights"
PAGE = FOLDER / "page.json"


def picture_rows(name: str) -> dict[str, np.ndarray]:
    """What a checkpoint draws in each case: uint8 (H, 4 W) or (H, 4 W, 3), four seeds in a row; of
    texts the tokens' numbers, in two bytes."""
    model, rows = opened(name, WEIGHTS), {}
    for case, knobs in cases(name, model).items():
        *_, x = drawn(model, knobs)
        if x.ndim == 2:
            kinds = 1 + x.long().flatten()[None]
            rows[case] = torch.stack([kinds // 256, kinds % 256, 0 * kinds], -1).byte().numpy()
            continue
        levels = ((x.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
        rows[case] = np.concatenate(list(levels), axis=1).squeeze()
    return rows


def write(name: str) -> Path:
    """Stores the pictures of a checkpoint, one row a case, with the hash of its weights."""
    rows, info, path = picture_rows(name), PngInfo(), FOLDER / f"{name}.png"
    info.add_text("weights", fingerprint(WEIGHTS, name))
    info.add_text("cases", json.dumps(list(rows)))
    FOLDER.mkdir(exist_ok=True)
    Image.fromarray(np.concatenate(list(rows.values()))).save(path, optimize=True, pnginfo=info)
    return path


def stored(name: str) -> tuple[str, dict[str, np.ndarray]]:
    """The hash of the weights that drew the stored pictures, and the rows by case."""
    with Image.open(FOLDER / f"{name}.png") as image:
        names, sheet = json.loads(image.text["cases"]), np.asarray(image)
        return image.text["weights"], dict(zip(names, np.split(sheet, len(names)), strict=True))


def page_of_today() -> dict[str, Any]:
    """Tabs with their panels, knobs as links name them, and endpoints with their parameters."""
    from demos.page import shell
    from demos.page.handlers import App

    app = App("cpu")
    page = shell.build_page(app)
    knobs = [(f"{k.tab}/{k.panel}.{knob.linked}", k, knob) for k in app.knobs for knob in k.knobs]
    endpoints = page.get_api_info()["named_endpoints"]
    return {
        "panels": {tab: [p.id for p in tabs.children] for tab, tabs in app.panels.items()},
        "links": {
            key: [kind_of(k.built[knob.name]), k.built[knob.name].value] for key, k, knob in knobs
        },
        "endpoints": {
            name: [parameter["parameter_name"] for parameter in told["parameters"]]
            for name, told in sorted(endpoints.items())
        },
    }


def kind_of(component: Any) -> str:
    """ "Slider", "Dropdown", ...: what a link's text is read as."""
    return type(component).__name__


def compare(revision: str) -> list[str]:
    """The states that the revision and the working tree do not draw exactly alike, each with the
    largest difference. Both run with the working tree's weights, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        old = Path(folder) / "old"
        subprocess.run(["git", "worktree", "add", "--detach", old, revision], cwd=ROOT, check=True)
        try:
            before, after = (_run(root, Path(folder)) for root in (old, ROOT))
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", old], cwd=ROOT, check=True)
    lines = [
        f"{key}: drawn by one of the two alone" for key in sorted(before.keys() ^ after.keys())
    ]
    for key in sorted(before.keys() & after.keys()):
        one, other = before[key], after[key]
        if one.shape != other.shape:
            lines.append(f"{key}: {tuple(one.shape)} before, {tuple(other.shape)} now")
        elif not torch.equal(one, other):
            lines.append(f"{key}: differs by up to {float((one - other).abs().max()):.3g}")
    print(f"{len(before.keys() & after.keys())} states compared, {len(lines)} differ")
    return lines


def _run(root: Path, folder: Path) -> dict[str, torch.Tensor]:
    out = folder / "states.safetensors"
    script = Path(__file__).with_name("golden_run.py")
    command = [sys.executable, script, root, WEIGHTS, out]
    subprocess.run(command, cwd=root, env=os.environ | {"PYTHONPATH": str(root)}, check=True)
    return load_file(out)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["write", "page", "compare"])
    parser.add_argument("names", nargs="*", metavar="NAME", help="checkpoints, or a revision")
    args = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if args.what == "compare":
        lines = compare(*args.names)
        print("\n".join(lines))
        return 1 if lines else 0
    if args.what == "page":
        PAGE.write_text(json.dumps(page_of_today(), indent=1, ensure_ascii=False) + "\n")
        return 0
    torch.set_num_threads(1)
    in_float32()
    for name in args.names or checkpoints(WEIGHTS):
        path = write(name)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
