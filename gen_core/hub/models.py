"""Bigger models of pictures that the host allows, and those of a host who names none."""

from dataclasses import dataclass
from typing import ClassVar

from gen_core.hub.listed import Listed, host_s_list
from gen_core.knobs import choice, number, text, whole

LISTED = "GEN_BIG_MODELS"
"""Names a JSON file with the host's own list; an empty list allows none."""


@dataclass(frozen=True, kw_only=True)
class BigModel(Listed):
    """An entry of the list. Raises KnobError for values that it cannot have."""

    side: int
    """Pixels of a picture."""
    steps: int
    guidance_scale: float
    """Both as its authors advise; up to 1 it takes no negative prompt."""
    variant: str | None = None
    """Of the files: "fp16" where there are smaller ones beside the full ones."""
    half: str = "float16"
    """The half precision in which it computes on a GPU: "float16" or "bfloat16"."""
    largest: float | None = None
    """Gigabytes of its largest part, which must fit on the GPU at once; None: all of it."""
    max_sequence_length: int | None = None
    """Tokens that it reads of a prompt, where its pipeline asks."""

    product: ClassVar[str] = "picture"
    without_gpu: ClassVar[float] = 1.0
    too_slow: ClassVar[str] = "one picture takes many minutes"
    instead: ClassVar[str] = "The small model in the panel Generate needs no network"

    def __post_init__(self) -> None:
        super().__post_init__()
        number("largest", self.on_the_gpu, 0, self.gigabytes)
        number("guidance_scale", self.guidance_scale, 0, 100)
        whole("side", self.side, 8, 4096)
        whole("steps", self.steps, 1, 1000)
        whole("max_sequence_length", self.max_sequence_length or 1, 1, 512)
        choice("half", self.half, ["float16", "bfloat16"])
        if self.variant is not None:
            text("variant", self.variant, 40)

    @property
    def on_the_gpu(self) -> float:
        """Gigabytes: the other parts wait in the machine's memory meanwhile."""
        return self.gigabytes if self.largest is None else self.largest


DEFAULTS = (
    BigModel(
        name="Stable Diffusion 1.5",
        repository="stable-diffusion-v1-5/stable-diffusion-v1-5",
        gigabytes=2.7,
        licence="CreativeML OpenRAIL-M",
        licence_page="https://huggingface.co/spaces/CompVis/stable-diffusion-license",
        token=False,
        side=512,
        steps=50,
        guidance_scale=7.5,
        variant="fp16",
        largest=1.7,
    ),
    BigModel(
        name="SDXL-Turbo",
        repository="stabilityai/sdxl-turbo",
        gigabytes=6.9,
        licence="Stability AI Community",
        licence_page="https://huggingface.co/stabilityai/sdxl-turbo/blob/main/LICENSE.md",
        token=False,
        side=512,
        steps=1,
        guidance_scale=0.0,
        variant="fp16",
        largest=5.1,
    ),
    BigModel(
        name="FLUX.1-schnell",
        repository="black-forest-labs/FLUX.1-schnell",
        gigabytes=33.7,
        licence="Apache 2.0",
        licence_page="https://huggingface.co/black-forest-labs/FLUX.1-schnell",
        token=True,
        side=1024,
        steps=4,
        guidance_scale=0.0,
        half="bfloat16",
        largest=23.8,
        max_sequence_length=256,
    ),
)


def big_models() -> tuple[BigModel, ...]:
    """The host's list. Raises KnobError where the file is not one."""
    return host_s_list(LISTED, BigModel, DEFAULTS)
