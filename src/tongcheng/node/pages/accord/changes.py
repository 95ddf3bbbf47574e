"""What one version of the accord changed against the one before, fact by fact."""

from typing import Literal

import msgspec

from tongcheng.kernel.accord import Accord, AccordMember

What = Literal[
    "joined",
    "left",
    "address",
    "prefixes",
    "key_added",
    "key_gone",
    "key_dates",
    "permit_added",
    "permit_gone",
    "permit_parties",
    "purses",
    "limits",
]


class Change(msgspec.Struct, frozen=True):
    """One change: of what kind, of which member ("" for all), and what it is about."""

    what: What
    member_id: str = ""
    about: str = ""


def changes(before: Accord, after: Accord) -> tuple[Change, ...]:
    """Return what is different, members first."""
    found: list[Change] = []
    old = {one.member_id: one for one in before.members}
    new = {one.member_id: one for one in after.members}
    found += [Change("joined", each) for each in new if each not in old]
    found += [Change("left", each) for each in old if each not in new]
    for member_id in new.keys() & old.keys():
        found += _member(old[member_id], new[member_id])
    found += _permits(before, after)
    if before.purses != after.purses:
        found.append(Change("purses"))
    if before.limits != after.limits:
        found.append(Change("limits"))
    return tuple(found)


def _member(old: AccordMember, new: AccordMember) -> list[Change]:
    found = []
    if old.address != new.address:
        found.append(Change("address", new.member_id, new.address))
    if old.admdvs_prefixes != new.admdvs_prefixes:
        found.append(Change("prefixes", new.member_id, ", ".join(new.admdvs_prefixes)))
    before = {key.kid: key for key in (*old.signing_keys, *old.encryption_keys)}
    after = {key.kid: key for key in (*new.signing_keys, *new.encryption_keys)}
    found += [Change("key_added", new.member_id, kid) for kid in after if kid not in before]
    found += [Change("key_gone", new.member_id, kid) for kid in before if kid not in after]
    found += [
        Change("key_dates", new.member_id, kid)
        for kid, key in after.items()
        if kid in before and before[kid] != key
    ]
    return found


def _permits(before: Accord, after: Accord) -> list[Change]:
    old = {one.type: (set(one.src), set(one.dst)) for one in before.permits}
    new = {one.type: (set(one.src), set(one.dst)) for one in after.permits}
    everyone_before = {one.member_id for one in before.members}
    everyone_after = {one.member_id for one in after.members}
    found = [Change("permit_added", about=each) for each in new if each not in old]
    found += [Change("permit_gone", about=each) for each in old if each not in new]
    for each in new.keys() & old.keys():
        # That a new member may send what all may send is said by its joining.
        stayed_open = old[each] == (everyone_before, everyone_before) and new[each] == (
            everyone_after,
            everyone_after,
        )
        if old[each] != new[each] and not stayed_open:
            found.append(Change("permit_parties", about=each))
    return found
