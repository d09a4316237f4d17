"""Texts to learn from: Shakespeare's plays, and fairy tales."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import torch
from torch import Tensor

from gen_core.data.fashion import cache_folder, places
from gen_core.data.images import MissingData
from gen_core.data.tokenizers import Tokenizer, in_ascii
from gen_core.files import in_one_move

TEST_SHARE = 0.1
STRETCHES = 16
"""Of a text of many books: from each stretch the end is kept for testing."""


@dataclass(frozen=True)
class Source:
    """Where a text comes from."""

    file: str
    sha256: str
    address: str = ""
    """Where it can be downloaded; "" where it has to be put together by hand."""
    stretches: int = 1
    clean: Callable[[str], str] = str


def in_paragraphs(text: str) -> str:
    """A text whose lines were broken at some width, a paragraph a line. Lines that are indented, as
    those of poems, stay lines."""
    text = re.sub(r"[ \t]+\n", "\n", text.replace("\r\n", "\n"))
    text = re.sub(r"(?<=\S)\n(?=[^\s])", " ", text)
    text = re.sub(r"\n[ \t]+", "\n", text)
    return re.sub(r"\n{2,}", "\n\n", text).strip()


SOURCES = {
    "shakespeare": Source(
        "tinyshakespeare.txt",
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
    ),
    "tales": Source(
        "fairy_tales.txt",
        "e2aaa9dfb5f76ba669865a1064f83ed21e73a7f948f6c9482dc430f8e79e234c",
        stretches=STRETCHES,
        clean=in_paragraphs,
    ),
}


@dataclass(frozen=True)
class TextData:
    """One split of a text."""

    name: str
    text: str

    def windows(self, tokenizer: Tokenizer, length: int) -> "Windows":
        """What a model trains on that sees `length` tokens."""
        return Windows(torch.tensor(tokenizer.encode(self.text)), length)


@dataclass(frozen=True)
class Windows:
    """Every stretch of `length` tokens of a text, wherever it begins."""

    tokens: Tensor
    """(N,) int64"""
    length: int

    def __len__(self) -> int:
        return len(self.tokens) - self.length + 1

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """(B, length) int64, and zeros: there are no labels."""
        return self.tokens[indices[:, None] + torch.arange(self.length)], torch.zeros_like(indices)


def load_text(name: str, split: str, root: Path | str | None, download: bool) -> TextData:
    """The first nine tenths of the text, or of each stretch of it, to train on, and the rest to
    test with. Raises MissingData."""
    source = SOURCES[name]
    path = _find(source, root) or _fetch(name, source, root, download)
    text, _ = in_ascii(source.clean(path.read_text(encoding="utf-8")))
    size = -(-len(text) // source.stretches)
    stretches = [text[start : start + size] for start in range(0, len(text), size)]
    return TextData(name, "".join(_part_of(stretch, split) for stretch in stretches))


def _part_of(stretch: str, split: str) -> str:
    end = int(len(stretch) * (1 - TEST_SHARE))
    return stretch[:end] if split == "train" else stretch[end:]


def _find(source: Source, root: Path | str | None) -> Path | None:
    candidates = (place / "text" / source.file for place in places(root))
    return next((path for path in candidates if path.is_file()), None)


def _fetch(name: str, source: Source, root: Path | str | None, download: bool) -> Path:
    looked = ", ".join(str(place / "text" / source.file) for place in places(root))
    advice = (
        f"{name!r} is not on this machine (looked for {looked}); "
        "set --data or GEN_DATA to a folder that has it"
    )
    if not download or not source.address:
        raise MissingData(advice)
    path = cache_folder() / "text" / source.file
    try:
        with urlopen(source.address, timeout=60) as answer:
            content = answer.read()
    except (URLError, OSError) as error:
        raise MissingData(f"{advice}. The download failed too: {error}") from error
    if hashlib.sha256(content).hexdigest() != source.sha256:
        raise MissingData(f"{advice}. What {source.address} sends is another text than before")
    path.parent.mkdir(parents=True, exist_ok=True)
    with in_one_move(path) as place:
        place.write_bytes(content)
    return path
