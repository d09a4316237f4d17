"""The Overview: rows from real samplers, a scatter and a table that say what was measured."""

from __future__ import annotations

import math
import re
import textwrap
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict, replace
from itertools import combinations, pairwise, product
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest

from demos.page import examples
from demos.page.handlers import App
from demos.tabs import overview as tab
from demos.tabs.overview import panel as overview
from demos.tabs.overview import results, rows
from demos.tabs.overview.texts import FAMILIES, FASHION, PORTRAITS, FamilyText, families_of
from demos.widgets import chart
from gen_core.knobs import KnobError
from gen_core.progress import Progress
from overview_fixtures import IDS, figures, run, sources, write_portraits, write_weights


@pytest.fixture
def weights(tmp_path, monkeypatch) -> Path:
    write_weights(tmp_path)
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    return tmp_path


def test_all_rows_come_live_one_after_the_other(weights):
    news, page = run(App("cpu"))
    order = [name for piece in news if not isinstance(piece, Progress) for name in piece]
    rows_drawn = [IDS.index(name) for name in order if name in IDS]
    assert rows_drawn == sorted(rows_drawn) and set(page) == {*IDS, "asked", "scatter", "table"}
    assert page["asked"] == ""  # of classes, the row says it in words
    for text in FAMILIES:
        assert "ov-live" in page[text.id] and "live, " in page[text.id]
        assert page[text.id].count("<img") == 4 and text.title in page[text.id]
        assert "<button" not in page[text.id]


def test_each_message_holds_all_rows_so_far_for_those_who_missed_one(weights):
    """A busy page lost rows whose message was overtaken by the next one."""
    page = SimpleNamespace(app=App("cpu"), outputs=list(overview.PARTS))
    told = [
        set(piece)
        for piece in tab.TAB.panels[0].values(page, seed=0, count=2, steps=2)
        if not isinstance(piece, Progress)
    ]
    assert all(before <= after for before, after in pairwise(told))
    assert told[-1] == {*IDS, "asked", "scatter", "table"}


def test_rows_show_what_was_counted_and_what_the_card_says(weights):
    _, page = run(App("cpu"), steps=4)
    told = [figures(page[name]) for name in IDS]
    assert [f[2] for f in told] == ["1", "1", "8", "8", "784"]  # the two of 8 are guided
    assert told[3][1] == "2.50" and "10,000 samples" in page["flow"]
    assert told[2][1] == "not measured yet"
    assert all(float(f[0].replace(",", "")) > 0 for f in told)


def test_the_same_seeds_give_the_same_pictures_in_any_count(weights):
    app = App("cpu")

    def pictures(**knobs):
        _, page = run(app, **knobs)
        return [sources(page[name]) for name in IDS]

    few, more = pictures(seed=5, count=2), pictures(seed=5, count=3)
    other = pictures(seed=6, count=2)
    assert all(len(a) == 2 and len(b) == 3 for a, b in zip(few, more, strict=True))
    assert few != other
    assert few[0][1] == other[0][0]  # the VAE knows no classes: seed 6 is seed 6


def test_a_point_is_hollow_where_steps_differ_from_those_measured(weights):
    app = App("cpu")
    _, same = run(app, steps=4)
    _, other = run(app, steps=2)
    assert same["scatter"].count("hollow") == 1  # diffusion: not measured yet
    assert other["scatter"].count("hollow") == 2
    assert "hollow point" in other["table"] and "hollow point" not in same["table"]


def test_a_model_that_is_not_here_is_not_trained_yet_in_its_row_alone(weights):
    (weights / "gan-fashion.safetensors").unlink()
    _, page = run(App("cpu"))
    assert "ov-absent" in page["gan"]
    assert "not trained yet: python -m gen_core train gan-fashion" in page["gan"]
    assert all("ov-live" in page[name] for name in ("vae", "diffusion", "flow"))


def test_damaged_weights_are_a_message_in_their_row_alone(weights):
    (weights / "gan-fashion.safetensors").write_bytes(b"no tensors")
    _, page = run(App("cpu"))
    assert "ov-failed" in page["gan"] and "gan-fashion.safetensors is damaged" in page["gan"]
    assert all("ov-live" in page[name] for name in ("vae", "diffusion", "flow"))


def test_a_seed_that_leaves_no_room_for_the_others_is_refused():
    with pytest.raises(KnobError, match=r"seed=4294967295: choose 0 to 4294967292"):
        next(overview.draw(App("cpu"), 4294967295, 4, 4))


def test_the_code_runs_as_printed(weights, capsys):
    exec(textwrap.dedent(overview.code({"seed": 3, "count": 2, "steps": 2})), {})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [text.model("fashion") for text in FAMILIES]
    assert [line.split()[3] for line in lines] == ["1", "1", "4", "4", "784"]  # guided: two a step


