"""The captioned scenes: what they promise to whoever trains on them."""

import dataclasses
import io

import numpy as np
import pytest

from emoji_fixtures import drawn_emoji
from gen_core.data import MissingData
from gen_core.data.emoji import RAW, SOURCES, STYLES, concepts, fetch_emoji, load_emoji
from gen_core.data.emoji.captions import caption
from gen_core.data.emoji.scenes import (
    COLOURS,
    FAULTS,
    LIGHTS,
    MEDIA,
    RELATIONS,
    TINTS,
    Scene,
    held_out,
    is_held_out,
    paint,
    random_scene,
    twin,
)
from gen_core.data.fashion import cache_folder
from gen_core.data.grammar import article, countable, plural

CAT, DOG = 0, 1


def test_the_vocabulary_has_three_hundred_concepts_with_words_of_their_own():
    words = [word for concept in concepts() for word in concept.words]
    assert len(concepts()) == 300 and len(words) == len(set(words))
    assert len({concept.code for concept in concepts()}) == 300


def test_a_scene_depends_on_its_seed_alone():
    assert random_scene((1, 2)) == random_scene((1, 2)) != random_scene((1, 3))
    scene = random_scene(5)
    assert np.array_equal(paint(scene, drawn_emoji()), paint(scene, drawn_emoji()))
    assert caption(scene, 1) == caption(scene, 1)
    assert len({caption(scene, seed) for seed in range(50)}) > 5


def test_what_is_held_out_never_appears_in_training():
    kept = held_out()
    names = {concept.name for concept in concepts()}
    assert all(name in names and colour in COLOURS for name, colour in kept["background"])
    assert all(name in names and colour in TINTS for name, colour in kept["tint"])
    assert len(kept["pair"]) == 300 and len(kept["background"]) == 600
    name, colour = next(iter(sorted(kept["background"])))
    index = [concept.name for concept in concepts()].index(name)
    assert is_held_out(Scene((index,), background=colour))
    assert is_held_out(Scene((5, index), ("", ""), background=colour, relation="above"))
    names = [concept.name for concept in concepts()]
    name, colour = next(iter(sorted(kept["tint"])))
    thing = names.index(name)
    others = {c for n, c in kept["background"] if n == name}
    free = next(c for c in COLOURS if c not in others)
    assert is_held_out(Scene((thing,), (colour,), background=free))
    assert not is_held_out(Scene((thing,), background=free))
    pair = tuple(names.index(n) for n in next(iter(sorted(kept["pair"]))))
    others = {c for n, c in kept["background"] if names.index(n) in pair}
    free = next(c for c in COLOURS if c not in others)
    for things in (pair, pair[::-1]):
        assert is_held_out(Scene(things, ("", ""), background=free, relation="left of"))
    scenes = [random_scene(seed) for seed in range(3000)]
    assert not any(map(is_held_out, scenes + [twin(s, (k, 0)) for k, s in enumerate(scenes[:500])]))


def test_every_word_of_the_vocabulary_is_met_in_training():
    scenes = [random_scene(seed) for seed in range(6000)]
    assert {i for s in scenes for i in s.things} == set(range(300))
    for field, values in (
        ("style", STYLES),
        ("background", COLOURS),
        ("relation", RELATIONS),
        ("light", LIGHTS),
        ("medium", MEDIA),
        ("fault", FAULTS),
        ("size", ("small", "medium", "large")),
        ("place", ("left", "right", "top", "bottom")),
        ("count", (1, 2, 3, 4)),
    ):
        met = {getattr(scene, field) for scene in scenes}
        assert met >= set(values), field


def test_a_caption_always_tells_what_nobody_would_expect():
    scene = Scene((CAT,), ("blue",), "flat", "red", place="left", fault="blurry", light="night")
    for seed in range(100):
        words = caption(scene, seed)
        assert "blue" in words and any(w in words for w in ("blurr", "out of focus"))
        assert any(w in words for w in ("night", "dark"))
    two = Scene((CAT, DOG), ("", ""), relation="left of")
    for seed in range(100):
        words = caption(two, seed)
        cat = min(words.find(w) for w in concepts()[CAT].words if w in words)
        dog = min(words.find(w) for w in concepts()[DOG].words if w in words)
        assert 0 <= cat < dog


WRITTEN = {
    "owl": ("an owl", "owls"),
    "fox": ("a fox", "foxes"),
    "mouse": ("a mouse", "mice"),
    "unicorn": ("a unicorn", "unicorns"),
    "ufo": ("a ufo", "ufos"),
    "die": ("a die", "dice"),
    "hourglass": ("an hourglass", "hourglasses"),
    "8 ball": ("an 8 ball", "8 balls"),
    "toy": ("a toy", "toys"),
    "baby": ("a baby", "babies"),
    "fish": ("a fish", "fish"),
    "cup of coffee": ("a cup of coffee", "cups of coffee"),
    "axe": ("an axe", "axes"),
}


@pytest.mark.parametrize("noun", WRITTEN)
def test_articles_and_plurals(noun):
    assert (article(noun), plural(noun)) == WRITTEN[noun]


