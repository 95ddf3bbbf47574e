"""What keeps an application quick to make: a node makes one at its start, and each test its own.

Litestar copies every handler for every application and every path of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Router, route
from litestar.exceptions import ImproperlyConfiguredException, MethodNotAllowedException
from litestar.handlers import HTTPRouteHandler
from litestar.types.empty import Empty

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from litestar.types import RouteHandlerType
    from litestar.types.internal_types import RouteHandlerMapItem


class OwnRouter(Router):
    """A router made for one application, which then need not copy all that is in it."""

    def __deepcopy__(self, memo: dict[int, Any]) -> OwnRouter:
        """Return itself: Litestar copies what may be given to several applications.

        Raises:
            ImproperlyConfiguredException: one application has it already. Its handlers keep whom
                they let in, and the second application's guards would never be asked.
        """
        if self.owner is not None:
            msg = f"the router {self.path} is another application's; make one for each"
            raise ImproperlyConfiguredException(msg)
        return self

    @classmethod
    def get_route_handler_map(
        cls, value: RouteHandlerType | Router
    ) -> dict[str, RouteHandlerMapItem]:
        """Return Litestar's copy of a handler by its paths, with answers of its own.

        The copy is shallow, and what sets headers, cookies and types of the first answer would
        else set them of all copies' answers.
        """
        found = super().get_route_handler_map(value)
        for methods in found.values():
            for handler in methods.values():
                if isinstance(handler, HTTPRouteHandler):
                    handler._response_handler_mapping = {  # noqa: SLF001 the copy shares it
                        "default_handler": Empty,
                        "response_type_handler": Empty,
                    }
        return found


def parsed(handlers: Iterable[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """Return the same handlers; those of pages have parsed their signatures, for all their copies.

    Others may not share one: where a handler is described, Litestar's OpenAPI writes into its
    signature.
    """
    given = list(handlers)
    for handler in given:
        if handler.include_in_schema is False:
            _parsed = handler.parsed_fn_signature
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
