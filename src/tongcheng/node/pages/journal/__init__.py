"""The journal's pages: the proof of one envelope, for whoever wants to check it without us."""

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from tongcheng.kernel import ids
from tongcheng.kernel.journal.proof import prove
from tongcheng.node.core import Node
from tongcheng.web.console import PROOFS_PATH
from tongcheng.web.toolkit import AnyRequest, needs


@get(
    PROOFS_PATH + "/{envelope_id:str}",
    include_in_schema=False,
    opt=needs("journal.entry.read"),
)
async def proof_page(request: AnyRequest, envelope_id: FromPath[str]) -> Response[bytes]:
    """Serve the proof of one envelope, as `tongcheng journal check` reads it, without us."""
    node: Node = request.app.state["node"]
    ids.parse_uuid7(envelope_id)
    document = await node.read(lambda snapshot: prove(snapshot, node.home, envelope_id))
    return Response(
        msgspec.json.format(msgspec.json.encode(document), indent=2),
        media_type="application/json",
    )


HANDLERS: tuple[HTTPRouteHandler, ...] = (proof_page,)
