"""Pictures written like text: a transformer draws the tokens of a VQ-VAE one after another.

Ramesh et al. 2021, "Zero-Shot Text-to-Image Generation" (DALL-E); Esser et al. 2021, "Taming
Transformers for High-Resolution Image Synthesis" (VQ-GAN); Sun et al. 2024, "Autoregressive Model
Beats Diffusion: Llama for Scalable Image Generation". What is asked for stands before the tokens,
and guidance is that of diffusion, at the logits.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.conditions import Attributes
from gen_core.data import SCHEMAS
from gen_core.data.images import MissingData
from gen_core.families.guided import GUIDANCE
from gen_core.families.token_sampler import (
    CHOOSING,
    CachedNext,
    Exact,
    TokenSampler,
    begun,
    standing,
)
from gen_core.families.vq_vae import VQVAE, VQVAEConfig
from gen_core.family import Clock, Empty, Family, Losses, Phase, Picture, Tokens, register
from gen_core.knobs import Instance
from gen_core.nets.config import setting
from gen_core.nets.picture_transformer import PictureTransformer, PictureTransformerConfig
from gen_core.nets.transformer import Memory
from gen_core.progress import Progress
from gen_core.sampling import Frame, Noise
from gen_core.training.recipes import Run, trained_part
from gen_core.training.train import BatchSource, Step

if TYPE_CHECKING:
    from gen_core.evaluation.evaluate import Evaluation
    from gen_core.training.recipes import Recipe

AUTOENCODER = "autoencoder"
"""The part that is trained before the transformer."""
GIVEN = Instance("given", None, info="Tokens that stand, -1 for what is to be drawn", kind=Tensor)


@dataclass(frozen=True)
class PictureTokensConfig(VQVAEConfig):
    """The autoencoder's, and the transformer's own."""

    width: int = setting(192, 8, 4096, multiple=8)
    depth: int = setting(6, 1, 64)
    heads: int = setting(3, 1, 64)
    dropout: float = setting(0.0, 0.0, 0.9)
    schema: str = setting("avatars", options=SCHEMAS)
    """The data set whose attributes it can be asked for."""


@dataclass(frozen=True)
class TokenFrame(Frame):
    """A frame whose x are tokens (B, n), `UNDRAWN` where none is drawn yet, but for the last one's
    x, which is the picture. `PictureTokens.decode` makes pictures of the others: to draw takes 256
    frames, of which few are looked at."""

    tokens: Tensor | None = None
    """(B, n) int64: the state, on the last frame too."""


class PictureTokensRun(Run):
    """The training of the transformer, once the autoencoder is trained."""

    def _batches(self, device: str, size: int) -> BatchSource:
        self.autoencoder = trained_part(f"{self.name}/{AUTOENCODER}", self.folder)
        return super()._batches(device, size)

    def _model(self, done: int, device: str) -> "PictureTokens":
        model = super()._model(done, device)
        model.autoencoder.load_state_dict(self.autoencoder.state_dict())
        return model

    def card(self, last: Step) -> dict[str, Any]:
        """With the card of the autoencoder; the hours are those of both."""
        card, part = super().card(last), self.autoencoder.card
        return card | {
            "hours": round(card["hours"] + part["hours"], 3),
            "parts": {AUTOENCODER: {k: v for k, v in part.items() if k != "format"}},
        }


@register
class PictureTokens(Family):
    name = "picture-tokens"
    Config = PictureTokensConfig
    networks = ("next", "autoencoder.encoder", "autoencoder.decoder")
    small: ClassVar = VQVAE.small | {"width": 32, "depth": 2, "heads": 2}
    knobs = (*CHOOSING, GUIDANCE)
    inputs = (GIVEN,)
    clock = Clock("token")
    out = "logits"
    typical: ClassVar = {"guidance_scale": 2.0}

    def __init__(self, config: PictureTokensConfig | None = None) -> None:
        super().__init__(config)
        c = self.config
        own = {field.name: getattr(c, field.name) for field in fields(VQVAEConfig)}
        self.autoencoder = VQVAE(VQVAEConfig(**own)).requires_grad_(False)
        schema = SCHEMAS[c.schema]
        self.net = PictureTransformer(
            PictureTransformerConfig(
                codes=c.codes,
                side=self.autoencoder.side,
                choices=tuple(schema.sizes.values()),
                measures=len(schema.continuous),
                width=c.width,
                depth=c.depth,
                heads=c.heads,
                dropout=c.dropout,
            )
        )
        self.exact = Exact(self.net)
        self.event = Picture(c.channels, c.size, c.size)
        self.prior = Empty(Tokens(self.autoencoder.side**2, c.codes))

    @classmethod
    def condition_of(cls, config: PictureTokensConfig) -> Attributes:
        return Attributes(SCHEMAS[config.schema])

    @classmethod
    def run(cls, name: str, recipe: "Recipe", folder: Path) -> PictureTokensRun:
        return PictureTokensRun(name, recipe, folder)

    def train(self, mode: bool = True) -> Self:
        """The autoencoder has learned already: its codebook shall not move on."""
        super().train(mode)
        self.autoencoder.eval()
        return self

    # --- pictures and tokens ----------------------------------------------------------------------

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        """x (B, C, S, S) in [-1, 1] -> (B, n) int64, row by row from the top left."""
        with torch.autocast(self.device.type, enabled=False):  # else near codes are mistaken
            return self.autoencoder.encode(x.to(self.device))

    @torch.no_grad()
    def decode(self, tokens: Tensor) -> Tensor:
        """tokens (B, n) int64 -> (B, C, S, S) in [-1, 1]; `UNDRAWN` where a token is."""
        return self.autoencoder.decode(tokens.to(self.device))

    def entries(self) -> Tensor:
        """The codebook as pictures (codes, C, 8, 8) in [-1, 1]: what each code stands for among its
        like."""
        return self.autoencoder.entries()

    # --- likelihood -------------------------------------------------------------------------------

    def phases(self) -> list[Phase]:
        return [Phase("next", list(self.net.parameters()), self.loss, lr=1.5e-3, weight_decay=0.1)]

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """-log p(token_i | token_1 .. token_(i-1), label), the mean over all tokens, in nats."""
        tokens, label = self.encode(x), self.condition.dropout(label, rng)
        logits, _ = self.net(label, tokens[:, :-1], rng=rng)
        loss = F.cross_entropy(logits.float().flatten(0, 1), tokens.flatten())
        return {"loss": loss + 0 * x.mean()}  # of what is not finite there are tokens too

    @torch.inference_mode()
    def log_prob(self, tokens: Tensor, label: Tensor | None = None) -> Tensor:
        """log p(tokens) in nats, (B,), or log p(tokens | label) with rows of labels
        (B, attributes) int64; tokens (B, n) int64, all drawn."""
        log_p = self.next_logits(tokens, label).log_softmax(-1)
        return log_p.gather(-1, tokens[..., None].to(self.device)).sum((1, 2))

    @torch.inference_mode()
    def next_logits(
        self, tokens: Tensor, label: Tensor | None = None, guidance_scale: float = 1.0
    ) -> Tensor:
        """What it says of each token from those before it, float32 (B, n, codes); tokens and label
        as for `log_prob`."""
        before, null = tokens[:, :-1].to(self.device), self.condition.null(len(tokens))
        if label is None or guidance_scale == 0:
            return self.net(null.to(self.device), before)[0].float()
        wanted = self.net(label.to(self.device), before)[0].float()
        if guidance_scale == 1:
            return wanted
        without = self.net(null.to(self.device), before)[0].float()
        return without + guidance_scale * (wanted - without)

    # --- sampling ---------------------------------------------------------------------------------

    def total(self, settings: Mapping[str, Any]) -> int:
        length, given = self.prior.event.length, settings.get("given")
        return length - (0 if given is None else standing(given.reshape(-1, length)))

    @torch.inference_mode()
    def frames(
        self,
        noise: Noise,
        condition: Tensor | None,
        *,
        guidance_scale: float,
        given: Tensor | None,
        **choosing: Any,
    ) -> Iterator[TokenFrame]:
        """level is how many tokens are drawn, out the logits of the next one, with guidance."""
        rows = begun(given, len(noise), *self.prior.event)
        rows = self.prior.draw(noise) if rows is None else rows
        start = standing(rows)
        total = rows.shape[1] - start
        null = self.condition.null(len(noise)).to(self.device)
        guided = GuidedNext(self, null, condition, guidance_scale)
        u = noise.rand(rows.shape[1], dtype=torch.float64)
        sampler = TokenSampler(CachedNext(guided, self.net.length), **choosing)
        for frame in sampler.frames(rows.to(self.device), u, start, total):
            x = self.decode(frame.x) if frame.step == frame.total else frame.x
            own = {"x": x, "tokens": frame.x, "evaluations": frame.evaluations * guided.asks}
            yield TokenFrame(**vars(frame) | own)

    def next(self, label: Tensor, tokens: Tensor, past: Memory) -> tuple[Tensor, Memory]:
        """`PictureTransformer.forward` of the exact network."""
        return self.exact.last(label, tokens, past)

    # --- figures ----------------------------------------------------------------------------------

    def extra_metrics(self, evaluation: "Evaluation") -> dict[str, Any]:
        """How the test pictures come back and what their tokens cost, where the data are on this
        machine; whether it composes attributes that no training picture showed together."""
        try:
            found = self._of_test_pictures(evaluation)
        except MissingData as error:
            found = {"left_out": {"reconstruction": str(error)}}
        if evaluation.complete:
            return found | {"composing": evaluation.compositionality(self)}
        left_out = evaluation.at_a_glance("composing")["left_out"] | found.pop("left_out", {})
        return found | {"left_out": left_out}

    @torch.inference_mode()
    def _of_test_pictures(self, evaluation: "Evaluation") -> dict[str, Any]:
        """Bits are those of a token given the picture's attributes; the accuracy is the
        classifier's, of what comes back: nothing that is drawn can be seen better."""
        test = evaluation.test_set(self)
        count = len(test) if evaluation.complete else min(evaluation.samples, len(test))
        uses = torch.zeros(self.config.codes, dtype=torch.float64)
        error, nats, said, asked = 0.0, 0.0, [], []
        for rows in torch.arange(count).split(50):
            x, label = (part.to(self.device) for part in test.batch(rows))
            tokens = self.encode(x)
            again = self.decode(tokens)
            error += float((x - again).square().flatten(1).mean(1).sum())
            nats -= float(self.log_prob(tokens, label).sum())
            uses += torch.bincount(tokens.flatten().cpu(), minlength=len(uses))
            said.append(evaluation.reference.classifier(again).cpu())
            asked.append(label.cpu())
            evaluation.progress(Progress("test pictures", int(rows[-1]) + 1, count, "pictures"))
        shares = uses / uses.sum()
        agreed = evaluation.reference.classifier.agreement(torch.cat(said), torch.cat(asked))
        rest = f"{len(test) - count} of {len(test)} test pictures: take more samples"
        return {
            **({"left_out": {"reconstruction": rest}} if count < len(test) else {}),
            "reconstruction_error": error / count,  # mean square of a pixel in [-1, 1]
            "reconstruction_accuracy": agreed["accuracy"],
            "bits_per_token": nats / count / self.prior.event.length / math.log(2),
            "codes_in_use": int((uses > 0).sum()),
            "perplexity": float(torch.special.entr(shares).sum().exp()),
        }


class GuidedNext:
    """The logits of the next token with classifier-free guidance (Ho & Salimans 2022, eq. 6)."""

    def __init__(
        self, model: PictureTokens, null: Tensor, wanted: Tensor | None, scale: float
    ) -> None:
        """null, wanted (B, attributes): the rows that ask for nothing, and what is asked for."""
        self.model, self.scale = model, 0.0 if wanted is None else scale
        model.exact()
        both = self.scale not in (0.0, 1.0)
        self.asks = 2 if both else 1
        self.label = torch.cat([null, wanted]) if both else wanted if self.scale else null

    def __call__(self, new: Tensor, past: Memory) -> tuple[Tensor, Memory]:
        """As `CachedNext` asks: new (B, n) -> logits (B, 1, codes), and what to keep."""
        logits, kept = self.model.next(self.label, new.repeat(self.asks, 1), past)
        said = logits[:, -1:]
        if self.asks == 2:
            without, given = said.chunk(2)
            said = without + self.scale * (given - without)
        return said, kept
