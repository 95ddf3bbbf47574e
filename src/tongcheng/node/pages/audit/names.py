"""Who the actors of the audit are, in names: the audit itself holds numbers only."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from tongcheng.kernel.access.accounts import STAFF
from tongcheng.kernel.store import Snapshot
from tongcheng.kernel.words import Words
from tongcheng.services.settlement.store import INSTITUTIONS
from tongcheng.web import Page

ACTOR: Final = re.compile(
    r"account/(?P<own>[^ ]+)(?: for account/(?P<other>[^ ]+))?(?P<emergency> in emergency/[^ ]+)?"
)
"""Somebody with an account: for themselves, in a colleague's place, or in an emergency."""

FIXED: Final[Mapping[str, str]] = {
    "console": "node.audit.actor.console",
    "officer": "node.audit.actor.officer",
    "stranger": "node.audit.actor.stranger",
    "visitor": "node.audit.actor.visitor",
}
"""Actors that are no organisation and no account → their words."""


def names_of(snapshot: Snapshot, actors: Iterable[str]) -> dict[str, Words]:
    """Return the names of accounts (by id) and hospitals (by code) among some actors."""
    found: dict[str, Words] = {}
    for actor in set(actors):
        account = ACTOR.fullmatch(actor)
        ids = [] if account is None else [account["own"], account["other"]]
        for account_id in ids:
            row = None if account_id is None else snapshot.get(STAFF, account_id)
            if row is not None:
                found[row.account_id] = Words(row.display_name, row.display_name)
        place = None if account is not None else snapshot.get(INSTITUTIONS, actor)
        if place is not None:
            found[actor] = Words(place.name_zh, place.name_en)
    return found


def who(page: Page, actor: str, names: Mapping[str, Words]) -> str:
    """Return an actor as people call it; a number that nobody here knows stays a number."""
    account = ACTOR.fullmatch(actor)
    if account is not None:
        return _person(page, account, names)
    if actor in FIXED:
        return page.t(FIXED[actor])
    for member in page.console.region.members:
        if member.id == actor:
            return page.voice.of(member.name)
    return _said(page, actor, names)


def _person(page: Page, account: re.Match[str], names: Mapping[str, Words]) -> str:
    name = _said(page, account["own"], names)
    if account["other"] is not None:
        return page.t("node.audit.who.for", name=name, other=_said(page, account["other"], names))
    return page.t("node.audit.who.emergency", name=name) if account["emergency"] else name


def _said(page: Page, number: str, names: Mapping[str, Words]) -> str:
    return page.voice.of(names[number]) if number in names else number
