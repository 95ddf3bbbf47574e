"""The published description of the REST interface against the interface: what it says, it does.

Schemathesis makes the calls from the description, the same ones every time; a stay and a person
are there, so that some of them find something.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.services.settlement.two_cities import FIRST_HOSPITAL, Running, running
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.services.settlement.api_caller import PATH

DESCRIPTION = "/api/openapi.json"
EXAMPLES = 6
OPERATIONS = 27
SETTLED_NUMBER = 0


class Site:
    """The visited node behind HTTP, on a loop that runs during a call."""

    def __init__(self, at: Running) -> None:
        node = at.cities.tianjin
        app = create_app(node, make_console(node, synthetic=True), run_node=False)
        self._at = at
        self._transport = httpx.ASGITransport(cast("Any", app))
        self.credential = {"Authorization": f"Bearer {at.cities.tokens[FIRST_HOSPITAL]}"}
        at.run(at.cities.settled(SETTLED_NUMBER))

    def call(self, **request: Any) -> httpx.Response:
        """Send one request and return the response, read to its end."""

        async def one() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=self._transport, base_url="http://127.0.0.1"
            ) as client:
                return await client.request(**request)

        return self._at.run(one())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site for all calls."""
    folder: Path = tmp_path_factory.mktemp("site")
    with running(folder) as at:
        yield Site(at)


@pytest.fixture(scope="module")
def described(site: Site) -> Any:
    """The description as the node publishes it."""
    document = site.call(method="GET", url=DESCRIPTION).json()
    return schemathesis.openapi.from_dict(document)


CHECKS = [content_type_conformance, response_schema_conformance, status_code_conformance]
CALLS = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
PARTS = ("method", "url", "headers", "params", "json", "content", "data")


def test_the_interface_is_as_described(site: Site, described: Any) -> None:
    """Every answer has a described status, media type and shape; none is a fault of ours."""
    seen = set()
    for found in described.include(path_regex=f"^{PATH}/").get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy())
        @CALLS
        def check(case: schemathesis.Case[Any]) -> None:
            response = site.call(**_request(site, case))
            seen.add((case.method, case.path))

            assert response.status_code < 500 or response.json()["code"] != "INTERNAL_FAULT"
            case.validate_response(response, checks=CHECKS)

        check()

    assert len(seen) == OPERATIONS


def _request(site: Site, case: schemathesis.Case[Any]) -> dict[str, Any]:
    """Return a generated call as httpx takes it."""
    made = case.as_transport_kwargs(base_url="http://127.0.0.1", headers=site.credential)
    sent = {name: value for name, value in made.items() if name in PARTS and value is not None}
    if isinstance(sent.get("data"), bytes | str):
        sent["content"] = sent.pop("data")
    return sent


def test_every_operation_is_described(site: Site) -> None:
    """OpenAPI 3.1, every operation with its words, and refusals as problem documents."""
    document = site.call(method="GET", url=DESCRIPTION).json()
    ours = {path: item for path, item in document["paths"].items() if path.startswith(PATH)}

    assert document["openapi"].startswith("3.1")
    assert len(ours) == 23
    for path, item in ours.items():
        for operation in item.values():
            assert operation["description"], path
            assert "application/problem+json" in operation["responses"]["default"]["content"]
