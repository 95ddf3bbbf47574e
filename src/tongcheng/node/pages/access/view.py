"""The pages of access from what was read to HTML."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import msgspec
from litestar import Response

from tongcheng.kernel.access.accounts import RoleTerm, StaffRow
from tongcheng.kernel.access.sessions import SessionRow
from tongcheng.kernel.access.table import AuthorityTable
from tongcheng.kernel.audit import AuditRow
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.errors import Refused
from tongcheng.node.pages import words
from tongcheng.web import Badge, Cell, Column, Empty, Page, Row, Table
from tongcheng.web.components import Tone

PASSWORD_FAULTS: Final = frozenset(
    {"PASSWORD_SAME", "PASSWORD_TWICE", "PASSWORD_WEAK", "PASSWORD_WRONG"}
)

_TONES: Final[dict[str, Tone]] = {
    "open": "good",
    "waits": "waiting",
    "locked": "bad",
    "closed": "quiet",
}


class Attempt(msgspec.Struct, frozen=True):
    """Where a reader wants to go, and the name they typed if it went wrong."""

    then: str
    name: str = ""
    failed: bool = False


class Own(msgspec.Struct, frozen=True):
    """One's own account; `here` is the digest of the session that asks."""

    account: StaffRow
    sessions: tuple[SessionRow, ...]
    here: bytes
    entries: tuple[AuditRow, ...]


class TermView(msgspec.Struct, frozen=True):
    """One role as shown: its name, what it does, from when to when, whether it holds today."""

    name: str
    does: str
    span: str
    holds: bool
    number: int


class SampleView(msgspec.Struct, frozen=True):
    """A made-up person as offered on a demonstration node."""

    account_id: str
    name: str
    role: str
    does: str


def sign_in(
    page: Page,
    table: AuthorityTable,
    attempt: Attempt,
    samples: Sequence[StaffRow],
    status: int,
) -> Response[str]:
    """Answer with the form; the title says what happened, and no more to a stranger."""
    key = "failed" if attempt.failed else "title" if attempt.then == "/" else "then"
    order = [role.id for role in table.roles]
    shown = sorted(samples, key=lambda row: [order.index(term.role) for term in row.terms])
    values = {
        "headline": page.t(f"node.access.sign_in.{key}"),
        "attempt": attempt,
        "samples": [_sample(page, table, row) for row in shown],
    }
    return page.render("node/access/sign_in.html", values, status=status)


def _sample(page: Page, table: AuthorityTable, row: StaffRow) -> SampleView:
    terms = _terms(page, table, row)
    return SampleView(
        row.account_id,
        row.display_name,
        page.t("node.access.list").join(term.name for term in terms),
        " ".join(term.does for term in terms),
    )


def own(page: Page, table: AuthorityTable, view: Own, reads: Mapping[str, str]) -> Response[str]:
    """Answer with one's own account; `reads` has the words of what was looked at."""
    others = sum(1 for one in view.sessions if one.secret_digest != view.here)
    values = {
        "headline": page.t(
            "node.access.own.title", name=view.account.display_name, roles=page.roles
        ),
        "account": view.account,
        "terms": _terms(page, table, view.account),
        "actions": sorted(page.t(f"action.{action}") for action in page.reader.actions),
        "sessions": _sessions(page, view),
        "others": others,
        "entries": _entries(page, view.entries, reads),
    }
    return page.render("node/access/own.html", values)


def password(page: Page, fault: str | None, status: int = 200) -> Response[str]:
    """Answer with the form for another password; `fault` is the code of what was wrong."""
    errors = page.console.errors
    said = None
    if fault is not None:
        facts = {"least": 12, "most": 128} if fault == "PASSWORD_WEAK" else {}
        said = errors.render(Refused(fault, **facts), page.language)
    must = page.reader.must_change
    headline = page.t(f"node.access.password.{'must' if must else 'title'}")
    values = {"headline": headline, "fault": said, "must": must}
    return page.render("node/access/password.html", values, status=status)


def accounts(
    page: Page, table: AuthorityTable, rows: Sequence[StaffRow], waits: Mapping[str, int]
) -> Response[str]:
    """Answer with everybody's accounts; the title says how many are in use."""
    in_use = sum(1 for row in rows if row.state == "open")
    values = {
        "headline": page.voice.tn("node.access.accounts.title", in_use),
        "table": _accounts_table(page, table, rows, waits),
        "roles": table.staff_roles,
        "today": _today(page).isoformat(),
    }
    return page.render("node/access/accounts.html", values)


