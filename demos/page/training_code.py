"""How a model is trained, to be read: lines against `fit` that train it again, and its loss."""

import functools
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence

from demos.page.script import script
from gen_core.families.picture_tokens import AUTOENCODER
from gen_core.families.text import TextFamily
from gen_core.family import Trainable, registry
from gen_core.training.checkpoint import CheckpointError, card
from gen_core.training.recipes import CHANGED, RECIPES, Recipe, deviation

DRAWS = "denoiser"
"""Of a model whose parts are trained one after the other, the part that draws."""
DRAWN_BY_PROCESSES = ("avatars",)
"""Data sets that several processes draw the first time."""
GUARD = 'if __name__ == "__main__":  # several processes draw the portraits the first time'
WIDTH = 92
"""Columns of the lines, where a call can be broken."""


def recipes_of(models: Iterable[str]) -> list[str]:
    """The recipes of these models by name, each once: of a model of parts that of its denoiser, of
    one that was not trained here none."""
    names = (name if name in RECIPES else f"{name}/{DRAWS}" for name in models)
    return [name for name in dict.fromkeys(names) if name in RECIPES]


def training_section(names: Sequence[str]) -> str:
    """Markdown: of each of these recipes its lines and its loss, in place; the first one's open."""
    opens = [" open", *[""] * len(names[1:])]
    parts = (
        f"<details{opened}><summary>{name}</summary>\n\n{_training(name)}\n\n</details>"
        for name, opened in zip(names, opens, strict=True)
    )
    return "\n\n".join(["### How it was trained", *parts])


def _training(name: str) -> str:
    kind = registry.classes[RECIPES[name].family]
    minimised = losses(kind)
    listed = ", ".join(f"`{method.__qualname__}`" for method in minimised)
    methods = [kind.phases, *minimised, *_called(kind, minimised)]
    remarks = filter(None, [_history(name), _other_parts(name)])
    return "\n\n".join(
        [
            " ".join(["These lines run as they are.", *remarks]),
            _fenced(training_lines(name), f"Training {name}"),
            f"What an update minimises, in `{kind.__module__}`: {listed}",
            _fenced("\n".join(map(source, methods)), f"The loss of {name}"),
        ]
    )


def _fenced(code: str, label: str) -> str:
    return f"```python {label}\n{code.strip()}\n```"


def _other_parts(name: str) -> str:
    """Which parts there are besides, where a model has several."""
    model, _, part = name.partition("/")
    others = [other for other in RECIPES if other.startswith(f"{model}/") and other != name]
    if not others:
        return ""
    named = ", ".join(f"`{other.partition('/')[2]}`" for other in others)
    if not part:
        return (
            f"What is trained before it is taken from the weights here: {named}, which "
            f"`python -m gen_core train {model}/PART` trains"
        )
    if part not in PARTS:
        return f"They train what comes before `{model}` itself"
    return (
        f"They train `{part}`, one of {len(others) + 1} parts, which learn one after the other. "
        f"The others are {named}: `python -m gen_core train {model}/PART`"
    )


def _history(name: str) -> str:
    """What the checkpoint says of itself, where one run of its recipe would not make it again."""
    model, _, part = name.partition("/")
    try:
        said = card(model)
    except CheckpointError:
        return ""
    said = said.get("parts", {}).get(part, {}) if part else said
    why = said.get("deviation", {}).get("why", "")
    if not (why or part) and deviation(name, said) == CHANGED:
        why = "the recipe has changed since"
    return f"The weights on this page have another history: {why}." if why else ""


# --- the lines ------------------------------------------------------------------------------------


def training_lines(name: str) -> str:
    """A script that trains a recipe, by name, by the updates that `python -m gen_core train`
    makes."""
    recipe = RECIPES[name]
    kind = registry.classes[recipe.family]
    lines = [
        *_data_and_model(name, recipe, kind),
        "model.to(pick_device(), memory_format=model.layout)",
        *([f"kept = {recipe.snapshots}", "snapshots = {}"] if recipe.snapshots else []),
        f"for step in fit(model, batches, steps={recipe.steps}, seed={recipe.seed}, "
        f"ema={recipe.ema}, warmup={recipe.warmup}):",
        *_indented(_after_an_update(recipe)),
        "model = step.trainer.ema  # what is kept is the average of its weights",
    ]
    if kind.calibrate is not Trainable.calibrate:
        lines.append("model.calibrate(*step.trainer.recent)")
    if recipe.data in DRAWN_BY_PROCESSES:
        lines = [GUARD, *_indented(lines)]
    return script(*lines, **{kind.__name__: kind.__module__})


