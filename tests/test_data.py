"""Data sets: read in place, found in the stated order, and a clear message where they are not."""

import gzip
import hashlib
import itertools
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch

from core_fixtures import striped, write_fashion, write_idx
from gen_core.data import CLASSES, Batches, MissingData, fashion, load_data
from gen_core.data.splits import AVATARS, SCENES, UNTOUCHED
from gen_core.knobs import KnobError
from gen_core.training.recipes import RECIPES


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """No data set on this machine but what a test lays down; its cache is empty."""
    monkeypatch.delenv("GEN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def contents(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file()
    }


def test_both_splits_are_read_and_nothing_is_written_beside_them(tmp_path):
    sets = write_fashion(tmp_path / "data")
    before = contents(tmp_path)
    for split, expected in sets.items():
        data = load_data("fashion", split, tmp_path / "data")
        assert torch.equal(data.images, expected.images) and data.images.dtype == torch.uint8
        assert torch.equal(data.labels, expected.labels) and data.labels.dtype == torch.int64
        assert data.images.shape[1:] == (1, 28, 28) and len(data) == len(expected)
        assert data.classes == CLASSES["fashion"] and len(data.classes) == 10
    assert contents(tmp_path) == before


def test_a_read_only_folder_will_do(tmp_path):
    write_fashion(tmp_path / "data")
    raw = tmp_path / "data" / "FashionMNIST" / "raw"
    for path in [*raw.iterdir(), raw]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert len(load_data("fashion", "train", tmp_path / "data")) == 128
    raw.chmod(0o755)


def test_the_places_are_searched_in_order(tmp_path, monkeypatch):
    for count, place in ((32, "cache/noise-to-data"), (64, "named"), (96, "given")):
        write_fashion(tmp_path / place, train=count)
    assert len(load_data("fashion")) == 32
    monkeypatch.setenv("GEN_DATA", str(tmp_path / "named"))
    assert len(load_data("fashion")) == 64
    assert len(load_data("fashion", root=tmp_path / "given")) == 96
    assert len(load_data("fashion", root=tmp_path / "empty")) == 64


def test_pictures_are_float32_from_minus_one_to_one(tmp_path):
    write_fashion(tmp_path)
    raw = tmp_path / "FashionMNIST" / "raw"
    write_idx(raw / "train-images-idx3-ubyte.gz", np.array([[[0, 255], [51, 204]]]))
    write_idx(raw / "train-labels-idx1-ubyte.gz", np.array([9]))
    x = load_data("fashion", "train", tmp_path).pictures(slice(None))
    torch.testing.assert_close(x, torch.tensor([[[[-1.0, 1.0], [-0.6, 0.6]]]]))


def test_mnist_is_the_same_in_another_folder(tmp_path):
    write_fashion(tmp_path)
    (tmp_path / "FashionMNIST").rename(tmp_path / "MNIST")
    assert load_data("mnist", "test", tmp_path).classes == tuple("0123456789")


def test_missing_data_says_where_it_looked_and_the_way_out(tmp_path):
    with pytest.raises(MissingData) as caught:
        load_data("fashion", root=tmp_path / "here", download=False)
    text = str(caught.value)
    assert str(tmp_path / "here" / "FashionMNIST") in text
    assert str(tmp_path / "cache" / "noise-to-data" / "FashionMNIST") in text
    assert "--data" in text and "GEN_DATA" in text


@pytest.fixture
def mirror(monkeypatch):
    """A stand-in for the mirrors: files by name, each a reply or an error."""
    from torchvision.datasets import utils

    replies, asked = {}, []

    def download_url(url, root, filename, md5):
        asked.append(url)
        reply = replies.get(filename, OSError("no route to host"))
        if isinstance(reply, Exception):
            raise reply
        Path(root).mkdir(parents=True, exist_ok=True)
        (Path(root) / filename).write_bytes(reply)

    monkeypatch.setattr(utils, "download_url", download_url)
    return replies, asked


def test_offline_names_every_mirror_and_leaves_nothing(tmp_path, mirror):
    with pytest.raises(MissingData, match="The download failed too: .*no route to host"):
        load_data("fashion")
    assert contents(tmp_path) == {}


def test_a_download_without_torchvision_names_both_ways_out(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)  # import takes that for: not installed
    with pytest.raises(MissingData, match="GEN_DATA.* or install torchvision"):
        load_data("fashion")
    assert contents(tmp_path) == {}


def test_a_download_goes_to_the_cache_and_is_found_there_again(tmp_path, mirror):
    replies, asked = mirror
    expected = write_fashion(tmp_path / "served")
    for path in (tmp_path / "served").rglob("*.gz"):
        replies[path.name] = path.read_bytes()
    for _ in range(2):
        data = load_data("fashion", "test")
        assert torch.equal(data.images, expected["test"].images)
    assert len(asked) == 4
    assert len(contents(tmp_path / "cache" / "noise-to-data")) == 4


