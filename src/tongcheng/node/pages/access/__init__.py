"""Signing in and out, one's own account, and the accounts of everybody for who manages them."""

from litestar.handlers import HTTPRouteHandler

from tongcheng.node.pages.access import manage, own, sign_in

HANDLERS: tuple[HTTPRouteHandler, ...] = (
    *sign_in.HANDLERS,
    *own.HANDLERS,
    *manage.HANDLERS,
)
