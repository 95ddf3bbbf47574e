"""Who calls the REST interface: the hospital behind the bearer token, and how its ids look."""

from typing import Any

from litestar import Request
from litestar.datastructures import State

from tongcheng.kernel import authority
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.running import RunningNode

PATH = "/api/settlement/v1"
ID_PATTERN = r"^[0-9A-Za-z._:-]{1,64}$(?!\n)"

AnyRequest = Request[Any, Any, State]


async def caller_of(request: AnyRequest) -> Caller:
    """Return the hospital behind the bearer token; wrong ones are counted by their address."""
    state = request.app.state
    node: RunningNode = state.node
    address = request.client.host if request.client is not None else ""
    state.refusals.check(address)
    now_at = node.clock.now()
    header = request.headers.get("authorization")
    try:
        return await node.read(lambda snapshot: authority.identify(snapshot, header, now_at))
    except Refused:
        state.refusals.note(address)
        raise
