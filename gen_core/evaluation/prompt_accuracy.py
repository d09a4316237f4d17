"""Does the picture show what the words asked for? Measured on 500 prompts by `SceneClassifier`.

Half of the prompts ask for combinations that no training picture shows: what is lost on them is
what the model remembers rather than composes. The classifier has seen all combinations; its own
accuracy, on pictures that are painted as the prompts say, stands beside the model's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gen_core.classifiers.emoji import QUESTIONS, SceneClassifier, relation_found, truth
from gen_core.data.emoji import STYLES, Emoji, concepts, load_emoji
from gen_core.data.emoji.captions import article
from gen_core.data.emoji.scenes import COLOURS, RELATIONS, TINTS, Scene, held_out, is_held_out
from gen_core.evaluation.evaluate import Evaluation
from gen_core.families.text_to_image import TextToImage
from gen_core.families.text_to_image.batches import pictures
from gen_core.families.text_to_image.folder import classifier_of
from gen_core.progress import Progress, Report, ignore
from gen_core.sampling import Noise, final

BACKGROUNDS, TINTED, PAIRS = 100, 50, 100
"""Of each kind of prompt, half of them: each is asked once seen and once held out."""
BATCH = 50
Accuracy = dict[str, dict[str, float]]
"""{"seen" | "held out": {question: share of right answers}}"""


@dataclass(frozen=True)
class Asked:
    """One prompt of the test, and the scene that it describes."""

    prompt: str
    scene: Scene
    held_out: bool


def prompts(seed: int = 0) -> list[Asked]:
    """500 prompts. A thing that is asked for in a seen combination is also asked for in one that
    is held out, in the same style, so that the two can be compared; of two things, the first."""
    rng = np.random.default_rng(seed)
    things = rng.permutation(len(concepts()))[: BACKGROUNDS + TINTED]
    asked = []
    for k, thing in enumerate(map(int, things)):
        plain = Scene((thing,), style=str(rng.choice(STYLES)), seed=k)
        vary = _backgrounds if k < BACKGROUNDS else _tints
        asked += [_first(vary(plain, rng), held) for held in (False, True)]
    for pair in rng.permutation(sorted(held_out()["pair"]))[:PAIRS]:
        first, other = (_number(name) for name in rng.permutation(pair))
        style, relation = str(rng.choice(STYLES)), str(rng.choice([*RELATIONS]))
        seed = int(rng.integers(1000))
        scene = Scene((first, other), ("", ""), style, relation=relation, seed=seed)
        asked += [_first(_partners(scene, rng), False), _first(_backgrounds(scene, rng), True)]
    return asked


def _first(scenes: Iterator[Scene], held: bool) -> Asked:
    scene = next(scene for scene in scenes if is_held_out(scene) is held)
    return Asked(_words(scene), scene, held)


def _backgrounds(scene: Scene, rng: np.random.Generator) -> Iterator[Scene]:
    while True:
        yield replace(scene, background=str(rng.choice([*COLOURS])))


def _tints(scene: Scene, rng: np.random.Generator) -> Iterator[Scene]:
    name = concepts()[scene.things[0]].name
    kept = held_out()["background"]
    while True:
        tinted = replace(
            scene, tints=(str(rng.choice(TINTS)),), background=str(rng.choice([*COLOURS]))
        )
        if (name, tinted.background) not in kept:  # held out for its tint or not at all
            yield tinted


def _partners(scene: Scene, rng: np.random.Generator) -> Iterator[Scene]:
    """The same beside something else."""
    first, _ = scene.things
    others = [number for number in range(len(concepts())) if number != first]
    while True:
        beside = replace(scene, things=(first, int(rng.choice(others))))
        yield next(_backgrounds(beside, rng))


def _number(name: str) -> int:
    return [concept.name for concept in concepts()].index(name)


def _words(scene: Scene) -> str:
    things = []
    for index, tint in zip(scene.things, scene.tints, strict=True):
        name = concepts()[index].name
        things.append(article(f"{tint} {name}".strip(), name))
    subject = f" {scene.relation} ".join(things)
    return f"{article(scene.style)} emoji of {subject}, on {article(scene.background)} background"


def evaluated(model: TextToImage, evaluation: Evaluation) -> dict[str, Any]:
    """What `evaluate` measures: the shares of right answers, the classifier's own beside them, and
    as "accuracy" how often a single thing is recognised.

    Of fewer samples than there are prompts, the share of a question may be missing. Raises
    MissingData without the drawings that the classifier is shown.
    """
    emoji, classifier = load_emoji(evaluation.data_root), classifier_of(model.folder)
    classifier.to(model.device)
    asked = some_of(prompts(), evaluation.samples)
    knobs = {"seed": evaluation.seed, "progress": evaluation.progress, **evaluation.knobs}
    shares = measured_accuracy(model, classifier, asked, **knobs)
    reference = classifier_accuracy(classifier, emoji, asked)
    figures = {"model": shares, "judge": reference, "pictures": len(asked)}
    concepts_right = [share["concept"] for share in shares.values() if "concept" in share]
    accuracy = float(np.mean(concepts_right)) if concepts_right else None
    return {"samples": len(asked), "accuracy": accuracy, "shares": figures}


def some_of(asked: list[Asked], count: int) -> list[Asked]:
    """At most `count` of the prompts, drawn at random, in their order."""
    chosen = np.random.default_rng(0).permutation(len(asked))[:count]
    return [asked[index] for index in sorted(chosen)]


def drawn(
    model: TextToImage,
    asked: Sequence[Asked],
    seeds: Sequence[int],
    batch: int = BATCH,
    **knobs: Any,
) -> Iterator[tuple[Sequence[Asked], Tensor]]:
    """Some of the prompts, and a picture of each, (B, 3, 64, 64) in [-1, 1], until all are drawn,
    each from its own seed, with the model's own defaults or with `knobs`."""
    for start in range(0, len(asked), batch):
        some = asked[start : start + batch]
        prompt, noise = [a.prompt for a in some], Noise(seeds[start : start + batch])
        yield some, final(model.sample(noise, **knobs | {"prompt": prompt}))


