"""One larger language model on this machine: its files, what it reads, a text token by token."""

import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gen_core.families.token_sampler import inverse_cdf, probabilities
from gen_core.hub.answers import (
    MOST_CANDIDATES,
    WRITING,
    Answer,
    Asked,
    Candidate,
    Token,
    Written,
)
from gen_core.hub.downloads import counting, fetching
from gen_core.hub.language_models import LanguageModel
from gen_core.knobs import KnobError
from gen_core.progress import Progress, Report, ignore
from gen_core.sampling import Noise

FILES = ("*.safetensors", "*.safetensors.index.json", "*.json", "*.txt", "*.model", "*.jinja")
"""Only these are fetched: no code, no pickle."""
LONGEST_READ = 8192
"""Tokens, if the model does not read less: a processor reads some hundreds in a second."""
PART = "\N{REPLACEMENT CHARACTER}"
"""What a tokenizer writes for bytes that are no whole character."""


def fetched(model: LanguageModel, progress: Report = ignore) -> str:
    """The folder with its files, fetched into the Hub's cache where they are not there yet. Raises
    KnobError where the network, the model's authors or the disk do not let us."""
    if Path(model.repository).is_dir():
        return model.repository
    from huggingface_hub import snapshot_download

    with fetching(model, progress) as doing:
        return counting(
            snapshot_download, doing, progress, model.repository, allow_patterns=[*FILES]
        )


class Writer:
    """A model that is open, and its tokenizer."""

    def __init__(self, network: Any, tokenizer: Any) -> None:
        self.network, self.tokenizer = network, tokenizer
        ends = network.generation_config.eos_token_id
        ends = ends if isinstance(ends, list) else [ends]
        self.ends = {end for end in (*ends, tokenizer.eos_token_id) if end is not None}

    def prompt(self, asked: Asked) -> str:
        """What the model reads, as text. Raises KnobError where it has no chat template."""
        if not asked.chat:
            return asked.text
        if not self.tokenizer.chat_template:
            raise KnobError("This model has no chat template: give it a beginning to write on")
        return self.tokenizer.apply_chat_template(
            [{"role": "user", "content": asked.text}],
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=False,  # where it could, the few tokens would all be thoughts
        )

    def read(self, asked: Asked) -> tuple[str, Tensor]:
        """The prompt, and its tokens, (1, n). Raises KnobError where they are too many."""
        prompt = self.prompt(asked)
        # A template writes all special tokens itself; the beginning of a text needs the first one.
        ids = self.tokenizer(prompt, add_special_tokens=not asked.chat, return_tensors="pt")
        tokens = ids["input_ids"].long()
        sees = getattr(self.network.config, "max_position_embeddings", None) or LONGEST_READ
        most = min(sees, LONGEST_READ) - asked.tokens
        if not 0 < tokens.shape[1] <= most:
            raise KnobError(
                f"prompt is read as {tokens.shape[1]:,} tokens: write from 1 to {most:,} for this "
                "model, or ask for fewer tokens"
            )
        return prompt, tokens.to(self.network.device)


