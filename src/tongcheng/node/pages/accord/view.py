"""The accord as its template shows it."""

import msgspec
from litestar import Response

from tongcheng.kernel.accord import Accord, AccordKey, AccordMember, SignedAccord
from tongcheng.kernel.calendar import DAY_MS, local_date
from tongcheng.node.pages import words
from tongcheng.node.pages.accord.changes import Change, changes
from tongcheng.web import Badge, Cell, Column, Empty, Page, Row, Table
from tongcheng.web.console import ACCORD_PATH

DOCUMENTS_PATH = ACCORD_PATH + "/documents"
EXPIRES_SOON_MS = 30 * DAY_MS
"""A key that ends within a month is marked: a new version needs every member's signature."""

KID_SHOWN = 16


class Version(msgspec.Struct, frozen=True):
    """One version as this node adopted it."""

    adopted_at: int
    document: SignedAccord

    @property
    def accord(self) -> Accord:
        """What was signed."""
        return self.document.accord


class Key(msgspec.Struct, frozen=True):
    """One key: short and in full, what for, from when until when, and whether it counts now."""

    short: str
    kid: str
    public: str
    use: str
    validity: str
    badge: Badge


class Member(msgspec.Struct, frozen=True):
    """One member with its keys, and whether it signed this version."""

    name: str
    place: str
    colour: str
    address: str
    prefixes: str
    signed: Badge
    keys: tuple[Key, ...]


class Past(msgspec.Struct, frozen=True):
    """One version in the history."""

    number: int
    since: str
    digest: str
    signers: str
    changes: tuple[str, ...]
    path: str
    badge: Badge


def accord(page: Page, versions: list[Version], now_at: int) -> Response[str]:
    """Answer with the version in force and the history."""
    begun = [one for one in versions if one.accord.valid_from_at <= now_at]
    if not begun:
        title = page.t("node.accord.title.none")
        return page.render("node/accord.html", {"headline": title, "current": None})
    current = begun[-1]
    values = {
        "headline": _headline(page, current),
        "current": current,
        "facts": _facts(page, current),
        "members": tuple(_member(page, current, one, now_at) for one in current.accord.members),
        "permits": _permits(page, current.accord),
        "is_open": _is_open(current.accord),
        "limits": _limits(page, current.accord),
        "purses": _purses(page, current.accord),
        "history": tuple(
            _past(page, versions, index, current) for index in reversed(range(len(versions)))
        ),
        "document_path": page.href(f"{DOCUMENTS_PATH}/{current.accord.version}"),
    }
    return page.render("node/accord.html", values)


def _headline(page: Page, current: Version) -> str:
    document = current.document
    count = len(document.accord.members)
    signed = {one.member_id for one in document.signatures}
    key = "all" if len(signed) == count else "some"
    return page.voice.tn(
        f"node.accord.title.{key}", count, version=document.accord.version, signed=len(signed)
    )


def _facts(page: Page, current: Version) -> list[tuple[str, str]]:
    accord_ = current.accord
    return [
        (page.t("node.accord.since"), _since(page, current)),
        (page.t("node.accord.adopted"), _instant(page, current.adopted_at)),
        (page.t("node.accord.signers"), _signers(page, current)),
        (page.t("node.accord.digest"), accord_.digest()),
    ]


def _since(page: Page, version: Version) -> str:
    # An accord of a demonstration may be valid from the beginning of time.
    if version.accord.valid_from_at <= 0:
        return page.t("node.accord.always")
    return _instant(page, version.accord.valid_from_at)


def _instant(page: Page, at: int) -> str:
    """Return an instant with its year: an accord lasts longer than one."""
    on = local_date(at, page.voice.zone)
    return f"{page.voice.day(on)} {page.voice.time(at)}"


def _signers(page: Page, version: Version) -> str:
    names = [words.short(page, one.member_id) for one in version.document.signatures]
    return words.listed(page, names)


def _member(page: Page, current: Version, one: AccordMember, now_at: int) -> Member:
    signed = any(each.member_id == one.member_id for each in current.document.signatures)
    badge = Badge(page.t("node.accord.signed"), "good")
    if not signed:
        badge = Badge(page.t("node.accord.unsigned"), "waiting")
    keys = [_key(page, key, "signing", now_at) for key in one.signing_keys]
    keys += [_key(page, key, "encryption", now_at) for key in one.encryption_keys]
    return Member(
        name=one.name_zh if page.language == "zh" else one.name_en,
        place=words.short(page, one.member_id),
        colour=words.colour(page, one.member_id),
        address=one.address,
        prefixes=page.t("node.list.comma").join(one.admdvs_prefixes),
        signed=badge,
        keys=tuple(keys),
    )


def _key(page: Page, key: AccordKey, use: str, now_at: int) -> Key:
    begins = page.t("node.accord.key.always")
    if key.from_at > 0:
        begins = page.t("node.accord.key.from", instant=_instant(page, key.from_at))
    ends = page.t("node.accord.key.open")
    end_at = min((at for at in (key.to_at, key.revoked_at) if at is not None), default=None)
    if end_at is not None:
        ends = page.t("node.accord.key.until", instant=_instant(page, end_at))
    return Key(
        short=key.kid[:KID_SHOWN],
        kid=key.kid,
        public=key.public,
        use=page.t(f"node.accord.key.{use}"),
        validity=page.t("node.accord.key.validity", begins=begins, ends=ends),
        badge=_key_badge(page, key, end_at, now_at),
    )


