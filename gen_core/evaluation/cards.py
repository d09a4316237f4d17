"""Model cards in Markdown, one a checkpoint, in the form of the Hugging Face hub's: made from the
checkpoints' metadata, and from `card_texts` where metadata cannot know."""

import dataclasses
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gen_core.evaluation.card_texts import CHECKPOINTS, DATA, FAMILIES, LICENSE, DataText
from gen_core.evaluation.reference import floor_of
from gen_core.evaluation.report import (
    FIGURES,
    markdown,
    markdown_figures,
    markdown_prompt_accuracy,
    markdown_table,
    parameters,
)
from gen_core.family import Family, Trainable
from gen_core.knobs import KnobError
from gen_core.training import checkpoint
from gen_core.training.recipes import AS_WRITTEN, deviation

Card = Mapping[str, Any]
NOT_STATED = "not stated"
MORE = {
    "Inception Score": ("inception_score", ".2f"),
    "Mean square error of reconstructions (pixels from -1 to 1)": ("reconstruction_error", ".4f"),
    "Accuracy of the classifier on reconstructions": ("reconstruction_accuracy", ".3f"),
    "Bits per token of test pictures, given their attributes": ("bits_per_token", ".3f"),
    "Codes in use": ("codes_in_use", ",d"),
    "Perplexity of their use": ("perplexity", ".1f"),
    "Evidence lower bound (nats)": ("elbo", ",.1f"),
    "Distortion (nats)": ("distortion", ",.1f"),
    "Rate, the KL term (nats)": ("rate", ",.1f"),
    "Bits per dimension of test pictures, given their class": ("bits_per_dimension", ".3f"),
    "Bits per character of the test text": ("bits_per_character", ".3f"),
    "Characters of the test text": ("characters", ",d"),
    "Bits per character of the test text, at most (a bound)": ("bits_per_character_bound", ".3f"),
    "Bits per character of the texts written, by a 5-gram of the training text": (
        "judge_bits",
        ".3f",
    ),
    "Entropy of their tokens (bits)": ("entropy", ".2f"),
    "Distinct runs of four tokens": ("distinct_4", ".3f"),
    "Longest copy from the training text (characters)": ("longest_copy", "d"),
    "Accuracy of the classifier that measures, on test pictures": ("judge_accuracy", ".3f"),
}
"""Figures of single families, which have no column in the table of all: as `FIGURES`."""
SETTINGS = {"samples", "seed", "seconds"}
"""Numbers among the metrics that say how they were measured."""
CHOSEN = ("batch", "seed", "ema", "warmup", "local_steps", "start")
"""What a card tells of its recipe, besides what it says elsewhere."""


def markdown_cards(folder: Path | str | None = None) -> str:
    """The cards of all checkpoints, behind links to them."""
    names = checkpoint.available(folder)
    links = " · ".join(f"[{name}](#{name})" for name in names)
    return "\n\n".join([links, *(markdown_card(name, folder) for name in names)])


def markdown_card(name: str, folder: Path | str | None = None) -> str:
    """One checkpoint's card. Raises CheckpointError."""
    parts = [f"**{title}**\n\n{text}" for title, text in card_sections(name, folder).items()]
    return "\n\n".join([f"### {name}", *parts])


def card_sections(
    name: str, folder: Path | str | None = None, known_as: str = "", repository: str = ""
) -> dict[str, str]:
    """The sections of a checkpoint's card by title, in order, as Markdown. What nobody has declared
    is `NOT_STATED`. Raises CheckpointError.

    known_as: the model's own name, where the file has another; repository: of the hub, where it is.
    """
    card = checkpoint.card(name, folder)
    kind = checkpoint.kind_of(card, name)
    known_as = known_as or name
    own = CHECKPOINTS.get(known_as) or FAMILIES.get(kind.name)
    data = DATA.get(card.get("data", ""))
    return {
        "Model details": _bullets(_details(name, card, kind, folder)),
        "Uses": own.uses if own else NOT_STATED,
        "Limitations": " ".join(text.limits for text in (own, data) if text) or NOT_STATED,
        "How to get started": _start(known_as, kind, data, own.asks if own else "", repository),
        "Training data": f"{data.about} License: {data.license}" if data else NOT_STATED,
        "Training procedure": _training(known_as, card, kind),
        "Evaluation": "\n\n".join(_evaluation(card, kind, folder)),
    }


