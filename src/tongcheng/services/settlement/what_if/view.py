"""The page of the what-if over a node's own history: groups of persons, never one person."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

import msgspec
from litestar import Response
from markupsafe import Markup

from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.settlement.explain_words import PERSON_TYPE_KEYS
from tongcheng.services.settlement.policy.build import days
from tongcheng.services.settlement.policy.view import Version
from tongcheng.services.settlement.what_if.desk import Run
from tongcheng.services.settlement.what_if.published import OTHERS, is_few, published
from tongcheng.web import Cell, Column, Empty, Page, Row, Table
from tongcheng.web.charts import Balance, balance_bars

if TYPE_CHECKING:
    from tongcheng.services.settlement.what_if.answer import Amount, Answer, Group

WHAT_IF_PATH: Final = "/settlement/what-if"
PERSONS_FOR_DECILES: Final = 50
"""Fewer persons than this make tenths in which one could be found."""
DIGEST_SHOWN: Final = 12
PAYERS: Final = {
    "pool_fen": "settlement.what_if.payer.pool",
    "large_fen": "settlement.what_if.payer.large",
    "catastrophic_fen": "settlement.what_if.payer.catastrophic",
    "assistance_fen": "settlement.what_if.payer.assistance",
    "person_in_scope_fen": "settlement.what_if.payer.persons",
    "catastrophic_expected_fen": "settlement.what_if.payer.catastrophic_expected",
    "assistance_expected_fen": "settlement.what_if.payer.assistance_expected",
}
SCHEMES: Final = {"310": "settlement.scheme.310", "390": "settlement.scheme.390"}
LEVELS: Final = {
    "0": "settlement.level.0",
    "1": "settlement.level.1",
    "2": "settlement.level.2",
    "3": "settlement.level.3",
}
SECTIONS: Final = {
    "insured_area": "settlement.what_if.by.insured_area",
    "visited_area": "settlement.what_if.by.visited_area",
    "scheme": "settlement.what_if.by.scheme",
    "person_type": "settlement.what_if.by.person_type",
    "age": "settlement.what_if.by.age",
    "hospital_level": "settlement.what_if.by.hospital_level",
}


class Option(msgspec.Struct, frozen=True):
    """One version in a list."""

    value: str
    text: str


class Section(msgspec.Struct, frozen=True):
    """A heading, a picture, and the table with the same figures; a note below."""

    key: str
    title: str
    picture: Markup | None
    table: Table | None
    note: str = ""


def page_of(
    page: Page, versions: tuple[Version, ...], now: Run | None, last: Run | None
) -> Response[str]:
    """Answer with the form, what runs now, and the last answer."""
    options = tuple(Option(each.book.digest, named(page, each.book)) for each in versions)
    values: dict[str, object] = {
        "headline": _headline(page, now, last),
        "options": options,
        "action": page.href(WHAT_IF_PATH),
        "now": now,
        "progress": ""
        if now is None
        else page.t(
            "settlement.what_if.progress",
            done=page.voice.number(now.done),
            total=page.voice.number(now.total),
        ),
        "last": None if last is None else _told(page, last),
    }
    return page.render("settlement/what_if.html", values)


def named(page: Page, book: RuleBook) -> str:
    """Return a version's title, its days and the beginning of its digest."""
    title = book.title[page.language]
    return f"{title} · {days(page.voice, book)} · {book.digest[:DIGEST_SHOWN]}"


def _headline(page: Page, now: Run | None, last: Run | None) -> str:
    if now is not None:
        return page.t("settlement.what_if.title.running")
    if last is None or last.answer is None:
        return page.t("settlement.what_if.title")
    cost = last.answer.all.cost_fen
    if is_few(last.answer.all.persons):
        return page.t("settlement.what_if.title.few")
    if cost == 0:
        return page.t("settlement.what_if.title.same")
    amount = page.voice.money(abs(cost))
    if cost > 0:
        return page.t("settlement.what_if.title.more", amount=amount)
    return page.t("settlement.what_if.title.less", amount=amount)


def _told(page: Page, run: Run) -> dict[str, object]:
    """Return what the page says of a replay that is over."""
    old = run.asked.old
    told: dict[str, object] = {
        "at": page.voice.moment(run.finished_at),
        "old": page.t("settlement.what_if.as_it_was") if old is None else named(page, old),
        "new": named(page, run.asked.new),
        "draft": run.asked.new.status == "draft" or (old is not None and old.status == "draft"),
        "fault": _fault(page, run),
        "notes": tuple(_notes(page, run)),
        "facts": (),
        "sections": (),
    }
    if run.answer is not None and not is_few(run.answer.all.persons):
        told["facts"] = _facts(page, run.answer)
        told["sections"] = tuple(_sections(page, run.answer))
    return told