def one(page: Page, table: AuthorityTable, row: StaffRow, waits_until_at: int) -> Response[str]:
    """Answer with one account and what can be done about it."""
    values = {
        "headline": row.display_name,
        "account": row,
        "badge": _badge(page, row, waits_until_at),
        "waits": row.state == "open" and page.console.now() < waits_until_at,
        "terms": _terms(page, table, row),
        "roles": table.staff_roles,
        "today": _today(page).isoformat(),
        "is_own": row.actor == page.reader.actor,
    }
    return page.render("node/access/account.html", values)


def one_time(page: Page, row: StaffRow, given: str) -> Response[str]:
    """Answer with a password that is shown this once."""
    headline = page.t("node.access.one_time.title", name=row.display_name)
    # Nobody is led back to the address of a form: the other language shows the account.
    page = msgspec.structs.replace(page, path=page.href(f"/accounts/{row.account_id}"))
    values = {"headline": headline, "account": row, "given": given}
    return page.render("node/access/one_time.html", values)


def _terms(page: Page, table: AuthorityTable, row: StaffRow) -> tuple[TermView, ...]:
    named = {role.id: role for role in table.roles}
    on = _today(page)
    return tuple(
        TermView(
            page.voice.of(named[term.role].name) if term.role in named else term.role,
            page.voice.of(named[term.role].does) if term.role in named else "",
            _span(page, term),
            term.holds(on),
            number,
        )
        for number, term in enumerate(row.terms)
    )


def _span(page: Page, term: RoleTerm) -> str:
    day = page.voice.day
    if term.to_on is None:
        return page.t("node.access.span.open", begins=day(term.from_on))
    return page.t("node.access.span", begins=day(term.from_on), ends=day(term.to_on))


def _today(page: Page) -> date:
    return local_date(page.console.now(), page.console.region.zone)


def _badge(page: Page, row: StaffRow, waits_until_at: int) -> Badge:
    waits = row.state == "open" and page.console.now() < waits_until_at
    state = "waits" if waits else row.state
    return Badge(page.t(f"node.access.state.{state}"), _TONES[state])


def _accounts_table(
    page: Page, table: AuthorityTable, rows: Sequence[StaffRow], waits: Mapping[str, int]
) -> Table:
    return Table(
        caption=page.t("node.access.accounts.caption"),
        columns=(
            Column(page.t("node.access.display"), main=True),
            Column(page.t("node.access.name")),
            Column(page.t("node.access.roles")),
            Column(page.t("node.access.changed")),
            Column(page.t("node.access.state"), "state"),
        ),
        rows=tuple(
            Row(
                key=row.account_id,
                cells=(
                    Cell(row.display_name),
                    Cell(row.sign_in_name),
                    Cell(_roles_today(page, table, row)),
                    Cell(page.voice.moment(row.changed_at)),
                    Cell(badge=_badge(page, row, waits.get(row.account_id, 0))),
                ),
                link=page.href(f"/accounts/{row.account_id}"),
            )
            for row in sorted(rows, key=lambda each: (each.state == "closed", each.sign_in_name))
        ),
        empty=Empty(
            page.t("node.access.accounts.empty"), page.t("node.access.accounts.empty.text")
        ),
    )


def _roles_today(page: Page, table: AuthorityTable, row: StaffRow) -> str:
    names = [term.name for term in _terms(page, table, row) if term.holds]
    return page.t("node.access.list").join(names) or page.t("node.access.roles.none")


def _sessions(page: Page, view: Own) -> Table:
    voice = page.voice
    return Table(
        caption=page.t("node.access.sessions"),
        columns=(
            Column(page.t("node.access.sessions.since"), main=True),
            Column(page.t("node.access.sessions.seen")),
            Column(page.t("node.access.state"), "state"),
        ),
        rows=tuple(
            Row(
                key=str(number),
                cells=(
                    Cell(voice.moment(one.made_at)),
                    Cell(voice.moment(one.seen_at)),
                    Cell(
                        badge=Badge(page.t("node.access.sessions.here"), "good")
                        if one.secret_digest == view.here
                        else Badge(page.t("node.access.sessions.other"), "quiet")
                    ),
                ),
            )
            for number, one in enumerate(view.sessions)
        ),
        empty=Empty("", ""),
    )


def _entries(page: Page, entries: Sequence[AuditRow], reads: Mapping[str, str]) -> Table:
    return Table(
        caption=page.t("node.access.entries"),
        columns=(
            Column(page.t("node.access.entries.when"), main=True),
            Column(page.t("node.access.entries.what")),
            Column(page.t("node.access.entries.subject"), "code"),
        ),
        rows=tuple(
            Row(
                key=str(one.number),
                cells=(
                    Cell(page.voice.moment(one.at)),
                    Cell(words.action_words(page, reads, one.action)),
                    Cell(one.subject),
                ),
            )
            for one in entries
        ),
        empty=Empty(page.t("node.access.entries.empty"), page.t("node.access.entries.text")),
    )
