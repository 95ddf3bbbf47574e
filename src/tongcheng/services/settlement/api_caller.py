"""Who calls the REST interface: the hospital behind the bearer token, and how its ids look."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from litestar import Request
from litestar.datastructures import State

from tongcheng.kernel import authority
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.running import RunningNode
from tongcheng.kernel.store import Reading

PATH = "/api/settlement/v1"
ID_PATTERN = r"^[0-9A-Za-z._:-]{1,64}$(?!\n)"

AnyRequest = Request[Any, Any, State]
Answer = TypeVar("Answer")


class Unidentified(NamedTuple):
    """Whoever asked is nobody we know; a value, because a question may be refused as well."""

    refusal: Refused


async def caller_of(request: AnyRequest) -> Caller:
    """Return the hospital behind the bearer token; wrong ones are counted by their address."""
    return await ask_as_caller(request, lambda _, caller: caller)


async def ask_as_caller(
    request: AnyRequest, question: Callable[[Reading, Caller], Answer]
) -> Answer:
    """Answer a question of a few look-ups for the hospital behind the bearer token, at once."""
    state = request.app.state
    node: RunningNode = state.node
    address = request.client.host if request.client is not None else ""
    state.refusals.check(address)
    now_at = node.clock.now()
    header = request.headers.get("authorization")

    def as_caller(reading: Reading) -> Answer | Unidentified:
        try:
            caller = authority.identify(reading, header, now_at)
        except Refused as refusal:
            return Unidentified(refusal)
        return question(reading, caller)

    answer = node.glance(as_caller)
    if isinstance(answer, Unidentified):
        state.refusals.note(address)
        raise answer.refusal
    return answer
