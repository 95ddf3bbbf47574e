"""The journal's pages: what this node did and was told, and the proof of each entry of it.

The list shows no content and no id that stands for a person. An entry's page and its proof hold
the content, so each of them is audited, in the reader's name, before it is answered.
"""

import re

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Redirect

from tongcheng.kernel import audit
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.journal import checkpoint as checkpoints
from tongcheng.kernel.store import Snapshot
from tongcheng.node.core import Node
from tongcheng.node.pages.journal import data, entry_view, view
from tongcheng.web import Page
from tongcheng.web.console import ENTRIES_PATH, JOURNAL_PATH, PROOFS_PATH
from tongcheng.web.forms import see_other
from tongcheng.web.toolkit import AnyRequest, needs

FIND_LENGTH_MAX = 300
_UNSAFE_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


@get(JOURNAL_PATH, include_in_schema=False, opt=needs("journal.read"))
async def journal_page(
    page: NamedDependency[Page], request: AnyRequest
) -> Response[str] | Redirect:
    """Serve the journal's state and its latest entries; a query may look for one of them."""
    node: Node = request.app.state["node"]
    query = request.query_params
    wanted = str(query.get("find", "")).strip()[:FIND_LENGTH_MAX]
    if wanted and page.may("journal.entry.read"):
        try:
            name = await node.read(lambda snapshot: data.name_of(snapshot, node.home, wanted))
        except Refused:
            # The page says so beside the field, and shows the list all the same.
            name = ""
        if name:
            return see_other(page, f"{ENTRIES_PATH}/{name}")
    before = str(query.get("before", ""))
    is_index = before.isascii() and before.isdigit() and len(before) < data.NUMBER_DIGITS_MAX
    kind = str(query.get("kind", "")) or None
    found = await node.read(
        lambda snapshot: data.overview(snapshot, node.home, kind, int(before) if is_index else None)
    )
    return view.journal(page, found, wanted)


@get(JOURNAL_PATH + "/checkpoint", include_in_schema=False, opt=needs("journal.read"))
async def checkpoint_text(request: AnyRequest) -> Response[str]:
    """Serve the newest checkpoint with its signatures, in the text of C2SP tlog-checkpoint."""
    node: Node = request.app.state["node"]

    def question(snapshot: Snapshot) -> str:
        row = checkpoints.latest(snapshot)
        if row is None:
            raise Refused("PROOF_TOO_EARLY", id="-")
        return row.note

    return Response(
        await node.read(question),
        media_type="text/plain; charset=utf-8",
        headers=_download(f"checkpoint-{node.home.member_id}.txt"),
    )


@get(ENTRIES_PATH + "/{given:path}", include_in_schema=False, opt=needs("journal.entry.read"))
async def entry_page(
    page: NamedDependency[Page], request: AnyRequest, given: FromPath[str]
) -> Response[str]:
    """Serve one entry with its proof, by `kind/id`, an envelope's id, or its number."""
    found = await _entry(request, given)
    await _note(request, page, found)
    return entry_view.entry(page, found)


@get(PROOFS_PATH + "/{given:path}", include_in_schema=False, opt=needs("journal.entry.read"))
async def proof_file(
    page: NamedDependency[Page], request: AnyRequest, given: FromPath[str]
) -> Response[bytes]:
    """Serve the proof of one entry as `tongcheng journal check` reads it, without us."""
    found = await _entry(request, given)
    if found.document is None:
        raise Refused("PROOF_TOO_EARLY", id=found.name)
    await _note(request, page, found)
    return Response(
        entry_view.proof_text(found.document).encode(),
        media_type="application/json",
        headers=_download(entry_view.proof_file_name(found)),
    )


async def _entry(request: AnyRequest, given: str) -> data.EntryPage:
    node: Node = request.app.state["node"]

    def question(snapshot: Snapshot) -> data.EntryPage:
        name = data.name_of(snapshot, node.home, given.strip("/"))
        return data.entry(snapshot, node.home, node.subtrees, name)

    return await node.read(question)


async def _note(request: AnyRequest, page: Page, found: data.EntryPage) -> None:
    """Write into the audit who reads; under the case, where whoever it is about looks for it."""
    node: Node = request.app.state["node"]
    subject = found.case_id or found.name
    entry = audit.Entry(page.reader.actor, "journal.entry.read", subject, found.name)
    await node.run(lambda tx: audit.note(tx, entry))


def _download(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{_UNSAFE_IN_NAMES.sub("-", name)}"'}


HANDLERS: tuple[HTTPRouteHandler, ...] = (journal_page, checkpoint_text, entry_page, proof_file)
