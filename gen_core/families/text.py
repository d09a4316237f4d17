"""What models of text share: their tokenizer, their beginning, their training data."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from gen_core.conditions import Condition
from gen_core.data import load_data
from gen_core.data.images import Batches, MissingData
from gen_core.data.tokenizers import Tokenizer, tokenizer, tokenizers
from gen_core.families.token_sampler import begun, standing
from gen_core.family import Empty, Family, Tokens, registry
from gen_core.knobs import Instance, KnobError, Text
from gen_core.nets.config import setting
from gen_core.nets.transformer import Transformer, TransformerConfig
from gen_core.progress import Progress
from gen_core.sampling import Noise
from gen_core.training.recipes import Run

if TYPE_CHECKING:
    from gen_core.evaluation.evaluate import Evaluation
    from gen_core.evaluation.text_quality import TextJudge
    from gen_core.training.recipes import Recipe

TEXTS = 200
"""That are written to be judged."""
LONGEST = 20_000
"""Characters of a beginning."""
GIVEN = Instance(
    "given",
    None,
    info="Tokens that stand, -1 for what is to be drawn; instead of a prompt",
    kind=Tensor,
)


@dataclass(frozen=True)
class TextConfig:
    tokenizer: str = setting("characters", options=tokenizers())
    length: int = setting(256, 2, 8192)
    """Tokens that the network sees at once, and the longest text it writes."""
    width: int = setting(192, 8, 4096, multiple=8)
    depth: int = setting(6, 1, 64)
    heads: int = setting(3, 1, 64)
    dropout: float = setting(0.1, 0.0, 0.9)


class Beginning(Condition):
    """The words that a text begins with. Of a long beginning the last tokens are read, half as many
    as the network sees."""

    def __init__(self, words: Tokenizer, length: int) -> None:
        self.words, self.most = words, length // 2
        self.knobs = (Text("prompt", "", info="What the text begins with", longest=LONGEST),)

    def read(self, settings: dict[str, Any], seeds: Sequence[int]) -> Tensor:
        """int64 (n,)"""
        return torch.tensor(self.tokens(settings.pop("prompt")), dtype=torch.long)

    def tokens(self, prompt: str) -> list[int]:
        """Those of a beginning that are read."""
        return self.words.encode(prompt)[-self.most :]


class TextRun(Run):
    """A training on windows of a text."""

    def _batches(self, device: str, size: int) -> Batches:
        config = self._config
        text = load_data(self.recipe.data, "train", self.data_root)
        windows = text.windows(tokenizer(config.tokenizer), config.length)
        return Batches(windows, size, self.recipe.seed)

    @property
    def _config(self) -> "TextConfig":
        return registry.classes[self.recipe.family].Config(**self.recipe.config)

    def further(self) -> dict[str, Tensor]:
        """A judge that has read the same text goes with a model of characters."""
        from gen_core.evaluation.text_quality import TextJudge

        if self._config.tokenizer != "characters":
            return {}
        return TextJudge.on(load_data(self.recipe.data, "train", self.data_root).text).tensors()


class TextFamily(Family):
    """A transformer that writes."""

    Config = TextConfig
    networks = ("net",)
    small: ClassVar = {"length": 24, "width": 32, "depth": 2, "heads": 2, "dropout": 0.0}
    inputs = (GIVEN,)
    out = "logits"
    causal: ClassVar[bool]
    figure: ClassVar[str] = "bits_per_character"
    """What `nats` are in a card, by the character."""
    layout = torch.contiguous_format

    def __init__(self, config: TextConfig | None = None) -> None:
        super().__init__(config)
        c = self.config
        self.words = tokenizer(c.tokenizer)
        kinds = len(self.words)
        self.special = kinds
        """One more token that the network reads: what comes before a text, or stands for a token
        that is not drawn."""
        # One more than the text's, for what comes before it.
        shape = {"length": c.length + 1, "width": c.width, "depth": c.depth, "heads": c.heads}
        self.net = Transformer(
            TransformerConfig(kinds + 1, kinds, **shape, dropout=c.dropout, causal=self.causal)
        )
        self.event = Tokens(c.length, kinds)
        self.prior = Empty(self.event)

    @classmethod
    def condition_of(cls, config: TextConfig) -> Beginning:
        return Beginning(tokenizer(config.tokenizer), config.length)

    @classmethod
    def run(cls, name: str, recipe: "Recipe", folder: Path) -> TextRun:
        return TextRun(name, recipe, folder)

    def text(self, x: Tensor) -> list[str]:
        """x (B, length) int64 -> what each row writes, up to the first token that is not drawn."""
        return [self.words.decode(row) for row in x.tolist()]

    def start(self, noise: Noise, beginning: Tensor, given: Tensor | None) -> tuple[Tensor, int]:
        """(B, length) int64: the rows that a generation begins with, and up to which place they are
        drawn."""
        rows = begun(given, len(noise), *self.event)
        if rows is not None and len(beginning):
            raise KnobError("given: leave the prompt out, which would come before it")
        if rows is not None:
            return rows.to(self.device), standing(rows)
        rows = self.prior.draw(noise).to(self.device)
        rows[:, : len(beginning)] = beginning
        return rows, len(beginning)

    @torch.inference_mode()
    def extra_metrics(self, evaluation: "Evaluation") -> dict[str, Any]:
        """How well it knows the test text, where that is on this machine, in bits a character: what
        models with other tokens can be compared by."""
        try:
            text = evaluation.test_set(self).text
        except MissingData as error:
            return {"left_out": {self.figure: str(error)}}
        rows = torch.tensor(self.words.encode(text)).unfold(0, self.event.length, self.event.length)
        nats = 0.0
        for done, batch in enumerate(rows.split(32)):
            nats += float(self.nats(batch.to(self.device)).sum())
            evaluation.progress(Progress("test text", done * 32, len(rows), "windows"))
        characters = sum(map(len, self.text(rows)))
        return {
            self.figure: nats / characters / math.log(2),
            "characters": characters,
            **self.quality(self.judge(evaluation), evaluation, TEXTS),
        }

    def judge(self, evaluation: "Evaluation") -> "TextJudge":
        """One that has read what the model has read. Raises MissingData."""
        from gen_core.evaluation.text_quality import TextJudge

        known = load_data(self.card["data"], "train", evaluation.data_root, download=False)
        return TextJudge.on(known.text)

    def quality(
        self, judge: "TextJudge", evaluation: "Evaluation", most: int, **knobs: Any
    ) -> dict[str, Any]:
        """What the judge says of `most` texts of the model, or of as many as the evaluation takes;
        means over the texts. knobs: over those of the evaluation."""
        from gen_core.evaluation.evaluate import draw  # which knows of families
        from gen_core.evaluation.text_quality import distinct, entropy

        count = min(evaluation.samples, most)
        x = torch.cat([*draw(self, count, 50, evaluation.seed, evaluation.knobs | knobs)])
        texts, rows = self.text(x), [row[row >= 0].tolist() for row in x]
        return {
            "samples": count,
            "judge_bits": sum(map(judge.bits_per_character, texts)) / count,
            "entropy": sum(map(entropy, rows)) / count,
            "distinct_4": sum(map(distinct, rows)) / count,
            "longest_copy": max(map(judge.longest_copy, texts)),
        }

    def nats(self, x: Tensor) -> Tensor:
        """(B,): what each row of tokens costs, or a bound on it."""
        raise NotImplementedError