def opened(
    folder: str, device: torch.device | str = "cpu", half: str = "bfloat16", *, local: bool = False
) -> Writer:
    """A model from its folder, or from a repository of the Hub: on a GPU in half precision.

    local: whether to look on this machine alone. Takes safetensors, and runs no code that comes
    with a model.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
    from transformers.utils import logging

    logging.disable_progress_bar()
    safe = {"trust_remote_code": False, "local_files_only": local}
    precision = torch.float32 if torch.device(device).type == "cpu" else getattr(torch, half)
    tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
    network = AutoModelForCausalLM.from_pretrained(
        folder, dtype=precision, use_safetensors=True, **safe
    )
    own = network.generation_config
    network.generation_config = GenerationConfig(  # without its habits: a penalty, a top k
        do_sample=False, eos_token_id=own.eos_token_id, pad_token_id=tokenizer.pad_token_id or 0
    )
    return Writer(network.to(device).eval(), tokenizer)


def write(writer: Writer, asked: Asked, progress: Report = ignore) -> Answer:
    """An answer, or what follows a beginning. Reports each token as it is drawn."""
    started = time.perf_counter()
    prompt, tokens = writer.read(asked)
    progress(Progress(f"Reading {tokens.shape[1]:,} tokens"))
    drawing = Drawing(writer, asked, progress)
    with torch.inference_mode():
        writer.network.generate(
            input_ids=tokens,
            attention_mask=torch.ones_like(tokens),
            max_new_tokens=asked.tokens,
            logits_processor=[drawing],
            eos_token_id=[*writer.ends] or None,
        )
    seconds = time.perf_counter() - started
    ended = drawing.kinds[-1] in writer.ends
    end = writer.tokenizer.decode([drawing.kinds[-1]]) if ended else ""
    return Answer(
        drawing.told(), prompt, end=end, cut=not ended, count=len(drawing.kinds), seconds=seconds
    )


class Drawing:
    """Draws each token with a number from the seed, as all of `gen_core` does; in the form of one
    of transformers' processors of logits, which leaves `generate` nothing to choose."""

    def __init__(self, writer: Writer, asked: Asked, progress: Report) -> None:
        self.writer, self.asked, self.progress = writer, asked, progress
        self.u = Noise([asked.seed]).rand(asked.tokens).double()[0]
        self.pieces = Pieces(writer.tokenizer)
        self.kinds: list[int] = []
        self._tokens: list[Token] = []

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """scores: the logits of the next token, (1, vocabulary); returns them with all but the
        drawn token at minus infinity."""
        logits = scores[0].float().cpu()
        said = probabilities(logits)
        drawn = probabilities(logits, self.asked.temperature, 0, self.asked.top_p)
        kind = int(inverse_cdf(drawn, self.u[len(self.kinds)]))
        self.kinds.append(kind)
        if kind not in self.writer.ends:
            token = Token(
                kind,
                self.pieces.add(kind),
                max(0.0, -math.log2(max(float(said[kind]), 1e-300))),
                tuple(self._candidates(kind, said, drawn)),
            )
            self._tokens.append(token)
            self.progress(Written(WRITING, len(self.kinds), self.asked.tokens, tokens=(token,)))
        only = torch.full_like(scores, -math.inf)
        only[0, kind] = 0.0
        return only

    def _candidates(self, own: int, said: Tensor, drawn: Tensor) -> Iterator[Candidate]:
        best = said.topk(min(MOST_CANDIDATES, len(said))).indices.tolist()
        for kind in dict.fromkeys([*best, own]):
            text = self.writer.tokenizer.decode([kind])
            yield Candidate(kind, text, float(said[kind]), float(drawn[kind]))

    def told(self) -> tuple[Token, ...]:
        """The tokens; where the last ones end within a character, the last says so."""
        left = self.pieces.left()
        if not left:
            return tuple(self._tokens)
        *before, last = self._tokens
        return (*before, Token(last.kind, left, last.bits, last.candidates))


class Pieces:
    """What each token adds to a text: a character can be spread over several, and what a token
    writes can depend on the one before."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self._before: list[int] = []
        self._open: list[int] = []

    def add(self, kind: int) -> str:
        """What the next token adds, with those before it that had no whole character."""
        self._open.append(kind)
        piece = self.left()
        if piece.endswith(PART):
            return ""
        self._before, self._open = self._open, []
        return piece

    def left(self) -> str:
        """What is written by those that have no whole character yet."""
        before, whole = self._decoded(self._before), self._decoded(self._before + self._open)
        return whole[len(before) :]

    def _decoded(self, kinds: Sequence[int]) -> str:
        return self.tokenizer.decode(kinds, skip_special_tokens=False) if kinds else ""
