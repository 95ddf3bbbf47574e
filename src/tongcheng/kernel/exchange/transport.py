"""How bytes reach a peer: a port, so that a simulation can lose, double and delay them."""

from http import HTTPStatus
from typing import Protocol

import msgspec

from tongcheng.kernel.errors import Refused

POST_TIMEOUT_MS = 10_000
"""How long a peer may take to answer what is posted again if it does not."""

INBOX_PATH = "/exchange/inbox"
CATCH_UP_PATH = "/exchange/catch-up"
ASK_PATH = "/exchange/ask"
CHECKPOINT_PATH = "/exchange/checkpoint"


class Unreachable(Exception):
    """No answer came: the peer may or may not have got the bytes."""

    def __init__(self, peer: str, detail: str) -> None:
        super().__init__(f"{peer}: {detail}")
        self.peer = peer
        self.detail = detail


class PeerRefused(Refused):
    """A refusal that `peer` decided: its code may be new to us and its facts are a stranger's."""

    def __init__(self, peer: str, code: str, /, **facts: str | int) -> None:
        super().__init__(code, **facts)
        self.peer = peer


class Transport(Protocol):
    """Posts bytes to a peer and returns the status and the bytes of its answer."""

    async def post(
        self, address: str, path: str, body: bytes, *, timeout_ms: int
    ) -> tuple[int, bytes]:
        """Post once; raise Unreachable when no answer comes within the time."""
        ...


class _RefusalBody(msgspec.Struct):
    """What a peer's refusal of a request says: our error format's code and facts."""

    code: str
    facts: dict[str, str | int] = {}


def accepted(peer: str, status: int, answer: bytes) -> bytes:
    """Return a peer's answer; raise PeerRefused for its decision, Unreachable for its trouble."""
    if status == HTTPStatus.OK:
        return answer
    try:
        body = msgspec.json.decode(answer, type=_RefusalBody)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unreachable(peer, f"answered {status}") from None
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Unreachable(peer, f"answered {status} {body.code}")
    raise PeerRefused(peer, body.code, **body.facts)
