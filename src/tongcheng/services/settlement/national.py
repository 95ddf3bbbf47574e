"""The national shape (国家医保接口): one gateway for hospital systems that speak it already.

`Edge.answer` is a function from bytes to bytes and knows nothing of HTTP, so that a simulator
calls what a hospital calls. Every answer is a document under HTTP 200, also a refusal: real
clients take any other status as "reverse it". A refusal has infcode -1 and the err_msg
"[CODE] what · what to do"; nothing is stored for it, unless it is the insured side's decision.
"""

import traceback
from typing import Any

import msgspec
import structlog
from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.exceptions import InternalServerException
from litestar.handlers import HTTPRouteHandler

from tongcheng.kernel import authority, ids
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.calendar import local_text
from tongcheng.kernel.errors import Catalogue, Refused
from tongcheng.kernel.exchange.transport import PeerRefused, Unreachable
from tongcheng.kernel.running import RunningNode
from tongcheng.kernel.store.writer import WriterStopped
from tongcheng.services.settlement import national_messages, national_sign
from tongcheng.services.settlement.desk import HOSPITAL_WAIT_MS, Desk
from tongcheng.services.settlement.national_call import Call, Done
from tongcheng.services.settlement.national_fields import Profile, codes, profiles, tables
from tongcheng.services.settlement.national_messages import Answer, Checker, Header, Message
from tongcheng.services.settlement.national_work import TRANSACTIONS
from tongcheng.services.settlement.preflight import BillRefused
from tongcheng.services.settlement.store import INSTITUTIONS

BODY_BYTES_MAX = 1_048_576
"""The longest message is an upload of lines; the specification gives `input` 40,000 characters."""
ERROR_CHARACTERS_MAX = 2_000
FRAMES_LOGGED_MAX = 12
SERIAL_DIGITS = 10
NOWHERE = "000000"
"""The receiver's division in an answer to nobody we know."""
SIGN_IN = "9001"
MEDIA_TYPE = "application/json"

log = structlog.get_logger("tongcheng.settlement")


class Edge:
    """One profile's gateway over a running node."""

    def __init__(
        self,
        node: RunningNode,
        errors: Catalogue,
        profile: Profile,
        *,
        wait_ms: int = HOSPITAL_WAIT_MS,
    ) -> None:
        self._node = node
        self._errors = errors
        self._profile = profile
        self._desk = Desk(node, wait_ms=wait_ms)
        self._checker = Checker(tables(), codes().aliases, node.home.region.zone)

    async def identify(self, credential: str | None) -> Caller:
        """Return the caller behind the profile's header, or refuse without saying why."""
        scheme, given = self._profile.scheme, credential or ""
        if scheme:
            word, _, given = given.partition(" ")
            if word.lower() != scheme.lower():
                raise Refused("CREDENTIAL_MISSING")
        now_at = self._node.clock.now()
        return self._node.glance(lambda s: authority.identify(s, f"Bearer {given}", now_at))

    async def answer(self, caller: Caller, raw: bytes, path_infno: str | None = None) -> bytes:
        """Answer one message of an identified caller, whatever its bytes are."""
        received_at = self._node.clock.now()
        row = self._node.glance(lambda s: s.get(INSTITUTIONS, caller.institution_id))
        division = NOWHERE if row is None else row.admdvs
        try:
            if row is None:
                raise Refused("INSTITUTION_UNKNOWN", institution=caller.institution_id)
            written = await self._answer(caller, raw, path_infno, (division, received_at))
        except Exception as fault:  # noqa: BLE001 every fault is an answer, and a bug is logged
            refused = self._named(fault)
            now_at = self._node.clock.now()
            written = self._write((division, received_at), now_at, Done({}, [], refused))
        return self._dressed(written)

    def refuse(self, refused: Refused) -> bytes:
        """Answer somebody who could not even be identified."""
        now_at = self._node.clock.now()
        return self._dressed(self._write((NOWHERE, now_at), now_at, Done({}, [], refused)))

    async def _answer(
        self, caller: Caller, raw: bytes, path_infno: str | None, seen: tuple[str, int]
    ) -> bytes:
        given = national_messages.read(raw, self._profile.encoding)
        header = self._checker.header(given)
        authority.require(caller, header.fixmedins_code)
        if path_infno is not None and path_infno != header.infno:
            raise Refused("NATIONAL_PATH", infno=national_messages.shown(header.infno))
        self._checker.table(header.infno)
        self._check_place(header)
        if self._profile.sign_in_required and header.infno != SIGN_IN:
            now_at = self._node.clock.now()
            self._node.glance(lambda s: national_sign.check(s, caller, header.sign_no, now_at))
        message = self._checker.message(given, header)
        _check_offered(message)
        call = Call(
            desk=self._desk,
            caller=caller,
            message=message,
            write=lambda now_at, done: self._write(seen, now_at, done),
        )
        return await TRANSACTIONS[header.infno](call)

    def _check_place(self, header: Header) -> None:
        """Refuse a message that is meant for another place's node."""
        home = self._node.home
        if home.region.member_of(header.mdtrtarea_admvs, "settlement").id != home.member_id:
            raise Refused("MDTRTAREA_NOT_HERE", member=home.member_id)

    def _write(self, seen: tuple[str, int], now_at: int, done: Done) -> bytes:
        """Write an answer in our own form: UTF-8, infcode as a number."""
        division, received_at = seen
        zone = self._node.home.region.zone
        second = _compact(local_text(now_at, zone))
        serial = int.from_bytes(self._node.home.entropy.bytes(8), "big") % 10**SERIAL_DIGITS
        warned = [f"[{code}] {codes().warnings[code].zh}" for code in done.warnings]
        answer = Answer(
            infcode=-1 if done.refused else 0,
            inf_refmsgid=f"{division}{second}{serial:0{SERIAL_DIGITS}d}",
            refmsg_time=_milliseconds(received_at, zone),
            respond_time=_milliseconds(now_at, zone),
            enctype=None,
            signtype=None,
            cainfo=None,
            warn_msg=" ".join(warned) or None,
            err_msg=self._say(done.refused) if done.refused else None,
            output=msgspec.Raw(msgspec.json.encode(done.output or None)),
        )
        return msgspec.json.encode(answer)

    def _dressed(self, written: bytes) -> bytes:
        return national_messages.dress(written, self._profile.encoding, self._profile.infcode)

    def _say(self, refused: Refused) -> str:
        """Put a refusal into the one line that a cashier sees."""
        try:
            words = self._errors.render(refused, "zh")
        except AssertionError:
            if not isinstance(refused, PeerRefused):
                raise
            # A peer may decide under a code that is newer than this node.
            code = national_messages.shown(refused.code)
            named = Refused("PEER_REFUSED", member=refused.peer, refusal=code)
            words = self._errors.render(named, "zh")
        said = f"[{words.code}] {words.what} · {words.do}"
        if isinstance(refused, BillRefused) and refused.others:
            said += f" · 另有：{' '.join(f'[{code}]' for code in refused.others)}"
        return said[:ERROR_CHARACTERS_MAX]

    def _named(self, fault: Exception) -> Refused:
        """Return a fault as a refusal; what is our own bug is logged without anybody's data."""
        if isinstance(fault, Refused):
            return fault
        if isinstance(fault, WriterStopped):
            return Refused("NODE_STOPPING")
        if isinstance(fault, Unreachable):
            return Refused("INSURED_SIDE_SILENT", member=fault.peer)
        incident = ids.random_short(self._node.home.entropy)
        frames = traceback.extract_tb(fault.__traceback__)[-FRAMES_LOGGED_MAX:]
        places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        log.error("incident", incident=incident, fault=type(fault).__name__, frames=places)
        return Refused("INTERNAL_FAULT", incident=incident)


