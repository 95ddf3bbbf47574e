"""The node's own pages, one package per page: its handlers, its view, its `texts.yaml`."""

from pathlib import Path

from litestar.handlers import HTTPRouteHandler

from tongcheng.node.pages import access, accord, audit, exchange, grants, journal

HANDLERS: tuple[HTTPRouteHandler, ...] = (
    *access.HANDLERS,
    *accord.HANDLERS,
    *audit.HANDLERS,
    *exchange.HANDLERS,
    *grants.HANDLERS,
    *journal.HANDLERS,
)
TEXTS: tuple[Path, ...] = tuple(sorted(Path(__file__).parent.rglob("texts.yaml")))