def renewed(page: str, folder: Path | str | None = None) -> str:
    """A Markdown page with what stands between its markers, <!-- tables --> and <!-- /tables -->,
    <!-- cards --> and <!-- /cards -->, made anew; all else stays as somebody wrote it. Raises
    CheckpointError, and KnobError for a page without these markers."""
    tables = f"{markdown_table(folder)}\n\n{markdown_figures(folder)}"
    for marker, made in (("tables", tables), ("cards", markdown_cards(folder))):
        stretch = re.compile(rf"(<!-- {marker} -->\n).*?(<!-- /{marker} -->)", re.DOTALL)
        page, count = stretch.subn(
            lambda found, made=made: f"{found[1]}\n{made}\n\n{found[2]}", page
        )
        if count != 1:
            raise KnobError(
                f"the page has {count} places for the {marker}: write <!-- {marker} --> and "
                f"<!-- /{marker} --> once, each in a line of its own"
            )
    return page


def _bullets(facts: Iterator[tuple[str, str]]) -> str:
    return "\n".join(f"- {title}: {text}" for title, text in facts)


def _details(
    name: str, card: Card, kind: type[Trainable], folder: Path | str | None
) -> Iterator[tuple[str, str]]:
    about = inspect.cleandoc(inspect.getmodule(kind).__doc__ or NOT_STATED).partition("\n\n")[0]
    yield "Family", f"`{kind.name}`, in `{kind.__module__}`. {' '.join(about.split())}"
    yield "Parameters", f"{parameters(name, folder):,}"
    yield "Size", f"{checkpoint.size(name, folder) / 1e6:.1f} MB"
    if (data := DATA.get(card.get("data", ""))) and data.shape:
        yield "Pictures", f"{' × '.join(map(str, data.shape))}, values from -1 to 1"
    if "config" in card:
        config = checkpoint.config_of(card)
        yield "Config", _settings(dataclasses.asdict(config))
        if issubclass(kind, Family):
            asked = [f"`{knob.name}`, {knob.takes}" for knob in kind.condition_of(config).knobs]
            yield "Can be asked for", "; ".join(asked) or "nothing: it is unconditional"
    yield "License", LICENSE


def _settings(values: Mapping[str, Any]) -> str:
    """As in a call."""
    plain = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return ", ".join(f"`{name}={value!r}`" for name, value in plain.items())


def _start(
    name: str, kind: type[Trainable], data: DataText | None, asks: str, repository: str
) -> str:
    """The first lines of code."""
    if issubclass(kind, Family):
        names, opened = "Noise, final, load", f'load("{name}")'
        if repository:
            names, opened = "Family, Noise, final", f'Family.from_pretrained("{repository}")'
        lines = [
            f"from gen_core import {names}",
            "",
            f"model = {opened}",
            f"x = final(model.sample(Noise(range(4)){asks and ', ' + asks}))  # seeds 0 to 3",
            *(['print(*model.text(x), sep="\\n---\\n")'] if kind.text is not Family.text else []),
        ]
    else:
        shape = ", ".join(map(str, data.shape)) if data else "channels, height, width"
        source, opened = "gen_core", f'load("{name}", "cpu")'
        if repository:
            source = kind.__module__
            opened = f'{kind.__name__}.from_pretrained("{repository}", device="cpu")'
        lines = [
            "import torch",
            f"from {source} import {opened.partition('.')[0].partition('(')[0]}",
            "",
            f"model = {opened}",
            f"x = torch.zeros(4, {shape})  # your pictures, in [-1, 1]",
            "features, answers = model.features(x), model(x)",
        ]
    return "\n".join(["```python", *lines, "```"])


