"""Fixtures that more than one part of the tests uses."""

import gc
from collections.abc import Iterator

import pytest
from hypothesis import settings
from playwright.sync_api import Browser

from tests.browser import launch

# No law is about time, and the first example of a kernel also loads it.
settings.register_profile("laws", deadline=None)
settings.load_profile("laws")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module; tests that ask for it carry `@pytest.mark.browser`.

    Not for the whole run: while it is open its thread has a running loop, in which no test of
    another module could run a coroutine.
    """
    with launch() as opened:
        yield opened


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that share a region of real processes and a crawl of its pages.

    What stands last is taken over by whichever worker is idle, which would start them once more.
    """
    items.sort(key=lambda item: not item.nodeid.startswith("tests/story/"))


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over what stays: modules, and thousands of tests.

    It would else walk through all of them again and again; what tests make, it still sees.
    """
    gc.collect()
    gc.freeze()