def test_what_cannot_be_counted_goes_bare():
    words = {word for concept in concepts() for word in concept.words}
    assert {w for w in words if w.endswith("s") and countable(w)} == {
        "bus",
        "cactus",
        "octopus",
        "compass",
        "hourglass",
        "wine glass",
        "hippopotamus",
        "dress",
        "princess",
        "magnifying glass",
        "tyrannosaurus",
    } & words
    assert article("blue jeans", "jeans") == "blue jeans" and not countable("corn")
    counted = [s for s in map(random_scene, range(4000)) if s.count > 1]
    assert len(counted) > 200
    for scene in counted:
        words = concepts()[scene.things[0]].words
        said = caption(scene, scene.seed)
        assert any(plural(word) in said for word in words if countable(word)), said


def test_twins_can_be_told_apart_by_their_captions_alone_when_described_alike():
    plain = Scene((CAT,), background="red", style="flat")
    for seed in range(200):
        one, two = (caption(dataclasses.replace(plain, tints=(t,)), seed) for t in ("", "blue"))
        assert one.replace("a cat", "cat") == two.replace("blue ", "").replace("a cat", "cat")


def difference(left: Scene, right: Scene) -> np.ndarray:
    pictures = (paint(scene, drawn_emoji()).astype(float) for scene in (left, right))
    return abs(next(pictures) - next(pictures)).mean(2)


@pytest.mark.parametrize(
    "change",
    [
        {"background": "teal"},
        {"style": "noto"},
        {"tints": ("red",)},
        {"size": "large"},
        {"count": 3},
        *({"light": v} for v in LIGHTS),
        *({"medium": v} for v in MEDIA),
        *({"fault": v} for v in FAULTS),
    ],
    ids=lambda change: "-".join(map(str, next(iter(change.items())))),
)
def test_each_word_changes_the_picture(change):
    plain = Scene((CAT,), background="orange", seed=3)
    assert difference(plain, dataclasses.replace(plain, **change)).max() > 20


@pytest.mark.parametrize("relation", RELATIONS)
def test_two_things_stand_as_they_are_said_to(relation):
    scene = Scene((CAT, DOG), ("red", "blue"), relation=relation, background="white")
    red, _, blue = np.moveaxis(paint(scene, drawn_emoji()).astype(float), 2, 0)
    cat, dog = (np.argwhere(mask).mean(0) for mask in (red > blue + 60, blue > red + 60))
    dx, dy = RELATIONS[relation]
    assert (cat[1] - dog[1]) * dx + (cat[0] - dog[0]) * dy > 20


def test_small_drawings_are_the_same_wherever_they_stand():
    """A half picture apart, to the pixel: what is learned of one is learned of all."""
    left, right = (
        paint(Scene((CAT,), size="small", place=place), drawn_emoji())
        for place in ("left", "right")
    )
    assert np.array_equal(left[:, :32], right[:, 32:])
    four = paint(Scene((CAT,), count=4), drawn_emoji())
    assert np.array_equal(four[:, :32], four[:, 32:]) and not np.array_equal(left, right)
    places = {scene.size for scene in map(random_scene, range(300)) if scene.place}
    assert places == {"small"}


def test_a_twin_differs_in_one_thing():
    for seed in range(300):
        scene = random_scene(seed)
        other = dataclasses.asdict(twin(scene, (seed, 0)))
        changed = {k for k, v in dataclasses.asdict(scene).items() if other[k] != v}
        assert len(changed) == 1 or changed == {"things", "tints"}


def test_missing_drawings_are_a_message_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.delenv("GEN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for root in (None, tmp_path):
        with pytest.raises(
            MissingData, match=r"fetch` downloads them; or .* --data or in GEN_DATA"
        ):
            load_emoji(root)


def test_the_drawings_come_from_their_sources_and_are_read_from_the_cache(monkeypatch, tmp_path):
    emoji, asked = drawn_emoji(), []
    rows = {}
    for concept in concepts():
        rows[f"{concept.code}_3d.png"] = rows[f"/{concept.code}.png"] = concept
        rows[f"emoji_u{concept.code.replace('-', '_')}.png"] = concept
    mermaid = concepts()[294]

    def get(url: str) -> bytes:
        """A source that keeps the mark for colour in the name of one drawing."""
        asked.append(url)
        style = next(s for s, path in SOURCES.items() if path.split("/")[1] in url)
        wanted = url.replace("-fe0f", "")
        if style == "flat" and mermaid.code in url and wanted == url:
            raise FileNotFoundError(url)
        concept = next(c for ending, c in rows.items() if wanted.endswith(ending))
        buffer = io.BytesIO()
        emoji.cutout(concept, style).save(buffer, format="PNG")
        return buffer.getvalue()

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("GEN_DATA", raising=False)
    fetch_emoji(cache_folder(), get)
    read = load_emoji()
    assert len(read.items) == 900 and len(asked) == 901 and all(u.startswith(RAW) for u in asked)
    for concept in (concepts()[CAT], mermaid):
        for style in STYLES:
            assert read.cutout(concept, style) == emoji.cutout(concept, style)

    def broken(url: str) -> bytes:
        raise TimeoutError("timed out")

    with pytest.raises(MissingData, match=r"could not be fetched \(timed out\): try again"):
        fetch_emoji(tmp_path, broken)
