"""How bytes reach a peer: a port, so that a simulation can lose, double and delay them."""

from typing import Protocol

from tongcheng.kernel.errors import Refused

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
