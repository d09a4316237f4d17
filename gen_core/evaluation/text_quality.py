"""How good is a text? Several figures, for each alone can be cheated: a dull text is likely, a
copied one is perfect.

The judge is the field's old answer: a model of the five characters that stand together, by
counting.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from gen_core.data.tokenizers import CHARACTERS, Tokenizer

ORDER = 5
"""Characters that the judge sees together: four, and the one that is judged."""
STRIDE, PROBE = 8, 16
"""Of the training text every STRIDE-th stretch of PROBE characters is kept, as a number."""
BASE = len(CHARACTERS) + 1
CHARACTER = Tokenizer()


@dataclass(frozen=True)
class NGram:
    """Counts of n-grams of characters, n from 1 to `ORDER`, with Witten-Bell back-off.

    p(c | h) = (count(hc) + T(h) p(c | h')) / (count(h) + T(h)), where h' is the history h without
    its first character and T(h) the number of kinds that were seen after h (Witten & Bell 1991,
    method C; Chen & Goodman 1999, eq. 14 and 17). Every character has some probability.
    """

    keys: Tensor
    """(N,) int64, sorted: each n-gram as a number to the base of the alphabet and 1."""
    counts: Tensor
    """(N,) int64: how often it was seen."""

    @classmethod
    def of(cls, text: str) -> Self:
        """Counts a text."""
        tokens = _tokens(text)
        longest = min(ORDER, len(tokens))
        windows = (tokens.unfold(0, n, 1) for n in range(1, longest + 1))
        keys = torch.cat([_key(w) for w in windows])
        return cls(*keys.unique(return_counts=True))

    def log_probs(self, text: str) -> Tensor:
        """log p of each character after those before it, in nats, (len(text),) float64."""
        tokens = _tokens(text)
        p = torch.full((len(tokens),), 1 / len(CHARACTERS), dtype=torch.float64)
        for n in range(1, min(ORDER, len(tokens)) + 1):  # p(c | the n - 1 characters before)
            here, grams = slice(n - 1, None), tokens.unfold(0, n, 1)
            seen, after, kinds = self._count(_key(grams)), *self._after(grams[:, :-1])
            p[here] = torch.where(
                after > 0, (seen + kinds * p[here]) / (after + kinds).clamp(min=1), p[here]
            )
        return p.log()

    def _count(self, keys: Tensor) -> Tensor:
        """How often these were seen, int64."""
        place = torch.searchsorted(self.keys, keys).clamp(max=len(self.keys) - 1)
        return torch.where(self.keys[place] == keys, self.counts[place], 0)

    def _after(self, histories: Tensor) -> tuple[Tensor, Tensor]:
        """How many characters, and how many kinds, were seen after each history."""
        first = _key(histories) * BASE + 1
        low, high = (torch.searchsorted(self.keys, key) for key in (first, first + BASE - 1))
        total = torch.cat([self.counts.new_zeros(1), self.counts.cumsum(0)])
        return total[high] - total[low], high - low


def _tokens(text: str) -> Tensor:
    return torch.tensor(CHARACTER.encode(text), dtype=torch.long)


def _key(grams: Tensor) -> Tensor:
    """(N, n) tokens -> (N,): a number that no other n-gram has, also none of another length."""
    key = grams.new_zeros(len(grams))
    for place in range(grams.shape[1]):
        key = key * BASE + grams[:, place] + 1
    return key


def _stretches(tokens: Tensor) -> Tensor:
    """A number for each stretch of `PROBE` characters: a polynomial, which wraps around."""
    powers = torch.tensor([pow(1_000_003, k, 2**63) for k in range(PROBE)])
    return (tokens.unfold(0, PROBE, 1) * powers).sum(1)


@dataclass(frozen=True)
class TextJudge:
    """What is known of the training text: how likely a text is, and what of it was copied."""

    ngram: NGram
    stretches: Tensor
    """(N,) int64, sorted"""

    @classmethod
    def on(cls, text: str) -> Self:
        """A judge that has read a text."""
        every = _stretches(_tokens(text))[::STRIDE]
        return cls(NGram.of(text), every.unique())

    @classmethod
    def of(cls, model: Any) -> Self:
        """The one that a checkpoint of text carries. Raises KeyError where it carries none."""
        extra = model.extra
        ngram = NGram(extra["judge.keys"].long(), extra["judge.counts"].long())
        return cls(ngram, extra["judge.stretches"].long())

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint keeps of it."""
        return {
            "judge.keys": self.ngram.keys,
            "judge.counts": self.ngram.counts.int(),
            "judge.stretches": self.stretches,
        }

    def bits_per_character(self, text: str) -> float:
        """How surprising each character is after the four before it, on average; NaN without
        text."""
        return -float(self.ngram.log_probs(text).mean()) / math.log(2)

    def longest_copy(self, text: str) -> int:
        """Characters of the longest run that stands in the training text too, fewer by up to
        2 `STRIDE`; of runs below `STRIDE + PROBE` some are not seen. Two passages that overlap
        by half a stretch count as one run."""
        tokens = _tokens(text)
        longest = 0
        if len(tokens) < PROBE:
            return longest
        begins: dict[int, int] = {}
        """Of the runs, by where their next stretch would be."""
        for place in torch.isin(_stretches(tokens), self.stretches).nonzero().flatten().tolist():
            begun = begins[place + STRIDE] = begins.pop(place, place)
            longest = max(longest, place - begun + PROBE)
        return longest


def entropy(tokens: Sequence[int]) -> float:
    """Of the kinds of tokens in a text, in bits: low where the same few come again."""
    counts, total = Counter(tokens), len(tokens)
    return sum(n / total * math.log2(total / n) for n in counts.values())


def distinct(tokens: Sequence[int], n: int = 4) -> float:
    """Share of the n-grams of a text that are its first of their kind (Li et al. 2016); 1 where
    none comes twice."""
    grams = [tuple(tokens[k : k + n]) for k in range(len(tokens) - n + 1)]
    return len(set(grams)) / len(grams) if grams else 1.0
