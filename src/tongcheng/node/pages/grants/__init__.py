"""What goes beyond one's own roles: delegations, emergency access, and its review afterwards."""

from litestar.handlers import HTTPRouteHandler

from tongcheng.node.pages.grants import delegations, emergency, reviews

HANDLERS: tuple[HTTPRouteHandler, ...] = (
    *delegations.HANDLERS,
    *emergency.HANDLERS,
    *reviews.HANDLERS,
)
