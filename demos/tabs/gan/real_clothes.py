"""Real pictures that travel with the app: the first 30 of each class of Fashion-MNIST's test set,
which no model was trained on.

`python -m demos.tabs.gan.real_clothes --data FOLDER` writes them anew from the data set. They are
MIT-licensed, © 2017 Zalando SE.
"""

import argparse
import functools
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from gen_core.data import CLASSES, ImageSet, MissingData, load_data

PATH = Path(__file__).with_suffix(".png")
"""A row of pictures for each class."""
OF_EACH, SIDE = 30, 28


@functools.cache
def real_clothes() -> ImageSet:
    """The 300 pictures, class by class."""
    with Image.open(PATH) as sheet:
        rows = torch.from_numpy(np.array(sheet)).unflatten(0, (-1, SIDE)).unflatten(2, (-1, SIDE))
    images = rows.transpose(1, 2).flatten(0, 1)  # from (class, y, number, x)
    classes = CLASSES["fashion"]
    labels = torch.arange(len(classes)).repeat_interleave(OF_EACH)
    return ImageSet("fashion", images[:, None], labels, classes)


def write(root: str | None, path: Path = PATH) -> None:
    """Takes them from the data set. Raises MissingData where it is not on this machine."""
    data = load_data("fashion", "test", root, download=False)
    chosen = [(data.labels == c).nonzero()[:OF_EACH, 0] for c in range(len(data.classes))]
    rows = [torch.cat([*data.images[places, 0]], dim=1) for places in chosen]
    Image.fromarray(torch.cat(rows).numpy()).save(path, optimize=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demos.tabs.gan.real_clothes")
    parser.add_argument("--data", help="where Fashion-MNIST lies, if not in GEN_DATA")
    try:
        write(parser.parse_args().data)
    except MissingData as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{PATH}: {PATH.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
