"""The description of the REST interface, OpenAPI 3.1, at /api/openapi.json and nowhere else.

No viewer is served: the usual ones load their scripts from other hosts.
"""

from importlib.metadata import version
from typing import Any

import msgspec
from litestar import Request
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from tongcheng.node.errors_http import PROBLEM_MEDIA_TYPE, Problem

OPENAPI_PATH = "/api/openapi.json"

_METHODS = {"get", "put", "post", "delete", "patch", "head", "options", "trace"}


class _WithProblems(JsonRenderPlugin):
    """Says of every operation that it may be refused, and in which form."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Render the schema with the problem document as every operation's other answer."""
        _, components = msgspec.json.schema_components(
            [Problem], ref_template="#/components/schemas/{name}"
        )
        schemas = openapi_schema.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(components)
        refusal = {
            "description": "Refused: a stable code, what, why, and what to do.",
            "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for path in openapi_schema["paths"].values():
            for method, operation in path.items():
                if method in _METHODS:
                    # Litestar describes refusals in a form of its own, which we never send.
                    answers = operation.setdefault("responses", {})
                    for status in [each for each in answers if each[0] in "45"]:
                        answers[status] = refusal
                    answers["default"] = refusal
        return self.render_json(request, openapi_schema)


def openapi_config() -> OpenAPIConfig:
    """Return the configuration for the application."""
    return OpenAPIConfig(
        title="Tongcheng node",
        version=version("tongcheng"),
        # The file is the whole folder: beside its documents Litestar serves a page of its own.
        path=OPENAPI_PATH,
        render_plugins=[_WithProblems(path="/")],
        use_handler_docstrings=True,
    )