def _data_and_model(name: str, recipe: Recipe, kind: type[Trainable]) -> list[str]:
    """`batches`, and `model` with the weights that it begins with."""
    model, _, part = name.partition("/")
    config = {key: repr(value) for key, value in recipe.config.items()}
    data = [f"batches = Batches({_data(recipe, kind)}, {recipe.batch}, seed={recipe.seed})"]
    begun: list[str] = []
    if part in PARTS:
        data = PARTS[part](model, recipe)
    if f"{name}/{AUTOENCODER}" in RECIPES:
        begun = [
            f'made = load("{name}", "cpu")  # for the part that is trained before it',
            f"model.{AUTOENCODER}.load_state_dict(made.{AUTOENCODER}.state_dict())",
        ]
    if recipe.start:
        begun = [f'model.load_state_dict(load("{recipe.start}", "cpu").state_dict())']
    if part == "clip":  # its text half begins as the text encoder
        config["vocabulary"] = "made.text_encoder.config.vocab_size"
        begun = ["model.net.text_model.load_state_dict(made.text_encoder.state_dict())"]
    return [
        *data,
        f"torch.manual_seed({recipe.seed})",
        *_built(kind.__name__, [f"{key}={value}" for key, value in config.items()]),
        *begun,
    ]


def _data(recipe: Recipe, kind: type[Trainable]) -> str:
    """The data set; of a text the windows that a model of it reads."""
    loaded = f'load_data("{recipe.data}")'
    if not issubclass(kind, TextFamily):
        return loaded
    config = kind.Config(**recipe.config)
    return f'{loaded}.windows(tokenizer("{config.tokenizer}"), {config.length})'


def _built(kind: str, config: Sequence[str]) -> list[str]:
    """`model`, with these options of its config."""
    if not config:
        return [f"model = {kind}()"]
    options = ", ".join(config)
    line = f"model = {kind}({kind}.Config({options}))"
    if len(line) <= WIDTH:
        return [line]
    lines = textwrap.wrap(options, WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    return [f"model = {kind}({kind}.Config(", *_indented(lines), "))"]


def _after_an_update(recipe: Recipe) -> list[str]:
    """The body of the loop."""
    lines = [
        "if step.step % 100 == 1:",
        "    print(step.step, {name: round(float(x), 3) for name, x in step.losses.items()})",
    ]
    if recipe.snapshots:
        lines += [
            "if step.step in kept:",
            "    snapshots[step.step] = deepcopy(step.trainer.ema.generator)",
        ]
    if recipe.switch_step:
        changes = ", ".join(f"{key}={value!r}" for key, value in recipe.config_after_switch.items())
        lines += [
            f"if step.step == {recipe.switch_step}:  # goes on with other settings",
            f"    model.config = replace(model.config, {changes})",
            "    step.trainer.phases = model.phases()",
        ]
    return lines


def _denoiser(model: str, recipe: Recipe) -> list[str]:
    return [
        f'made = load("{model}")  # for the parts that are trained before it',
        f"scenes = SceneBatches(load_emoji(), made.pipeline.tokenizer, {recipe.batch}, "
        f"seed={recipe.seed})",
        "batches = LatentBatches(scenes, made.vae, made.text_encoder)",
    ]


def _clip(model: str, recipe: Recipe) -> list[str]:
    return [
        f'made = load("{model}")  # for the part that is trained before it',
        "tokenizer = made.pipeline.tokenizer",
        f"batches = SceneBatches(load_emoji(), tokenizer, {recipe.batch}, seed={recipe.seed}, "
        "twins=True)",
    ]


def _judge(model: str, recipe: Recipe) -> list[str]:
    return [f"batches = ClassifierBatches(load_emoji(), {recipe.batch}, seed={recipe.seed})"]


PARTS: dict[str, Callable[[str, Recipe], list[str]]] = {
    "denoiser": _denoiser,
    "clip": _clip,
    "judge": _judge,
}
"""The lines that make a part's `batches`, out of the parts that are trained before it."""


def _indented(lines: Sequence[str]) -> list[str]:
    return textwrap.indent("\n".join(lines), "    ").splitlines()


# --- the loss -------------------------------------------------------------------------------------


def losses(kind: type[Trainable]) -> list[Callable]:
    """The methods that the phases of a family minimise, penalties among them."""
    return _called(kind, [kind.phases])


def _called(kind: type[Trainable], methods: Sequence[Callable]) -> list[Callable]:
    """The methods that these call on themselves, without these and PyTorch's own."""
    names = dict.fromkeys(re.findall(r"\bself\.(\w+)", "".join(map(source, methods))))
    found = (getattr(kind, name, None) for name in names)
    own = (f for f in found if inspect.isfunction(f) and not f.__module__.startswith("torch."))
    return [method for method in own if method not in methods]


@functools.cache
def source(thing: Callable) -> str:
    """A function or a class as it is written, without the indent."""
    return textwrap.dedent(inspect.getsource(thing))