def _fault(page: Page, run: Run) -> str:
    if run.missing:
        return page.t("settlement.what_if.missing", package=run.missing)
    if run.refused is not None:
        said = page.console.errors.render(run.refused, page.language)
        return f"{said.what} {said.do}"
    return "" if run.answer is not None else page.t("settlement.what_if.failed")


def _notes(page: Page, run: Run) -> Iterator[str]:
    answer = run.answer
    if answer is None:
        return
    if is_few(answer.all.persons):
        yield page.t("settlement.what_if.few")
    if run.not_reproduced:
        yield page.voice.tn("settlement.what_if.not_reproduced", run.not_reproduced)
    if run.left_out:
        yield page.voice.tn("settlement.what_if.left_out", run.left_out)
    refused = sum(each.rows for each in answer.not_judged)
    if refused:
        codes = sorted({each.new_code or each.old_code for each in answer.not_judged})
        joined = page.t("web.list").join(codes)
        yield page.voice.tn("settlement.what_if.not_judged", refused, codes=joined)
    yield page.t("settlement.what_if.order")
    if run.backend != "numba":
        yield page.t("settlement.what_if.slow")


def _facts(page: Page, answer: "Answer") -> tuple[tuple[str, str], ...]:
    voice, whole = page.voice, answer.all
    consequences = whole.changed - whole.direct
    return (
        (page.t("settlement.what_if.fact.settlements"), voice.number(whole.settlements)),
        (
            page.t("settlement.what_if.fact.changed"),
            page.t(
                "settlement.what_if.fact.changed.of",
                changed=voice.number(whole.changed),
                direct=voice.number(whole.direct),
                consequences=voice.number(consequences),
            ),
        ),
        (
            page.t("settlement.what_if.fact.gaining"),
            _persons(page, whole, whole.gaining, whole.gained_fen),
        ),
        (
            page.t("settlement.what_if.fact.losing"),
            _persons(page, whole, whole.losing, whole.lost_fen),
        ),
        (page.t("settlement.what_if.fact.even"), _count(page, whole.even)),
    )


def _count(page: Page, persons: int) -> str:
    return page.t("settlement.what_if.fewer") if is_few(persons) else page.voice.number(persons)


def _has_few(whole: "Group") -> bool:
    """Whether few gain or few lose: what the others do, less the whole, would tell of them."""
    return is_few(whole.gaining) or is_few(whole.losing)


def _persons(page: Page, whole: "Group", persons: int, fen: int) -> str:
    if _has_few(whole) or not persons:
        return _count(page, persons)
    return page.t(
        "settlement.what_if.fact.persons",
        persons=page.voice.number(persons),
        amount=page.voice.money(fen),
    )


def _sections(page: Page, answer: "Answer") -> Iterator[Section]:
    yield _persons_section(page, answer)
    yield _payers(page, (*answer.all.amounts, *answer.announced))
    for name, title in SECTIONS.items():
        groups = published(answer.groups[name])
        if name == "age" and all(not group.key for group in answer.groups[name]):
            yield Section(name, page.t(title), None, None, page.t("settlement.what_if.no_ages"))
            continue
        rows = [(_group_name(page, name, group.key), group) for group in groups]
        yield _grouped(page, name, page.t(title), rows)
    if answer.all.persons >= PERSONS_FOR_DECILES:
        yield _deciles(page, answer)
    else:
        title = page.t("settlement.what_if.by.decile")
        yield Section("decile", title, None, None, page.t("settlement.what_if.few.deciles"))


def _group_name(page: Page, dimension: str, key: str) -> str:
    named_keys = {
        "scheme": SCHEMES,
        "person_type": PERSON_TYPE_KEYS,
        "hospital_level": LEVELS,
    }.get(dimension, {})
    general = {"": "settlement.what_if.unknown", OTHERS: "settlement.what_if.others"}
    if key in general or key in named_keys:
        return page.t(general.get(key) or named_keys[key])
    if dimension == "age":
        return page.t("settlement.what_if.age_from", age=key)
    if dimension in {"insured_area", "visited_area"}:
        if key == "elsewhere":
            return page.t("settlement.what_if.elsewhere")
        return page.voice.of(page.console.region.area(key).name)
    return key


def _signed(page: Page, fen: int) -> str:
    return f"+{page.voice.amount(fen)}" if fen > 0 else page.voice.amount(fen)


