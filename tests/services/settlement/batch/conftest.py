"""Time to compile: the first test that settles a batch compiles the kernel for this machine."""

from pathlib import Path

import pytest

COMPILING_SECONDS = 600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test of this folder time for it; afterwards the kernel comes from the cache."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(COMPILING_SECONDS))
