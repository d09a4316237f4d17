"""Token by token: how the next one is drawn, under text, codes and pixels.

Each position of a sample has one uniform number, from the sample's seed. The token is where the
cumulative distribution passes it (inverse transform sampling), in float64: the same seed gives the
same tokens, however many are drawn beside it and wherever one goes on; but for rounding: where a
network computes in float32, a token whose number lies at a boundary may be its neighbour.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gen_core.family import UNDRAWN
from gen_core.knobs import KnobError, Number, Whole
from gen_core.nets.transformer import KeyValueCache, Memory
from gen_core.sampling import Frame

MOST_KINDS = 65_536

TEMPERATURE = Number(
    "temperature",
    1.0,
    0,
    2,
    info="0 always takes the likeliest, 1 draws as the network says, more is bolder",
)
TOP_K = Whole(
    "top_k",
    0,
    0,
    MOST_KINDS,
    label="Top k",
    info="Only the k likeliest; 0: all",
    advanced=True,
)
TOP_P = Number(
    "top_p",
    1.0,
    0,
    1,
    label="Top p",
    info="Only the likeliest that share this probability",
    advanced=True,
)
CHOOSING = (TEMPERATURE, TOP_K, TOP_P)

NextLogits = Callable[[Tensor], Tensor]
"""Tokens that are drawn, (B, n), -> float32 logits of the next one, (B, vocabulary)."""


def exact_on(device: torch.device) -> torch.device:
    """Where to compute in float64: MPS has none."""
    return torch.device("cpu") if device.type == "mps" else device


class Exact:
    """A network in float64, copied again where its weights have changed.

    How many samples are drawn together changes how sums are rounded. In float32 that would give now
    and then a sample another token somewhere, and let it go another way from there, as it may on
    MPS, which has no float64.
    """

    def __init__(self, net: nn.Module) -> None:
        self.net = net
        self.last: nn.Module | None = None
        """The copy that was made last."""
        self._last_of: tuple[int, ...] = ()

    def __call__(self) -> nn.Module:
        """A copy of the network as it is now, where it is now."""
        weights = [*self.net.parameters()]
        state = tuple(n for p in weights for n in (p.data_ptr(), _version(p)))
        if state != self._last_of:
            mps = weights[0].device.type == "mps"
            with torch.inference_mode(False):  # what is made within refuses to be copied again
                self.last = copy.deepcopy(self.net).to(torch.float32 if mps else torch.float64)
            self._last_of = state
        return self.last


def _version(weight: Tensor) -> int:
    """How often it was changed in place; what inference mode has made does not count."""
    return 0 if weight.is_inference() else weight._version


class CachedNext:
    """The logits of the next token, where what the network said of the tokens before is kept."""

    def __init__(self, ask: Callable[[Tensor, Memory], tuple[Tensor, Memory]], length: int) -> None:
        """ask: tokens that are new, and what was kept of those before them, -> logits, of which the
        last are the next token's, and what to keep; length: how much there may be to keep."""
        self.ask, self.kept, self.read = ask, KeyValueCache(length), 0

    def __call__(self, x: Tensor) -> Tensor:
        """x (B, n), of which the first ones are those of the call before -> (B, vocabulary)."""
        fresh = x[:, self.read :] if self.kept.filled else x
        logits, new = self.ask(fresh, self.kept.past)
        self.kept.add(new)
        self.read = x.shape[1]
        return logits[:, -1].float()


def probabilities(
    logits: Tensor, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0
) -> Tensor:
    """What a token is drawn from, float64, shaped like the logits (..., vocabulary).

    temperature 0: the likeliest alone, of equals the first. top_k: the k likeliest (Fan et al.
    2018); top_p: the fewest that together have this probability (Holtzman et al. 2020, section
    3.1), at least one. On the logits' device, where that has float64.
    """
    logits = logits.to(exact_on(logits.device)).double()
    if temperature == 0 or top_k == 1:
        return torch.zeros_like(logits).scatter_(-1, logits.argmax(-1, keepdim=True), 1.0)
    p = (logits / temperature).softmax(-1)
    if top_k == 0 and top_p == 1:
        return p
    ranked, order = p.sort(dim=-1, descending=True, stable=True)
    if 0 < top_k < p.shape[-1]:
        ranked[..., top_k:] = 0
        ranked = ranked / ranked.sum(-1, keepdim=True)
    if top_p < 1:
        before = ranked.cumsum(-1) - ranked
        ranked = ranked.masked_fill((before >= top_p) & (before > 0), 0.0)
    kept = torch.zeros_like(p).scatter_(-1, order, ranked)
    return kept / kept.sum(-1, keepdim=True)


def inverse_cdf(p: Tensor, u: Tensor) -> Tensor:
    """p (..., vocabulary) float64, u (...) uniform in [0, 1) -> tokens (...) int64, each of a
    positive probability."""
    cdf = p.cumsum(-1)
    last = (p > 0).long().cumsum(-1).argmax(-1)  # where rounding leaves the sum below u
    return torch.minimum((cdf <= u[..., None] * cdf[..., -1:]).sum(-1), last)


@dataclass(frozen=True)
class TokenSampler:
    """Draws what is not drawn yet of rows of tokens, from left to right. A token that stands there
    already is read when its turn comes, as if it had been drawn."""

    next_logits: NextLogits
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def frames(self, x: Tensor, u: Tensor, start: int, total: int) -> Iterator[Frame]:
        """x (B, length) int64, all drawn up to `start`; u (B, length) float64: the uniform number
        of each position; total: how many places to go on.

        Yields `total` + 1 Frames: level is the place, up to which all is drawn, out the logits of
        the token there.
        """
        u = u.to(exact_on(x.device))
        for step in range(total):
            place = start + step
            logits = self.next_logits(x[:, :place])
            yield Frame(step, total, float(place), x, out=logits, evaluations=step + 1)
            p = probabilities(logits, self.temperature, self.top_k, self.top_p)
            x = x.clone()  # frames that were given stay as they are
            drawn = inverse_cdf(p, u[:, place]).to(x.device)
            x[:, place] = torch.where(x[:, place] == UNDRAWN, drawn, x[:, place])
        yield Frame(total, total, float(start + total), x, evaluations=total)


def begun(given: Tensor | None, count: int, length: int, vocabulary: int) -> Tensor | None:
    """Rows to go on from, (count, length) int64: `given` is one row for all or one a sample, with
    `UNDRAWN` where a token is to be drawn. Raises KnobError."""
    if given is None:
        return None
    given = given.cpu()
    rows = given.expand(count, -1) if given.ndim == 1 else given
    if rows.shape != (count, length) or rows.is_floating_point():
        raise KnobError(
            f"given of shape {(*given.shape,)}: give whole numbers ({length},), or ({count}, "
            f"{length})"
        )
    if int(rows.min()) < UNDRAWN or int(rows.max()) >= vocabulary:
        raise KnobError(
            f"given: choose tokens from 0 to {vocabulary - 1}, or {UNDRAWN} to draw one"
        )
    return rows.clone()


def standing(rows: Tensor) -> int:
    """The place (0: the first) up to which all rows (B, length) are drawn."""
    return int((rows != UNDRAWN).all(0).long().cumprod(0).sum())