def _key_badge(page: Page, key: AccordKey, end_at: int | None, now_at: int) -> Badge:
    if key.revoked_at is not None and key.revoked_at <= now_at:
        return Badge(page.t("node.accord.key.revoked"), "bad")
    if not key.valid(now_at):
        later = now_at < key.from_at
        return Badge(page.t("node.accord.key.later" if later else "node.accord.key.over"), "quiet")
    if end_at is not None and end_at - now_at < EXPIRES_SOON_MS:
        days = -(-(end_at - now_at) // DAY_MS)
        return Badge(page.voice.tn("node.accord.key.soon", days), "waiting")
    return Badge(page.t("node.accord.key.valid"), "good")


def _is_open(found: Accord) -> bool:
    """Tell whether everybody may send everything to everybody."""
    everyone = {one.member_id for one in found.members}
    return all(set(one.src) == set(one.dst) == everyone for one in found.permits)


def _permits(page: Page, found: Accord) -> Table:
    """Return what may be sent; by whom and to whom only where that differs."""
    columns = [
        Column(page.t("node.accord.permit.what"), main=True),
        Column(page.t("node.accord.permit.type"), "code"),
    ]
    if not _is_open(found):
        columns.append(Column(page.t("node.accord.permit.src")))
        columns.append(Column(page.t("node.accord.permit.dst")))
    return Table(
        caption=page.t("node.accord.permits"),
        columns=tuple(columns),
        rows=tuple(_permit(page, found, index) for index in range(len(found.permits))),
        empty=Empty(page.t("node.accord.permits.none"), page.t("node.accord.permits.none.text")),
    )


def _permit(page: Page, found: Accord, index: int) -> Row:
    permit = found.permits[index]
    cells = [Cell(words.type_words(page, permit.type)), Cell(permit.type)]
    if not _is_open(found):
        everyone = {one.member_id for one in found.members}
        for side in (permit.src, permit.dst):
            said = page.t("node.accord.permit.everyone")
            if set(side) != everyone:
                said = words.listed(page, [words.short(page, each) for each in side])
            cells.append(Cell(said))
    return Row(key=f"permit-{index}", cells=tuple(cells))


def _limits(page: Page, found: Accord) -> list[tuple[str, str]]:
    voice, limits = page.voice, found.limits
    kib, second_ms = 1_024, 1_000
    return [
        (
            page.t("node.accord.limit.body"),
            page.t("node.accord.kib", count=voice.number(limits.body_bytes // kib)),
        ),
        (
            page.t("node.accord.limit.batch"),
            page.t("node.accord.kib", count=voice.number(limits.batch_bytes // kib)),
        ),
        (page.t("node.accord.limit.envelopes"), voice.number(limits.batch_envelopes)),
        (
            page.t("node.accord.limit.skew"),
            page.t("node.accord.seconds", count=voice.number(limits.clock_skew_ms // second_ms)),
        ),
    ]


def _purses(page: Page, found: Accord) -> Table | None:
    if not found.purses:
        return None
    return Table(
        caption=page.t("node.accord.purses"),
        columns=(
            Column(page.t("node.accord.scheme"), main=True),
            Column(page.t("node.accord.fund")),
            Column(page.t("node.accord.cleared")),
        ),
        rows=tuple(
            Row(
                key=f"purse-{index}",
                cells=(
                    Cell(words.scheme_words(page, one.scheme)),
                    Cell(words.fund_words(page, one.fund)),
                    Cell(page.t("node.accord.net" if one.net else "node.accord.gross")),
                ),
            )
            for index, one in enumerate(found.purses)
        ),
        empty=Empty("-", "-"),
    )


def _past(page: Page, versions: list[Version], index: int, current: Version) -> Past:
    version = versions[index]
    number = version.accord.version
    badge = Badge(page.t("node.accord.past"), "quiet")
    if version is current:
        badge = Badge(page.t("node.accord.current"), "good")
    elif number > current.accord.version:
        badge = Badge(page.t("node.accord.future"), "waiting")
    said: tuple[str, ...] = (page.t("node.accord.change.first"),)
    if index:
        found = changes(versions[index - 1].accord, version.accord)
        said = tuple(_change(page, one) for one in found)
        said = said or (page.t("node.accord.change.none"),)
    return Past(
        number=number,
        since=_since(page, version),
        digest=version.accord.digest(),
        signers=_signers(page, version),
        changes=said,
        path=page.href(f"{DOCUMENTS_PATH}/{number}"),
        badge=badge,
    )


def _change(page: Page, one: Change) -> str:
    member = words.short(page, one.member_id) if one.member_id else ""
    about = one.about
    if one.what.startswith("permit"):
        about = words.type_words(page, one.about)
    return page.t(f"node.accord.change.{one.what}", member=member, about=about)
