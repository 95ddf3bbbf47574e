"""What keeps an application quick to make: a node makes one at its start, and each test its own.

Litestar copies every handler for every application and every path of it.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from litestar import Router, route
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import HTTPRouteHandler


class OwnRouter(Router):
    """A router made for one application, which then need not copy all that is in it."""

    def __deepcopy__(self, memo: dict[int, Any]) -> "OwnRouter":
        """Return itself: Litestar copies what may be given to several applications."""
        return self


def parsed(handlers: Iterable[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """Return the same handlers; those of pages have parsed their signatures, for all their copies.

    Others may not share one: where a handler is described, Litestar's OpenAPI writes into its
    signature.
    """
    given = list(handlers)
    for handler in given:
        if handler.include_in_schema is False:
            assert handler.parsed_fn_signature.parameters is not None
    return given


def refuse_options(handlers: Sequence[HTTPRouteHandler]) -> HTTPRouteHandler:
    """Return what refuses OPTIONS at the addresses of all these handlers.

    Litestar would else make a handler of its own for each address.
    """
    paths = sorted({path for handler in handlers for path in handler.paths})

    @route(paths, http_method=["OPTIONS"], include_in_schema=False)
    async def options() -> None:
        raise MethodNotAllowedException

    return options
