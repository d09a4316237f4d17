"""Corruptions: anomalous pictures, made of portraits without any download.

Each kind is a function (pictures, rng) -> pictures, (B, 3, H, W) in [-1, 1], that leaves what it
takes as it is. H and W are even.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

Corruption = Callable[[Tensor, torch.Generator], Tensor]

LINE_POINTS, LOOPS = 400, 3
SHORTEST = 0.1
"""Of a scribble, as a share of the whole line."""
STROKE = 0.035
"""Half the width of a scribble, where the picture is 2 wide."""
BLOCK = 1 / 4
"""Side of a block that is pasted or erased, as a share of the picture's."""
BLUR = 3
"""Pixels over which a blur takes the mean, twice."""
NOISE = 0.08
"""Standard deviation of added noise, where pixels go from -1 to 1."""


def scribbled(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """A line in one colour, short or long, winds over each."""
    count, channels, height, width = pictures.shape
    loops = torch.arange(1.0, LOOPS + 1)[:, None]
    turns = torch.linspace(0, 1, LINE_POINTS) * loops  # (LOOPS, LINE_POINTS)
    phases, sizes = (torch.rand(count, 2, LOOPS, 1, generator=rng) for _ in range(2))
    lines = (sizes * torch.sin(2 * math.pi * (turns + phases))).sum(2)  # (B, 2, LINE_POINTS)
    lines = 0.85 * lines / lines.abs().amax(2, keepdim=True)
    ends = SHORTEST + (1 - SHORTEST) * torch.rand(count, generator=rng)
    colours = _colours(count, channels, rng)
    up, across = torch.meshgrid(
        torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij"
    )
    places = torch.stack([across, up], 2).view(-1, 2)
    drawn = [line.T[: int(end * LINE_POINTS)] for line, end in zip(lines, ends, strict=True)]
    away = torch.stack([torch.cdist(places, points).amin(1) for points in drawn])
    return torch.where((away < STROKE).view(count, 1, height, width), colours, pictures)


def pasted(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """A block from the middle of the next one, of its own if there is no other, in each."""
    made, corners = pictures.clone(), _corners(pictures, rng)
    middle = _block(pictures, (_room(pictures) // 2,) * 2)
    for picture, other, corner in zip(made, middle.roll(-1, 0), corners, strict=True):
        _block(picture, corner)[:] = other
    return made


def erased(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """A block of each, well inside, is all of one colour: its own mean."""
    made = pictures.clone()
    for picture, (top, left) in zip(made, _corners(pictures, rng), strict=True):
        quarter = _room(pictures) // 4
        block = _block(picture, (quarter + top // 2, quarter + left // 2))
        block[:] = block.mean((1, 2), keepdim=True)
    return made


def upside_down(pictures: Tensor, rng: torch.Generator) -> Tensor:
    return pictures.flip(2)


def shuffled(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """Each quarter takes the place of another."""
    quarters = [half.chunk(2, 3) for half in pictures.chunk(2, 2)]
    around = torch.stack([*quarters[0], *quarters[1]], 1)  # (B, 4, C, H / 2, W / 2)
    moves = torch.randint(1, 4, (len(pictures),), generator=rng).tolist()
    moved = [four.roll(move, 0) for four, move in zip(around, moves, strict=True)]
    a, b, c, d = torch.stack(moved, 1)
    return torch.cat([torch.cat([a, b], 3), torch.cat([c, d], 3)], 2)


def noisy(pictures: Tensor, rng: torch.Generator) -> Tensor:
    noise = torch.randn(pictures.shape, generator=rng)
    return (pictures + NOISE * noise).clamp(-1, 1)


def blurred(pictures: Tensor, rng: torch.Generator) -> Tensor:
    for _ in range(2):
        around = functional.pad(pictures, (BLUR // 2,) * 4, "reflect")
        pictures = functional.avg_pool2d(around, BLUR, 1)
    return pictures


def striped(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """No portraits: stripes of two colours, at any angle."""
    count, channels, height, width = pictures.shape
    angle, waves, phase = torch.rand(3, count, 1, 1, 1, generator=rng)
    across, up = torch.linspace(-1, 1, width), torch.linspace(-1, 1, height)[:, None]
    along = across * torch.cos(math.pi * angle) + up * torch.sin(math.pi * angle)
    share = 0.5 + 0.5 * torch.sin(2 * math.pi * ((1 + 4 * waves) * along + phase))
    first, second = (_colours(count, channels, rng) for _ in range(2))
    return first + (second - first) * share


def plain(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """No portraits: one colour all over."""
    return _colours(len(pictures), pictures.shape[1], rng).expand_as(pictures).clone()


def _side(pictures: Tensor) -> int:
    return round(BLOCK * pictures.shape[-1])


def _room(pictures: Tensor) -> int:
    """Places along each side at which a block can begin."""
    return pictures.shape[-1] - _side(pictures) + 1


def _corners(pictures: Tensor, rng: torch.Generator) -> list[list[int]]:
    """(top, left) of a block for each."""
    return torch.randint(_room(pictures), (len(pictures), 2), generator=rng).tolist()


def _block(pictures: Tensor, corner: Sequence[int]) -> Tensor:
    """(..., C, side, side): the very pixels, not a copy."""
    (top, left), side = corner, _side(pictures)
    return pictures[..., top : top + side, left : left + side]


def _colours(count: int, channels: int, rng: torch.Generator) -> Tensor:
    """(count, channels, 1, 1) in [-1, 1]"""
    return 2 * torch.rand(count, channels, 1, 1, generator=rng) - 1


KINDS: dict[str, Corruption] = {
    "scribbled on": scribbled,
    "a piece of another": pasted,
    "a piece erased": erased,
    "upside down": upside_down,
    "quarters moved": shuffled,
    "negative": lambda pictures, rng: -pictures,
    "noisy": noisy,
    "blurred": blurred,
    "stripes": striped,
    "one colour": plain,
}
"""By what they are called on the page."""


def corrupt(pictures: Tensor, kind: Corruption, seed: int) -> Tensor:
    """The pictures as `kind` corrupts them, the same for the same seed."""
    return kind(pictures, torch.Generator().manual_seed(seed))