def _training(name: str, card: Card, kind: type[Trainable]) -> str:
    bullets = _bullets(_procedure(name, card, kind))
    parts = card.get("parts", {})
    if not parts:
        return bullets
    bullets += f"\n- Recipes: `{name}/...` in `gen_core/training/recipes.py`, one for each part"
    head = ("Part", "Steps", "Batch", "Pictures", "Hours", "Config")
    rows = [
        (
            f"`{part}`",
            f"{said['steps']:,}",
            f"{said['recipe']['batch']}",
            f"{said['pictures']:,}",
            f"{said['hours']:.2f}",
            _settings(said["config"]),
        )
        for part, said in parts.items()
    ]
    return f"{bullets}\n\n{markdown(head, rows, ('Part', 'Config'))}"


def _procedure(name: str, card: Card, kind: type[Trainable]) -> Iterator[tuple[str, str]]:
    said = card.get("recipe", {})
    data = DATA.get(card.get("data", ""))
    what = "pictures" if data is None or data.shape else "stretches of text"
    seen = f", {card['pictures']:,} {what} in all" if "pictures" in card else ""
    if "steps" in card:
        yield "Steps", f"{card['steps']:,}{seen}"
    if chosen := {key: said[key] for key in CHOSEN if said.get(key, "") != ""}:
        yield "Recipe", f"`{name}` in `gen_core/training/recipes.py`, {_settings(chosen)}"
    if turn := said.get("switch_step", said.get("turn")):
        then = said.get("config_after_switch", said.get("then", {}))
        yield f"From step {turn:,} on", _settings(checkpoint.current_names(then, kind))
    found, why = deviation(name, card), card.get("deviation", {}).get("why")
    if found == AS_WRITTEN:
        yield "Reproducible", "yes: the recipe, run once from the start, makes it again"
    else:
        yield "Reproducible", f"not by one run of the recipe ({found}): {why or NOT_STATED}"
    if "hours" in card:
        took = f"{card['hours']:.2f} hours"
        yield "Time and hardware", f"{took}, {card.get('hardware', NOT_STATED)}"


def _evaluation(card: Card, kind: type[Trainable], folder: Path | str | None) -> Iterator[str]:
    """Paragraphs and tables: how it was measured, the figures, and what single families have."""
    metrics = card.get("metrics", {})
    if not metrics:
        yield NOT_STATED
        return
    yield _measured(metrics, kind)
    yield markdown(("Metric", "Value"), _figures(card, folder), ("Metric",))
    if "right" in metrics:
        yield _attributes(metrics)
    if "composing" in metrics:
        yield _composing(metrics["composing"])
    if "model" in (shares := metrics.get("shares", {})):
        yield markdown_prompt_accuracy(shares)
    if "guidance" in card:
        yield from _guidance(card["guidance"])
    if "sharpness" in card:
        yield _sharpness(card["sharpness"])
    if "snapshots" in metrics:
        yield from _snapshots(metrics["snapshots"])
    if "by_evaluations" in metrics:
        yield from _by_evaluations(metrics["by_evaluations"])


def _measured(metrics: Card, kind: type[Trainable]) -> str:
    what = "samples" if issubclass(kind, Family) else "test pictures"
    text = f"{metrics['samples']:,} {what}"
    if "seed" in metrics:
        text += f" from seed {metrics['seed']} on, with "
        text += _settings(metrics["knobs"]) if metrics.get("knobs") else "the default settings"
    told = [("Date", metrics.get("date")), ("Hardware", metrics.get("hardware"))]
    return " ".join([f"{text}.", *(f"{title}: {said}." for title, said in told if said)])


