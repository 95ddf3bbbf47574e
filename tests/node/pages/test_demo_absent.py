"""A node that is no demonstration has no page to break it, and no way to."""

from pathlib import Path

import pytest
from litestar.testing import TestClient

from tests.node.pages import region
from tongcheng.node.line import FOLDER


@pytest.mark.parametrize("path", ["/demo", "/demo/now", "/demo/forged"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_there_is_no_page(tmp_path: Path, method: str, path: str) -> None:
    """Nothing is there, in either language."""
    node = region.node_of(tmp_path, region.FIRST)
    with TestClient(region.console_of(node)) as client:
        answers = [client.request(method, f"/{language}{path}") for language in ("zh", "en")]
        home = client.get("/en/journal").text

    assert [answer.status_code for answer in answers] == [404, 404]
    assert "/en/demo" not in home


@pytest.mark.parametrize("path", ["cut", "heal", "forge"])
def test_posts_change_nothing(tmp_path: Path, path: str) -> None:
    """What the buttons of a demonstration send is unknown here."""
    node = region.node_of(tmp_path, region.FIRST)
    with TestClient(region.console_of(node)) as client:
        answer = client.post(f"/en/demo/{path}", data={"target": "audit"})

    assert answer.status_code == 404
    assert not (tmp_path / FOLDER).exists()