def test_the_page_can_be_built_twice(weights):
    app = App("cpu")
    for _ in range(2):
        app.knobs.clear()
        with gr.Blocks():
            tab.TAB.build(app)
        assert [knobs.tab for knobs in app.knobs] == ["overview"]


RESULT = results.Result(
    family="vae",
    step=1,
    total=1,
    tiles=np.zeros((2, 28, 28), np.uint8),
    seeds=[0, 1],
    labels=None,
    milliseconds=1.5,
    evaluations=1,
    parameters=741_730,
    frechet=11.3,
    samples=10_000,
    floor=0.27,
    as_measured=True,
)


def test_the_table_has_every_family_with_or_without_figures():
    html = rows.table({"vae": RESULT})
    tree = ElementTree.fromstring(html)
    assert [th.text for th in tree.iter("th")][5:] == [text.title for text in FAMILIES]
    assert "11.3" in html and "1.5 ms" in html and "10,000 samples" in html


def test_html_in_a_message_stays_text():
    assert "<script>" not in rows.row(FASHION, FAMILIES[0], None, "<script>x</script>", "failed")


def point(
    name: str, milliseconds: float, frechet: float | None, floor: float | None = None
) -> tuple[FamilyText, results.Result]:
    changed = {"milliseconds": milliseconds, "frechet": frechet, "floor": floor}
    return replace(FAMILIES[0], title=name), replace(RESULT, **changed)


def circles(svg: str) -> list[tuple[float, float]]:
    tree = ElementTree.fromstring(svg)
    return [(float(c.get("cx")), float(c.get("cy"))) for c in tree.iter("circle")]


def test_axes_are_logarithmic_and_better_is_down_and_left():
    svg = rows.scatter([point("a", 1, 10, 0.1), point("b", 10, 1), point("c", 100, 0.1)])
    (ax, ay), (bx, by), (cx, cy) = circles(svg)
    assert ax < bx < cx and bx - ax == pytest.approx(cx - bx, abs=0.2)
    assert ay < by < cy and by - ay == pytest.approx(cy - by, abs=0.2)


@pytest.mark.parametrize(
    "points",
    [
        [],
        [point("alone", 3.0, 0.5)],
        [point("a", 3.0, None), point("b", 3.0, None)],
        [point("a", 1e-3, 1e-2), point("b", 1e5, 1e4)],
    ],
)
def test_any_points_make_a_picture_inside_its_frame(points):
    svg = rows.scatter(points)
    assert len(circles(svg)) == len(points)
    numbers = [float(n) for n in re.findall(r'(?:x|y|cx|cy)="([-\d.]+)"', svg)]
    assert all(math.isfinite(n) and 0 <= n <= max(chart.WIDTH, chart.HEIGHT) for n in numbers)


@pytest.mark.parametrize(
    "places",
    [
        [(100, 1.0), (101, 1.01), (1, 9)],
        [(267, 44), (443, 52), (210, 28), (39, 73), (1, 344)],
        [(6900, 18), (7000, 18), (6950, 18.1), (3500, 9), (1500, 5)],
    ],
)
def test_labels_cover_neither_each_other_nor_a_point(places):
    svg = rows.scatter([point(f"model {i}", *place, 0.3) for i, place in enumerate(places)])
    boxes = [
        label_box(t) for t in ElementTree.fromstring(svg).iter("text") if t.get("class") == "name"
    ]
    assert len(boxes) == len(places)
    points = [(x - 6, y - 6, x + 6, y + 6) for x, y in circles(svg)]
    for one, other in [*combinations(boxes, 2), *product(boxes, points)]:
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def label_box(text: ElementTree.Element) -> tuple[float, float, float, float]:
    """About what a name takes up: letters of 8 by 12 pixels."""
    x, y, wide = float(text.get("x")), float(text.get("y")), 8 * len(text.text)
    left = x if text.get("text-anchor") == "start" else x - wide
    return left, y - 11, left + wide, y + 1


def test_axis_ticks_are_round_and_inside():
    axis = chart.LogAxis.around([2.0, 30.0], 0, 100)
    assert axis.ticks() == [2, 5, 10, 20, 50]
    assert chart.LogAxis.around([1.0, 5000.0], 0, 100).ticks() == [1, 10, 100, 1000]


