"""A region that has lived, made once for all tests of this folder."""

import shutil
from pathlib import Path

import pytest

from tests.kernel.region_of_nodes import Region, populated
from tests.toy import MEMBERS


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A region that has exchanged, kept books and co-signed, and is closed; never changed."""
    return populated(tmp_path_factory.mktemp("region"))


@pytest.fixture
def folder(lived: Path, tmp_path: Path) -> Path:
    """A copy of its first node's folder, to damage."""
    shutil.copytree(lived / MEMBERS[0], tmp_path / MEMBERS[0])
    return tmp_path / MEMBERS[0]


@pytest.fixture
def region(tmp_path: Path) -> Region:
    """Three nodes that have adopted the accord and nothing else, not opened yet."""
    return Region(tmp_path)