def _figures(card: Card, folder: Path | str | None) -> Iterator[tuple[str, str]]:
    """Each number among the metrics, with its name."""
    metrics = card["metrics"] | {"floor": floor_of(card, folder)}
    left = {k: v for k, v in metrics.items() if k not in SETTINGS and isinstance(v, int | float)}
    for title, (key, form) in (FIGURES | MORE).items():
        if key in left:
            yield title, format(left.pop(key), form)
    for key, value in left.items():
        yield key.replace("_", " ").capitalize(), f"{value:g}"


def _attributes(metrics: Card) -> str:
    ranked = sorted(metrics["right"].items(), key=lambda pair: -pair[1])
    right = ", ".join(f"{name} {share:.0%}" for name, share in ranked)
    off = ", ".join(f"{name} {error:.2f}" for name, error in metrics["off"].items())
    text = f"Accuracy by attribute: {right}. Mean absolute error of the numbers: {off}."
    return text.replace("_", " ")


def _composing(found: Card) -> str:
    held_out, seen = found["held_out"], found["seen"]
    return (
        f"Asked for two attributes at once, with {_settings(found['knobs'])}: both are drawn in "
        f"{held_out['share']:.0%} of {held_out['pictures']} pictures of pairs that training never "
        f"showed together, in {seen['share']:.0%} of {seen['pictures']} of pairs that it did. In "
        f"portraits drawn by a program the classifier finds both in {held_out['by_rule']:.0%} and "
        f"{seen['by_rule']:.0%}."
    )


def _guidance(found: Card) -> Iterator[str]:
    yield (
        f"What guidance trades, over {found['prompts']} prompts with {found['seeds']} seeds each "
        f"({found['steps']} steps): how often the thing is recognised, how well CLIP finds that "
        "words and picture fit, and how much the pictures of one prompt differ."
    )
    rows = [
        (
            f"{point['guidance']:g}",
            f"{point['recognised']:.0%}",
            f"{point['score']:.1f} ± {point['score_error']:.1f}",
            f"{point['diversity']:.3f} ± {point['diversity_error']:.3f}",
        )
        for point in found["points"]
    ]
    yield markdown(("Guidance", "Recognised", "CLIP score", "Diversity"), rows, ())


def _sharpness(found: Card) -> str:
    return (
        f'The negative prompt "{found["negative_prompt"]}" makes {found["sharper"]:.0%} of '
        f"{found['pictures']} pictures sharper (guidance {found['guidance_scale']:g}): the "
        f"variance of their Laplacian grows {found['ratio']:.1f} ± {found['ratio_error']:.1f} "
        "times."
    )


def _snapshots(found: list[Card]) -> Iterator[str]:
    yield f"During training, over {found[0]['samples']:,} samples each:"
    rows = [
        (
            f"{row['step']:,}",
            f"{row['frechet']:.3f}",
            f"{row['recall']:.3f}",
            f"{row['classes_alive']}",
        )
        for row in found
    ]
    yield markdown(("Step", "Fréchet distance", "Recall", "Classes alive"), rows, ())


def _by_evaluations(found: list[Card]) -> Iterator[str]:
    yield (
        "Texts by how often the network is evaluated for each, beside those of the model that it "
        f"began with, which writes from left to right: {found[0]['samples']} texts a row, all of "
        "the same number of tokens."
    )
    rows = [
        (
            f"`{row['model']}`" if "model" in row else "everywhere at once",
            f"{row['evaluations']}",
            f"{row['judge_bits']:.3f}",
            f"{row['entropy']:.2f}",
            f"{row['distinct_4']:.4f}",
            f"{row['longest_copy']}",
        )
        for row in found
    ]
    head = ("Bits per character", "Entropy of tokens", "Distinct 4-grams", "Longest copy")
    yield markdown(("Written by", "Evaluations", *head), rows, ("Written by",))