def _check_offered(message: Message) -> None:
    """Refuse values of coded fields that this node does not work with."""
    table = tables().transactions[message.header.infno]
    offered = codes().offered
    for node in table.request:
        for field in node.fields:
            values = offered.get(field.name)
            for one in message.nodes[node.name] if values else ():
                if field.name in one and one[field.name] not in (values or ()):
                    raise Refused(
                        "NATIONAL_FIELD_VALUE",
                        node=node.name,
                        field=field.name,
                        title=field.title,
                        offered=", ".join(values or ()),
                    )


def _compact(local: str) -> str:
    return "".join(character for character in local if character.isdecimal())


def _milliseconds(at: int, zone: str) -> str:
    return f"{_compact(local_text(at, zone))}{at % 1_000:03d}"


# HTTP


async def _body(request: Request[Any, Any, State]) -> bytes:
    """Read a body of at most BODY_BYTES_MAX, and stop reading where it exceeds them."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                raise Refused("NATIONAL_TOO_LARGE", limit=BODY_BYTES_MAX)
    except InternalServerException:
        # Litestar's word for a client that hung up; nobody will read the answer.
        raise Refused("NATIONAL_JSON", at=len(body)) from None
    return bytes(body)


def route_of(profile: Profile) -> HTTPRouteHandler:
    """Return the route of a profile: its gateway path, or one path per transaction."""
    path = profile.path + ("/{infno:str}" if profile.per_transaction else "")

    @post(
        path,
        name=f"national {profile.name}",
        status_code=200,
        include_in_schema=False,
        request_max_body_size=None,
    )
    async def national(request: Request[Any, Any, State]) -> Response[bytes]:
        """Answer one message of a hospital's system."""
        state = request.app.state
        edge = Edge(state.node, state.console.errors, profile)
        address = request.client.host if request.client is not None else ""
        content_type = f"{MEDIA_TYPE}; charset={profile.encoding}"
        try:
            state.refusals.check(address)
            raw = await _body(request)
            caller = await edge.identify(request.headers.get(profile.header))
        except Refused as refused:
            if refused.code.startswith("CREDENTIAL_"):
                state.refusals.note(address)
            return Response(edge.refuse(refused), media_type=content_type)
        answered = await edge.answer(caller, raw, request.path_params.get("infno"))
        return Response(answered, media_type=content_type)

    return national


ROUTES = tuple(route_of(profile) for profile in profiles())
