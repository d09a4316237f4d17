"""Files that come whole or not at all."""

from pathlib import Path

import pytest

from gen_core.files import in_one_move


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")
    with in_one_move(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_others_may_read_it_whatever_mode_its_writer_chose(tmp_path):
    (tmp_path / "usual").touch()
    with in_one_move(tmp_path / "a.json") as partial:
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
    assert (tmp_path / "a.json").stat().st_mode == (tmp_path / "usual").stat().st_mode


def write_half(path: Path) -> None:
    with in_one_move(path) as partial:
        partial.write_text("half")
        raise OSError("the disk is full")


@pytest.mark.parametrize("before", [None, "old"])
def test_after_an_error_all_is_as_it_was(tmp_path, before):
    path = tmp_path / "a.json"
    if before:
        path.write_text(before)
    with pytest.raises(OSError, match="disk is full"):
        write_half(path)
    assert [file.read_text() for file in tmp_path.iterdir()] == ([before] if before else [])
