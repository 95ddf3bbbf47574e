"""Finding where a person is insured (1101): by the area named, the last known, or by asking all.

Nothing is kept here but the trace of a search that found nobody; whoever finds somebody keeps the
row in a command of their own, with `remember`.
"""

import asyncio

import msgspec

from tongcheng.kernel import audit, canonical, sealing
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import Unreachable
from tongcheng.kernel.home import Home
from tongcheng.kernel.running import RunningNode
from tongcheng.kernel.service import Reply
from tongcheng.kernel.store import Reading, Transaction
from tongcheng.services.settlement import identities, visited
from tongcheng.services.settlement.model import (
    PERSON,
    Identity,
    PersonAsk,
    PersonFound,
    PersonQuestion,
    identity_bound_to,
)
from tongcheng.services.settlement.store import PATIENTS, PatientRow

ASK_DEADLINE_MS = 5_000


class Identified(msgspec.Struct, frozen=True):
    """A person found: the row that is kept, and the identity in the clear for the caller."""

    patient: PatientRow
    identity: Identity


async def find(
    node: RunningNode, caller: Caller, id_number: str, admdvs: str | None = None
) -> Identified:
    """Find a person, and keep nothing of them yet; refuses as `ask`."""
    home = node.home
    first = node.glance(lambda s: likely_insurer(s, home, caller, id_number, admdvs))
    return await ask(node, caller, id_number, first)


async def ask(node: RunningNode, caller: Caller, id_number: str, first: str | None) -> Identified:
    """Ask the member that is likely to insure a person, or all where none is.

    Refuses PERSON_NOT_FOUND when every member says no, and names the members that were silent.
    """
    id_index = sealing.index(node.home.ring, id_number)
    candidates = [first] if first else node.home.accord.peers(node.home.member_id)
    if len(candidates) == 1:
        answers = [await _ask(node, candidates[0], id_number)]
    else:
        answers = await asyncio.gather(*(_ask(node, peer, id_number) for peer in candidates))
    found = [one for one in answers if isinstance(one, tuple)]
    if not found:
        silent = [one.peer for one in answers if isinstance(one, Unreachable)]
        if silent:
            raise Refused("PERSON_MEMBERS_SILENT", members=", ".join(silent))
        # Whoever tries numbers leaves a trace here: the members asked know only this node.
        tried = audit.Entry(caller.institution_id, PERSON, id_index, "not found")
        await node.run(lambda tx: audit.note(tx, tried))
        raise Refused("PERSON_NOT_FOUND", asked=", ".join(candidates))
    member, answer, identity = found[0]
    row = PatientRow(
        person_id=answer.person_id,
        insured_member=member,
        admdvs=answer.admdvs,
        scheme=answer.scheme,
        person_type=answer.person_type,
        id_index=id_index,
        identity=sealing.seal(
            node.home.ring,
            canonical.encode(identity),
            identities.column_of(answer.person_id),
            node.home.entropy,
        ),
        seen_at=node.clock.now(),
    )
    return Identified(row, identity)


def remember(tx: Transaction, caller: Caller, row: PatientRow) -> None:
    """Keep a person found, and write into the audit who looked for them."""
    visited.remember_patient(tx, caller, row)
    audit.note(tx, audit.Entry(caller.institution_id, PERSON, row.person_id))


def likely_insurer(
    reading: Reading, home: Home, caller: Caller, id_number: str, admdvs: str | None
) -> str | None:
    """Return who insures a person by the area named or the last known, None where nobody knows.

    Refuses INSTITUTION_UNKNOWN and PERSON_IS_LOCAL.
    """
    visited.institution(reading, caller)
    if admdvs:
        member = home.region.member_of(admdvs, "settlement").id
        if member == home.member_id:
            raise Refused("PERSON_IS_LOCAL", admdvs=admdvs)
        return member
    rows = reading.select(PATIENTS, id_index=sealing.index(home.ring, id_number))
    return max(rows, key=lambda row: row.seen_at).insured_member if rows else None


async def _ask(
    node: RunningNode, peer: str, id_number: str
) -> tuple[str, PersonFound, Identity] | Refused | Unreachable:
    """Ask one member; its no and its silence are values, because others may know."""
    home = node.home
    plain = canonical.encode(PersonQuestion(id_number=id_number))
    bound = identity_bound_to(home.member_id, peer)
    try:
        key = home.accord.encryption_key(peer, node.clock.now())
        question = PersonAsk(sealed=sealing.seal_for(key, plain, bound).hex())
        answer: PersonFound = await node.exchange.ask(
            peer, Reply(PERSON, question), deadline_ms=ASK_DEADLINE_MS
        )
        back = identity_bound_to(peer, home.member_id)
        opened = sealing.open_sealed(home.ring, _hex(answer.sealed), back)
        identity = canonical.decode_as(opened, Identity)
        insurer = home.region.member_of(answer.admdvs, "settlement").id
    except (Refused, Unreachable) as no:
        return no
    if insurer != peer:
        return Refused("PERSON_DIFFERS", scheme=answer.scheme, admdvs=answer.admdvs)
    return peer, answer, identity


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Refused("SEALED_DAMAGED", bound_to="settlement.person") from None
