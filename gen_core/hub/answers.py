"""What a language model is asked, and what it answers, wherever it runs."""

from dataclasses import dataclass

from gen_core.families.text import LONGEST
from gen_core.knobs import KnobError, number, text, whole
from gen_core.progress import Progress
from gen_core.sampling import MAX_SEED

MOST_TOKENS = 400
"""Of an answer."""
MOST_CANDIDATES = 5
"""Of a token, that are kept."""
WRITING = "Token"
"""What a progress says while tokens come."""


@dataclass(frozen=True)
class Asked:
    """Raises KnobError for values that it cannot have."""

    text: str
    chat: bool = True
    """Whether it is put into the chat template, as a question; else it is the beginning of what the
    model writes on."""
    tokens: int = 100
    """At most."""
    temperature: float = 0.7
    top_p: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", text("prompt", self.text, LONGEST))
        if not self.text.strip():
            raise KnobError("prompt='': write a question, or a beginning")
        whole("tokens", self.tokens, 1, MOST_TOKENS)
        number("temperature", self.temperature, 0, 2)
        number("top_p", self.top_p, 0, 1)
        whole("seed", self.seed, 0, MAX_SEED)


@dataclass(frozen=True)
class Candidate:
    """What could stand in a token's place."""

    kind: int
    """Its number among the model's tokens; where a server names none, one of our own."""
    text: str
    p: float
    """Its probability, as the network says."""
    drawn: float | None = None
    """That with which it is drawn; None where nobody tells."""


@dataclass(frozen=True)
class Token:
    """One token of an answer."""

    kind: int
    text: str
    """What it adds to the text: "" where it is a part of a character that is not whole yet."""
    bits: float | None = None
    """Its surprise, -log2 p, from 0 up; None where nobody tells."""
    candidates: tuple[Candidate, ...] = ()
    """The likeliest there, and itself."""


@dataclass(frozen=True)
class Written(Progress):
    """Progress with the tokens that are new since the one before."""

    tokens: tuple[Token, ...] = ()


@dataclass(frozen=True)
class Answer:
    """A text as a model wrote it."""

    tokens: tuple[Token, ...]
    """Where nobody tells which they are, the pieces that came."""
    read: str
    """What the model read, or, of a server, what it was sent."""
    end: str = ""
    """The token with which the model ended; "" where it was cut off, or does not tell."""
    cut: bool = False
    """Whether it was at its most tokens before it had come to an end."""
    count: int = 0
    """How many tokens were written, as far as one knows."""
    seconds: float = 0.0

    @property
    def text(self) -> str:
        return "".join(token.text for token in self.tokens)

    @property
    def told(self) -> bool:
        """Whether the surprise of each token is known."""
        return all(token.bits is not None for token in self.tokens)
