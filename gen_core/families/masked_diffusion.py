"""Text by diffusion: words appear everywhere at once, out of a row of masks.

Masked discrete diffusion (Sahoo et al. 2024, "MDLM"; Shi et al. 2024): noise replaces tokens with a
mask, each by itself, until at t = 1 all are masked; the network, which sees both sides, learns to
say what stood there. It needs no time: how much is masked can be seen (Ou et al. 2025, theorem 1).

Like GPT, it says a token at the place before it, so that it can begin with GPT's weights (Gong et
al. 2025, "DiffuLLaMA", section 3.2). From nothing a small one is slow to begin: said at its own
place, after 800 steps of 1,024 tokens nothing but the frequencies of tokens was learned.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.families.text import TextFamily
from gen_core.families.token_sampler import CHOOSING, exact_on, inverse_cdf, probabilities
from gen_core.family import UNDRAWN, Clock, Losses, Phase, register
from gen_core.knobs import Whole
from gen_core.progress import Progress
from gen_core.sampling import Frame, Noise
from gen_core.training import checkpoint

if TYPE_CHECKING:
    from gen_core.evaluation.evaluate import Evaluation

LEVELS = 16
"""Amounts of masking at which the bound on a text's likelihood is measured."""
EVALUATIONS, TEXTS = (8, 32, 128), 50
"""Of the network, for a text: at which numbers texts are judged, and how many texts at each."""


@register
class MaskedDiffusion(TextFamily):
    name = "masked-diffusion"
    knobs = (Whole("steps", 32, 1, 1000), *CHOOSING)
    clock = Clock("t", falling=True)
    causal: ClassVar[bool] = False
    figure: ClassVar[str] = "bits_per_character_bound"
    typical: ClassVar = {"steps": 32, "temperature": 0.8}

    def phases(self) -> list[Phase]:
        parameters = list(self.parameters())
        return [Phase("unmask", parameters, self.loss, lr=1.5e-3, weight_decay=0.1)]

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """The bound on -log p(x), nats a token: the mean of -log p over the masked tokens, where k
        of them, drawn by chance, are masked, and k is any number from 1 to all (Hoogeboom et al.
        2022, eq. 5; in the limit of long texts Sahoo et al. 2024, eq. 11).

        Small k are drawn more often, and weigh less: a few tokens are a noisy mean.
        """
        batch, length = x.shape
        spread = torch.arange(batch, device=x.device)
        spread = (spread + torch.rand((), generator=rng, device=x.device)) / batch
        count = 1 + (length * spread.square()).long().clamp(max=length - 1)
        share = (count / length).sqrt() - ((count - 1) / length).sqrt()  # how often k is drawn
        nats, masked = self._nats_of_masked(x, count, rng)
        return {"loss": ((nats * masked).sum(1) / count / (length * share)).mean()}

    def _nats_of_masked(
        self, x: Tensor, count: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """-log p of every token, and which ones are masked, both (B, length): `count` of each row,
        drawn by chance."""
        order = torch.rand(x.shape, generator=rng, device=x.device).argsort(1).argsort(1)
        masked = order < count[:, None]
        logits = self._logits(x.masked_fill(masked, UNDRAWN), rng)
        return F.cross_entropy(logits.transpose(1, 2), x, reduction="none"), masked

    def _logits(self, x: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """(B, length, vocabulary) float32, of rows of which some tokens are not drawn yet."""
        read = torch.where(x == UNDRAWN, self.special, x)
        return self.net(F.pad(read, (1, 0), value=self.special), rng=rng)[0][:, :-1].float()

    @torch.inference_mode()
    def bound(self, x: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """A bound on -log p(x) in nats, (B,), of x (B, length) int64: an unbiased estimate from
        `LEVELS` amounts of masking."""
        x, length = x.to(self.device), x.shape[1]
        rng = rng or torch.Generator(x.device).manual_seed(0)
        bounds = torch.zeros(len(x), device=x.device)
        for level in range(LEVELS):
            at = (level + torch.rand(len(x), generator=rng, device=x.device)) / LEVELS
            count = 1 + (at * length).long().clamp(max=length - 1)
            nats, masked = self._nats_of_masked(x, count, rng)
            bounds += (nats * masked).sum(1) / count * length / LEVELS
        return bounds

    def nats(self, x: Tensor) -> Tensor:
        return self.bound(x)

    def extra_metrics(self, evaluation: "Evaluation") -> dict[str, Any]:
        """And how good texts are that took few evaluations, or many."""
        found = super().extra_metrics(evaluation)
        if "judge_bits" not in found:  # for want of the text
            return found
        if not evaluation.complete:
            return found | evaluation.at_a_glance("by_evaluations")
        return found | {"by_evaluations": [*self._by_evaluations(evaluation)]}

    def _by_evaluations(self, evaluation: "Evaluation") -> Iterator[dict[str, Any]]:
        """A row for each of `EVALUATIONS`, and one of the model that it began with, which writes as
        many tokens, one an evaluation."""
        judge, length = self.judge(evaluation), self.config.length
        for done, steps in enumerate(EVALUATIONS, 1):
            yield {"evaluations": steps, **self.quality(judge, evaluation, TEXTS, steps=steps)}
            told = Progress("numbers of evaluations", done, len(EVALUATIONS), "numbers")
            evaluation.progress(told)
        began_with = self.card.get("recipe", {}).get("start", "")
        if began_with in checkpoint.available():
            other = checkpoint.load(began_with, str(self.device))
            shared = {k: v for k, v in evaluation.knobs.items() if k != "steps"}
            asked = replace(evaluation, knobs=shared)
            found = other.quality(judge, asked, TEXTS, tokens=length)
            yield {"model": began_with, "evaluations": length, **found}

    @torch.inference_mode()
    def frames(
        self, noise: Noise, condition: Tensor, *, steps: int, given: Tensor | None, **choosing: Any
    ) -> Iterator[Frame]:
        """level is t, out the logits of all tokens, x0 the likeliest token at each masked place.

        From t to s a masked token is drawn with probability (t - s) / t (Sahoo et al. 2024, eq. 6,
        where alpha_t = 1 - t), by numbers in float64: in float32 texts come out as if colder (Zheng
        et al. 2025, section 4).
        """
        x, _ = self.start(noise, condition, given)
        for step in range(steps):
            t, s = 1 - step / steps, 1 - (step + 1) / steps
            logits = self._logits(x)
            guess = torch.where(x == UNDRAWN, logits.argmax(-1), x)
            yield Frame(step, steps, t, x, x0=guess, out=logits, evaluations=step + 1)
            u = noise.rand(2, self.config.length, dtype=torch.float64).to(exact_on(x.device))
            drawn = inverse_cdf(probabilities(logits, **choosing), u[:, 0]).to(x.device)
            now = (u[:, 1] < (t - s) / t).to(x.device)
            x = torch.where((x == UNDRAWN) & now, drawn, x)
        yield Frame(steps, steps, 0.0, x, evaluations=steps)
