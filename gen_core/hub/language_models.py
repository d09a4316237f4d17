"""Larger language models that the host allows: some run here, others on a server of the host's
choice, whose address and key stand in the environment and nowhere else."""

import os
import re
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from gen_core.hub.listed import Listed, host_s_list
from gen_core.knobs import KnobError, choice, text, whole

LISTED = "GEN_CHAT_MODELS"
"""Names a JSON file with the host's own list; an empty list allows none."""
ADDRESS, KEY = "GEN_CHAT_SERVER_", "GEN_CHAT_KEY_"
"""How the variables begin that hold a server's base address and its key, before its name."""
MOST_CANDIDATES = 20
"""That servers give of a token."""


@dataclass(frozen=True, kw_only=True)
class LanguageModel(Listed):
    """An entry of the list. Raises KnobError for values that it cannot have."""

    gigabytes: float = 0.0
    """Of the files that are fetched, two bytes a weight; 0 with a server."""
    token: bool = False
    half: str = "bfloat16"
    """The half precision in which it computes on a GPU: "float16" or "bfloat16"."""
    server: str = ""
    """The name, such as "GROQ", under which the environment has the server that runs it, which
    knows it as `repository`; "" for this machine."""
    candidates: int = 5
    """Of a server: how many of the likeliest tokens it is asked for at each place; 0 where it
    gives no log-probabilities."""
    seed: bool = True
    """Of a server: whether it takes a seed."""

    product: ClassVar[str] = "text"
    without_gpu: ClassVar[float] = 4.0
    too_slow: ClassVar[str] = "each token takes seconds"
    instead: ClassVar[str] = "The small one in the panel Word by word needs no network"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_flags("seed")
        choice("half", self.half, ["float16", "bfloat16"])
        whole("candidates", self.candidates, 0, MOST_CANDIDATES)
        if not re.fullmatch("[A-Z0-9_]{0,40}", text("server", self.server, 200)):
            raise KnobError(
                f"server={self.server!r}: write the end of {ADDRESS}..., capitals, digits and _"
            )
        if not (self.server or self.gigabytes):
            raise KnobError(f"{self.name} has no 'gigabytes', or no 'server'")

    def in_memory(self, kind: str) -> float:
        """Gigabytes: a processor computes with four bytes a weight."""
        return 2 * self.gigabytes if kind == "cpu" else self.gigabytes


DEFAULTS = (
    LanguageModel(
        name="SmolLM2-135M-Instruct",
        repository="HuggingFaceTB/SmolLM2-135M-Instruct",
        gigabytes=0.27,
        licence="Apache 2.0",
        licence_page="https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct",
    ),
    LanguageModel(
        name="Qwen3-0.6B",
        repository="Qwen/Qwen3-0.6B",
        gigabytes=1.5,
        licence="Apache 2.0",
        licence_page="https://huggingface.co/Qwen/Qwen3-0.6B/blob/main/LICENSE",
    ),
)


def language_models() -> tuple[LanguageModel, ...]:
    """The host's list. Raises KnobError where the file is not one."""
    return host_s_list(LISTED, LanguageModel, DEFAULTS)


def address_of(server: str) -> str:
    """A server's base address, such as https://api.groq.com/openai/v1, without a slash at its end;
    "" where the environment has none."""
    return os.environ.get(ADDRESS + server, "").strip().rstrip("/")


def key_of(server: str) -> str:
    """The key that opens it; "" where it needs none."""
    return os.environ.get(KEY + server, "").strip()


def faults_of(server: str) -> list[str]:
    """Why a server cannot be asked, in words that tell neither address nor key."""
    address, key = address_of(server), key_of(server)
    if not address:
        return [f"the host of this page has set no address for it ({ADDRESS}{server})"]
    try:
        parts = urlsplit(address)
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound or "@" in address or parts.query or parts.fragment:
        return [f"what the host has set as its address is none ({ADDRESS}{server})"]
    if not re.fullmatch("[!-~]*", key):  # else the library's message would hold it
        return [f"what the host has set as its key is none ({KEY}{server})"]
    return []
