"""How bytes reach a peer: a port, so that a simulation can lose, double and delay them."""

from typing import Protocol

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


class Transport(Protocol):
    """Posts bytes to a peer and returns the status and the bytes of its answer."""

    async def post(
        self, address: str, path: str, body: bytes, *, timeout_ms: int
    ) -> tuple[int, bytes]:
        """Post once; raise Unreachable when no answer comes within the time."""
        ...