def _bars(rows: Iterable[tuple[str, int, str]], title: str) -> Markup | None:
    drawn = tuple(Balance(*row) for row in rows)
    return balance_bars(drawn, title) if any(row.value for row in drawn) else None


def _persons_section(page: Page, answer: "Answer") -> Section:
    """Return who gains beside who loses, as a picture: the figures stand above it in words."""
    whole, title = answer.all, page.t("settlement.what_if.by.sign")
    sides = (
        (page.t("settlement.what_if.fact.gaining"), whole.gaining, -whole.gained_fen),
        (page.t("settlement.what_if.fact.losing"), whole.losing, whole.lost_fen),
    )
    rows = [
        (name, 0 if _has_few(whole) else fen, _persons(page, whole, persons, abs(fen)))
        for name, persons, fen in sides
    ]
    note = page.t("settlement.what_if.by.sign.note")
    return Section("sign", title, _bars(rows, title), None, note)


def _payers(page: Page, amounts: "Iterable[Amount]") -> Section:
    title = page.t("settlement.what_if.by.payer")
    told = [
        (page.t(PAYERS[each.payer]), each)
        for each in amounts
        if each.old_fen or each.new_fen or each.payer == "person_in_scope_fen"
    ]
    columns = (
        Column(page.t("settlement.what_if.column.payer"), main=True),
        Column(page.t("settlement.what_if.column.old"), "money"),
        Column(page.t("settlement.what_if.column.new"), "money"),
        Column(page.t("settlement.what_if.column.difference"), "money"),
    )
    rows = tuple(
        Row(
            each.payer,
            (
                Cell(name),
                Cell(page.voice.amount(each.old_fen)),
                Cell(page.voice.amount(each.new_fen)),
                Cell(_signed(page, each.difference_fen)),
            ),
        )
        for name, each in told
    )
    bars = _bars(
        [(name, each.difference_fen, _signed(page, each.difference_fen)) for name, each in told],
        title,
    )
    return Section("payer", title, bars, Table(title, columns, rows, _empty(page)))


def _grouped(
    page: Page, key: str, title: str, groups: "list[tuple[str, Group]]", note: str = ""
) -> Section:
    columns = (
        Column(title, main=True),
        Column(page.t("settlement.what_if.column.settlements"), "number"),
        Column(page.t("settlement.what_if.column.persons"), "number"),
        Column(page.t("settlement.what_if.column.gaining"), "number"),
        Column(page.t("settlement.what_if.column.losing"), "number"),
        Column(page.t("settlement.what_if.column.borne"), "money"),
    )
    rows = tuple(
        Row(
            group.key or "unknown",
            (
                Cell(name),
                Cell(page.voice.number(group.settlements)),
                Cell(page.voice.number(group.persons)),
                Cell(_count(page, group.gaining)),
                Cell(_count(page, group.losing)),
                Cell(_signed(page, -group.cost_fen)),
            ),
        )
        for name, group in groups
    )
    bars = _bars(
        [(name, -group.cost_fen, _signed(page, -group.cost_fen)) for name, group in groups], title
    )
    return Section(key, title, bars, Table(title, columns, rows, _empty(page)), note)


def _deciles(page: Page, answer: "Answer") -> Section:
    title = page.t("settlement.what_if.by.decile")
    told = [
        (
            page.t("settlement.what_if.decile", number=each.number),
            each,
            each.new_person_fen - each.old_person_fen,
        )
        for each in answer.deciles
    ]
    columns = (
        Column(title, main=True),
        Column(page.t("settlement.what_if.column.persons"), "number"),
        Column(page.t("settlement.what_if.column.gaining"), "number"),
        Column(page.t("settlement.what_if.column.losing"), "number"),
        Column(page.t("settlement.what_if.column.borne"), "money"),
    )
    rows = tuple(
        Row(
            f"decile-{each.number}",
            (
                Cell(name),
                Cell(_count(page, each.persons)),
                Cell(_count(page, each.gaining)),
                Cell(_count(page, each.losing)),
                Cell("" if is_few(each.persons) else _signed(page, fen)),
            ),
        )
        for name, each, fen in told
    )
    shown = [(name, fen, _signed(page, fen)) for name, each, fen in told if each.persons >= 1]
    few = any(is_few(each.persons) for _, each, _ in told)
    note = page.t("settlement.what_if.decile.note")
    picture = None if few else _bars(shown, title)
    return Section("decile", title, picture, Table(title, columns, rows, _empty(page)), note)


def _empty(page: Page) -> Empty:
    return Empty(page.t("settlement.what_if.none"), page.t("settlement.what_if.none.text"))
