"""GPT: each token of a text from those before it.

Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training"; the network is
GPT-2's with rotary positions. p(x) is the product over i of p(x_i | x_1 .. x_(i-1)): the likelihood
is exact.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.families.text import TextFamily
from gen_core.families.token_sampler import CHOOSING, CachedNext, TokenSampler, standing
from gen_core.family import Clock, Losses, Phase, register
from gen_core.knobs import Whole
from gen_core.nets.transformer import Memory, Transformer
from gen_core.sampling import Frame, Noise


@register
class GPT(TextFamily):
    name = "gpt"
    knobs = (Whole("tokens", 200, 1, 8192, info="How many to write at most"), *CHOOSING)
    clock = Clock("token")
    causal: ClassVar[bool] = True
    typical: ClassVar = {"temperature": 0.8}

    def phases(self) -> list[Phase]:
        parameters = list(self.parameters())
        return [Phase("next", parameters, self.loss, lr=1.5e-3, weight_decay=0.1)]

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """-log p(x_i | x_1 .. x_(i-1)), the mean over all tokens, in nats."""
        logits, _ = self.net(self._shifted(x), rng=rng)
        return {"loss": F.cross_entropy(logits.float().flatten(0, 1), x.flatten())}

    def _shifted(self, x: Tensor) -> Tensor:
        """What the network reads to say x: the token before each, the special one before all."""
        return F.pad(x[:, :-1], (1, 0), value=self.special).to(self.device)

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, (B,), of x (B, n) int64, all drawn."""
        return self.token_log_probs(x).sum(1)

    @torch.inference_mode()
    def token_log_probs(self, x: Tensor) -> Tensor:
        """log p of each token after those before it, in nats, (B, n); where n is more than the
        network sees, after those that `reading` shows it. On the model's device."""
        x = x.to(self.device)
        parts = [
            log_p.gather(-1, x[:, start : start + log_p.shape[1], None])
            for start, log_p in self.reading(x)
        ]
        return torch.cat(parts, dim=1)[..., 0]

    @torch.inference_mode()
    def reading(self, x: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Reads rows x (B, n) int64 of any length, at least one token. Yields a place, and log p of
        all tokens that could stand there and at the places after it, in nats, (B, m, vocabulary).

        What is longer than the network sees is read in windows that overlap by half: from the
        second one on each token has at least half a window before it. As no token is seen before
        its p is told, the product of these p is a likelihood still.
        """
        x, length, n, start = x.to(self.device), self.config.length, x.shape[1], 0
        while start < n:
            end = min(n, start + length // 2 if start else length)
            window = x[:, max(0, end - length) : end]
            yield start, self.next_logits(window)[:, start - end :].log_softmax(-1)
            start = end

    @torch.inference_mode()
    def next_logits(self, x: Tensor) -> Tensor:
        """What it says of each token from those before it, float32 (B, n, vocabulary)."""
        logits, _ = self.net(self._shifted(x))
        return logits.float()

    @torch.inference_mode()
    def attention(self, x: Tensor) -> Tensor:
        """How much it attended to what when it said each token, (layers, B, heads, n, n): row i is
        the i-th token's; column 0 what comes before a text, column j + 1 the j-th token."""
        return self.net.attention(self._shifted(x))

    def nats(self, x: Tensor) -> Tensor:
        return -self.log_prob(x)

    def total(self, settings: Mapping[str, Any]) -> int:
        given, length = settings.get("given"), self.config.length
        if given is None:
            begun = len(self.condition.tokens(settings.get("prompt", "")))
        else:
            begun = standing(given.reshape(-1, given.shape[-1]))
        return min(settings.get("tokens", self.knobs[0].default), length - begun)

    @torch.inference_mode()
    def frames(
        self, noise: Noise, condition: Tensor, *, tokens: int, given: Tensor | None, **choosing: Any
    ) -> Iterator[Frame]:
        """level is how many tokens stand, further ones that were given aside; out the logits of the
        next one."""
        (x, start), length = self.start(noise, condition, given), self.config.length
        sampler = TokenSampler(Cached(self.net, self.special), **choosing)
        u = noise.rand(length, dtype=torch.float64)
        yield from sampler.frames(x, u, start, min(tokens, length - start))


class Cached(CachedNext):
    """The logits of the next token of a text, before which one more stands, with a cache."""

    def __init__(self, net: Transformer, first: int) -> None:
        self.net, self.first = net, first
        super().__init__(self._said, net.config.length)

    def _said(self, new: Tensor, past: Memory) -> tuple[Tensor, Memory]:
        return self.net(new if past else F.pad(new, (1, 0), value=self.first), past)