def measured_accuracy(
    model: TextToImage,
    classifier: SceneClassifier,
    asked: Sequence[Asked] | None = None,
    *,
    seed: int = 0,
    progress: Report = ignore,
    **knobs: Any,
) -> Accuracy:
    """How often the model's pictures are right, as `drawn` makes them; asked: all prompts."""
    asked = prompts() if asked is None else asked
    right: list[dict[str, bool]] = []
    for some, x in drawn(model, asked, range(seed, seed + len(asked)), **knobs):
        right += answers(classifier, x, [a.scene for a in some])
        progress(Progress("pictures", len(right), len(asked), "pictures"))
    return _by_question(right, asked)


def classifier_accuracy(
    classifier: SceneClassifier, emoji: Emoji, asked: Sequence[Asked] | None = None
) -> Accuracy:
    """How often the classifier is right about pictures that show what the prompts ask for."""
    asked = prompts() if asked is None else asked
    scenes = [a.scene for a in asked]
    return _by_question(
        answers(classifier, pictures(scenes, emoji).to(classifier.device), scenes), asked
    )


@torch.inference_mode()
def answers(classifier: SceneClassifier, x: Tensor, scenes: list[Scene]) -> list[dict[str, bool]]:
    """What is right in each picture: background and style always; of one thing the concept, the
    concept "in the first five", and the tint if one is asked for; of two "relation" and "both"."""
    logits = {name: values.cpu() for name, values in classifier(x).items()}
    two = [k for k, scene in enumerate(scenes) if scene.relation]
    found = iter(relation_found(classifier, x[two], [scenes[k].things for k in two]) if two else [])
    result = []
    for k, scene in enumerate(scenes):
        expected = dict(zip(QUESTIONS, truth(scene), strict=True))
        right = {q: int(logits[q][k].argmax()) == expected[q] for q in ("background", "style")}
        if scene.relation:
            relation, there = next(found)
            right |= {"both": all(there), "relation": relation == scene.relation}
        else:
            best = logits["concept"][k].topk(5).indices.tolist()
            right |= {
                "concept": best[0] == expected["concept"],
                "in the first five": expected["concept"] in best,
            }
            if scene.tints[0]:
                right["tint"] = int(logits["tint"][k].argmax()) == expected["tint"]
        result.append(right)
    return result


def _by_question(rights: list[dict[str, bool]], asked: Sequence[Asked]) -> Accuracy:
    shares: Accuracy = {}
    for kind, held in (("seen", False), ("held out", True)):
        some = [r for r, a in zip(rights, asked, strict=True) if a.held_out is held]
        questions = dict.fromkeys(name for right in some for name in right)
        shares[kind] = {
            q: round(float(np.mean([right[q] for right in some if q in right])), 4)
            for q in questions
        }
    return shares
