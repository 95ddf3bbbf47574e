"""Fixtures that more than one part of the tests uses."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import launch


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole run; tests that ask for it carry `@pytest.mark.browser`."""
    with launch() as opened:
        yield opened