def test_a_kept_example_comes_back_as_it_was(weights, tmp_path):
    keep = replace(overview.PANEL.keeps()[0], name="kept")
    folder = tmp_path / "cached"
    size = examples.write(keep, App("cpu"), folder)
    assert size == sum(p.stat().st_size for p in folder.iterdir())
    kept = examples.example("kept", folder)
    assert kept.models == tuple(text.model("fashion") for text in FAMILIES)
    assert kept.seeds == tuple(range(6)) and kept.note.startswith("example, computed on ")
    shown = results.Result(**kept.value["results"]["flow"])
    assert shown.tiles.shape == (6, 28, 28) and shown.evaluations == 100  # guided: two a step
    film = results.Film(**kept.value["films"]["flow"])
    assert film.steps[0] == 0 and film.steps == sorted(set(film.steps)) and film.steps[-1] < 50
    assert film.sprite().shape == (len(film.steps) * 28, 6 * 28)
    stepwise = {"diffusion", "flow", "autoregressive"}
    assert kept.value["films"].keys() == stepwise  # the others take one step
    assert examples.example("never made", folder) is None


@pytest.mark.parametrize("shape", [(4, 5), (3, 4, 5), (3, 4, 5, 3)])
def test_pictures_of_any_shape_survive_the_file(tmp_path, shape):
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    keep = examples.Keep("x", lambda app: {"deep": [picture, {"n": 1.5, "text": "é"}]}, (), (0,))
    examples.write(keep, App("cpu"), tmp_path)
    back = examples.example("x", tmp_path).value["deep"]
    assert np.array_equal(back[0], picture) and back[1] == {"n": 1.5, "text": "é"}


def test_a_picture_of_floats_is_refused_rather_than_spoiled(tmp_path):
    keep = examples.Keep("x", lambda app: np.zeros((2, 2)), (), (0,))
    with pytest.raises(TypeError, match="an array of float64: pictures are uint8"):
        examples.write(keep, App("cpu"), tmp_path)


def test_the_page_starts_with_the_kept_example(monkeypatch):
    found = {text.id: asdict(replace(RESULT, family=text.id)) for text in FAMILIES}
    value = {"results": found, "films": {}}
    kept = examples.Example(value, (), (0, 1), "A Machine, 2 threads", "2026-11-21")
    monkeypatch.setattr(overview, "example", lambda name: kept)
    sight = overview.first_sight(FASHION)
    for name in IDS:
        when = 'title="example, computed on 21 November 2026, A Machine, 2 threads"'
        assert f'<span class="ov-note" {when}>Example</span>' in sight[name]
        assert "ov-before" in sight[name] and sight[name].count("<img") == 2
    assert sight["scatter"].count("<circle") == len(FAMILIES)


def test_without_an_example_the_page_says_what_to_press_and_what_is_missing(weights, monkeypatch):
    monkeypatch.setattr(overview, "example", lambda name: None)
    sight = overview.first_sight(FASHION)
    assert all("press the button above" in sight[name] for name in IDS)
    write_portraits(weights)
    sight = overview.first_sight(PORTRAITS)
    assert sight["asked"].count("<img") == 6
    told = {name: "press the button above" in sight[name] for name in IDS if sight[name]}
    assert told == {"vae": True, "gan": False, "diffusion": False, "flow": True}
    assert all(("not trained yet" in sight[name]) != said for name, said in told.items())


def test_a_film_is_the_drawing_at_earlier_steps():
    """Each line of its sprite shows all pictures at one step."""
    tiles = (
        np.arange(11, dtype=np.uint8)[:, None, None, None].repeat(2, 1).repeat(3, 2).repeat(3, 3)
    )
    run = [replace(RESULT, step=k, total=10, tiles=tiles[k]) for k in range(11)]
    last, film = results.filmed(run)
    assert last.done and film.steps == [0, 7, 8]
    lines = film.sprite().reshape(len(film.steps), 3, 6)
    assert [int(line.min()) for line in lines] == [int(line.max()) for line in lines] == film.steps


@pytest.mark.parametrize(
    ("gan", "diffusion", "said"), [(6.6, 9.6, True), (9.6, 6.6, False), (None, 9.6, False)]
)
def test_figures_against_the_rule_are_explained(gan, diffusion, said, monkeypatch):
    hours = {"gan-avatars": 4.75, "diffusion-avatars": 1.26}
    monkeypatch.setattr(rows, "card", lambda name: {"hours": hours[name]})
    found = {
        "gan": replace(RESULT, frechet=gan),
        "diffusion": replace(RESULT, frechet=diffusion),
    }
    told = rows.against_the_rule(PORTRAITS, found)
    assert ("4.8 hours" in told and "1.3." in told) == said


def test_portraits_come_first_where_they_can_be_compared(weights):
    assert results.on_offer() == [FASHION]
    write_portraits(weights)
    assert results.on_offer() == [PORTRAITS, FASHION]


def test_each_data_set_has_an_example_of_its_own():
    kept = {keep.name: keep.models for keep in overview.PANEL.keeps()}
    assert kept["overview"] == tuple(f"{name}-fashion" for name in IDS)
    assert kept["overview-avatars"] == tuple(
        f"{text.id}-avatars" for text in families_of(PORTRAITS)
    )