def test_a_download_that_stops_half_way_is_taken_up_again(tmp_path, mirror):
    replies, _ = mirror
    write_fashion(tmp_path / "served")
    for path in (tmp_path / "served").rglob("*.gz"):
        replies[path.name] = path.read_bytes()
    labels = replies.pop("t10k-labels-idx1-ubyte.gz")
    with pytest.raises(MissingData):
        load_data("fashion")
    replies["t10k-labels-idx1-ubyte.gz"] = labels
    assert len(load_data("fashion", "test")) == 64


@pytest.mark.parametrize("damage", ["cut", "short", "foreign", "text", "empty"])
def test_a_damaged_file_is_named(damage, tmp_path):
    write_fashion(tmp_path)
    path = tmp_path / "FashionMNIST" / "raw" / "train-images-idx3-ubyte.gz"
    packed = path.read_bytes()
    plain = gzip.decompress(packed)
    path.write_bytes(
        {
            "cut": packed[: len(packed) // 2],
            "short": gzip.compress(plain[: len(plain) // 2]),
            "foreign": gzip.compress(b"PNG" + plain[3:]),
            "text": b"<html>not found</html>",
            "empty": b"",
        }[damage]
    )
    with pytest.raises(MissingData, match="train-images-idx3-ubyte.gz.*download it again"):
        load_data("fashion", "train", tmp_path)


def test_pictures_and_labels_must_be_as_many(tmp_path):
    write_fashion(tmp_path)
    write_idx(tmp_path / "FashionMNIST" / "raw" / "train-labels-idx1-ubyte.gz", np.zeros(5))
    with pytest.raises(MissingData, match="128 pictures and 5 labels"):
        load_data("fashion", "train", tmp_path)


@pytest.mark.parametrize(
    ("name", "split"), [("cifar", "train"), ("fashion", "dev"), (None, "test")]
)
def test_unknown_names_are_refused(name, split, tmp_path):
    with pytest.raises(KnobError, match="choose one of"):
        load_data(name, split, tmp_path)


def test_the_real_set_is_what_it_should_be(monkeypatch):
    monkeypatch.undo()  # here the machine's own places count
    try:
        train, test = (load_data("fashion", s, download=False) for s in ("train", "test"))
    except MissingData as error:
        pytest.skip(str(error))
    assert (len(train), len(test)) == (60_000, 10_000)
    assert train.labels.bincount().tolist() == [6000] * 10
    assert test.labels.bincount().tolist() == [1000] * 10
    assert float(train.images.float().mean()) == pytest.approx(72.94, abs=0.01)


def test_batches_depend_on_seed_and_step_alone():
    data = striped(50)
    one, other = Batches(data, 16, seed=1), Batches(data, 16, seed=1)
    later = other[7]
    for step in range(7):
        one[step]
    assert all(torch.equal(a, b) for a, b in zip(one[7], later, strict=True))
    assert not torch.equal(Batches(data, 16, seed=2)[0][0], one[0][0])


def test_an_epoch_shows_each_picture_at_most_once_in_a_new_order():
    data = striped(48)
    data = type(data)(data.name, data.images, torch.arange(48), data.classes)
    batches = Batches(data, 16, seed=0)
    first = torch.cat([batches[k][1] for k in range(3)])
    second = torch.cat([batches[k][1] for k in range(3, 6)])
    assert first.sort().values.tolist() == second.sort().values.tolist() == list(range(48))
    assert first.tolist() != second.tolist() != list(range(48))
    x, label = batches[0]
    assert torch.equal(x, data.pictures(label))


@pytest.mark.parametrize("size", [0, 65])
def test_a_batch_must_fit_the_set(size):
    with pytest.raises(ValueError, match=f"batch size={size}: choose 1 to 64"):
        Batches(striped(64), size, 0)


def test_the_folder_for_downloads_follows_the_environment(tmp_path, monkeypatch):
    assert fashion.cache_folder() == tmp_path / "cache" / "noise-to-data"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert fashion.cache_folder() == tmp_path / "home" / ".cache" / "noise-to-data"
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # nobody knows the user's home
    assert fashion.cache_folder() == Path(tempfile.gettempdir()) / "noise-to-data"


def test_no_seed_draws_for_two_splits_of_a_data_set():
    ranges = sorted(AVATARS.values(), key=lambda seeds: seeds.start)
    assert len(ranges) > 3 and all(seeds.start < seeds.stop for seeds in ranges)
    assert all(one.stop <= other.start for one, other in itertools.pairwise(ranges))
    assert UNTOUCHED.start > AVATARS["test"].start and UNTOUCHED.stop == AVATARS["test"].stop
    assert len(set(SCENES.values())) == len(SCENES)


def test_every_part_of_text_to_image_learns_from_scenes_of_its_own():
    seeds = [r.seed for name, r in RECIPES.items() if name.startswith("text-to-image-emoji/")]
    assert sorted([*seeds, SCENES["tokenizer"]]) == sorted(SCENES.values())
