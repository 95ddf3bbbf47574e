"""The accord's page: who agreed to what, since when, and every version there was."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from tongcheng.kernel import accord as accords
from tongcheng.kernel.adoption import ACCORDS
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Snapshot
from tongcheng.node.core import Node
from tongcheng.node.pages.accord import view
from tongcheng.node.pages.accord.view import DOCUMENTS_PATH, Version
from tongcheng.web import Page
from tongcheng.web.console import ACCORD_PATH
from tongcheng.web.toolkit import AnyRequest, needs

VERSION_SHOWN = 20


@get(ACCORD_PATH, include_in_schema=False, opt=needs("accord.read"))
async def accord_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the version in force, and what each version changed."""
    node: Node = request.app.state["node"]

    def question(snapshot: Snapshot) -> list[Version]:
        return [
            Version(row.adopted_at, accords.parse(row.document)) for row in snapshot.select(ACCORDS)
        ]

    return view.accord(page, await node.read(question), node.clock.now())


@get(DOCUMENTS_PATH + "/{version:int}", include_in_schema=False, opt=needs("accord.read"))
async def accord_file(request: AnyRequest, version: FromPath[int]) -> Response[bytes]:
    """Serve one version as it was signed: the bytes that `tongcheng journal check` reads."""
    node: Node = request.app.state["node"]

    def question(snapshot: Snapshot) -> bytes:
        # One a version, and a handful of them: whatever number is asked for, none is looked up.
        for row in snapshot.select(ACCORDS):
            if row.version == version:
                return row.document
        raise Refused("ACCORD_VERSION_UNKNOWN", version=str(version)[:VERSION_SHOWN])

    name = f'attachment; filename="accord-{version}.json"'
    return Response(
        await node.read(question),
        media_type="application/json",
        headers={"Content-Disposition": name},
    )


HANDLERS: tuple[HTTPRouteHandler, ...] = (accord_page, accord_file)
