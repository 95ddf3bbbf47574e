"""What peers post to: acts, questions, checkpoints. Bytes in, bytes out.

Plain ASGI inside the application: its guards, its faults and its headers hold here too, but no
signature is taken apart and no response made, which costs as much as answering a question.
"""

from collections.abc import Awaitable, Callable

import structlog
from litestar import asgi
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import ASGIRouteHandler
from litestar.types import Receive, Scope, Send

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import ASK_PATH, CATCH_UP_PATH, CHECKPOINT_PATH, INBOX_PATH
from tongcheng.node.core import Node
from tongcheng.node.limits import BoundedRequest, read_body, remote_address

ORDINARY = frozenset({"EXPECTED_SEQ", "CHECKPOINT_PROOF_MISSING"})
"""Refusals by which an honest peer learns where to go on: they are not counted against it."""

SERVER_ERRORS = range(500, 600)

Answering = Callable[[bytes], Awaitable[bytes]]

log = structlog.get_logger("tongcheng.node")


def _lane(path: str, answering: Callable[[Node], Answering]) -> ASGIRouteHandler:
    """Return the handler of one path, which hands the body of a post to one method of the node."""

    @asgi(path, name=path, copy_scope=False)
    async def lane(scope: Scope, receive: Receive, send: Send) -> None:
        request = BoundedRequest(scope, receive, send)
        if request.method != "POST":
            raise MethodNotAllowedException
        answer = await _answer(request, answering(request.app.state.node))
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(answer)),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer, "more_body": False})

    return lane


async def _answer(request: BoundedRequest, answering: Answering) -> bytes:
    """Take one post of a peer: bounded, counted when refused, never trusted before its check."""
    state = request.app.state
    node: Node = state.node
    address = remote_address(request)
    state.refusals.check(address)
    try:
        return await answering(await read_body(request, node.home.accord.limits.batch_bytes))
    except Refused as refusal:
        # 5xx is our own trouble and no fault of the sender's.
        status = state.console.errors.entry(refusal.code).status
        if status not in SERVER_ERRORS and refusal.code not in ORDINARY:
            state.refusals.note(address)
            log.info("exchange_refused", code=refusal.code, remote=address)
        raise


LANES = (
    _lane(INBOX_PATH, lambda node: node.exchange.receive),
    _lane(CATCH_UP_PATH, lambda node: node.exchange.catch_up),
    _lane(ASK_PATH, lambda node: node.exchange.answer_ask),
    _lane(CHECKPOINT_PATH, lambda node: node.checkpoints.receive),
)
