"""A file is there whole under its name, or what was there before still is."""

from pathlib import Path

import pytest

from tongcheng.kernel.whole_file import open_whole


def test_a_file_takes_its_name_at_the_end(tmp_path: Path) -> None:
    """Until then the old one has it, and afterwards nothing else lies about."""
    path = tmp_path / "made"
    path.write_bytes(b"old")
    with open_whole(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"

    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["made"]


def stopped_half_way(path: Path) -> None:
    """Begin to write a file, and be interrupted."""
    with open_whole(path) as file:
        file.write(b"new")
        raise KeyboardInterrupt


def test_after_a_fault_nothing_is_left(tmp_path: Path) -> None:
    """The old file keeps its name and its bytes."""
    path = tmp_path / "made"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        stopped_half_way(path)

    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["made"]


def test_a_folder_that_is_not_there_is_the_system_s_fault(tmp_path: Path) -> None:
    """Whoever asked says what it means."""
    with pytest.raises(FileNotFoundError), open_whole(tmp_path / "none" / "made"):
        pytest.fail("it must not open")
