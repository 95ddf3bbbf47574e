"""The accord's page: who agreed to what, which keys end soon, and what each version changed."""

import re
from pathlib import Path

import msgspec
import pytest
from litestar.testing import TestClient

from tests.node.pages import region
from tests.node.pages.region import FIRST, LATER_AT, SECOND
from tests.toy import MEMBERS, toy_accord
from tongcheng.kernel import accord as accords
from tongcheng.kernel.accord import Accord, Limits, Permit, SignedAccord
from tongcheng.kernel.calendar import DAY_MS
from tongcheng.node.app import template_folders
from tongcheng.node.console import make_console
from tongcheng.node.pages.accord import view
from tongcheng.node.pages.accord.changes import Change, changes
from tongcheng.node.pages.accord.view import Version
from tongcheng.web import Page, Toolkit

DOCUMENT = toy_accord(MEMBERS)
ACCORD = DOCUMENT.accord


def _with(accord: Accord, **fields: object) -> Accord:
    return msgspec.structs.replace(accord, **fields)


def _member(index: int, **fields: object) -> Accord:
    members = list(ACCORD.members)
    members[index] = msgspec.structs.replace(members[index], **fields)
    return _with(ACCORD, members=members)


KEY = ACCORD.members[0].signing_keys[0]
OTHER_KEY = msgspec.structs.replace(KEY, kid="ed25519:0000000000000000")
CHANGES: list[tuple[Accord, list[Change]]] = [
    (ACCORD, []),
    (_with(ACCORD, version=2), []),
    (_with(ACCORD, members=ACCORD.members[:2]), [Change("left", MEMBERS[2])]),
    (_member(0, address="https://new"), [Change("address", FIRST, "https://new")]),
    (_member(0, admdvs_prefixes=["11"]), [Change("prefixes", FIRST, "11")]),
    (_member(0, signing_keys=[KEY, OTHER_KEY]), [Change("key_added", FIRST, OTHER_KEY.kid)]),
    (_member(0, signing_keys=[]), [Change("key_gone", FIRST, KEY.kid)]),
    (
        _member(0, signing_keys=[msgspec.structs.replace(KEY, to_at=5)]),
        [Change("key_dates", FIRST, KEY.kid)],
    ),
    (_with(ACCORD, permits=ACCORD.permits[1:]), [Change("permit_gone", about="toy.ping/1")]),
    (
        _with(ACCORD, permits=[Permit("toy.ping/1", [FIRST], [SECOND]), *ACCORD.permits[1:]]),
        [Change("permit_parties", about="toy.ping/1")],
    ),
    (_with(ACCORD, limits=Limits(body_bytes=1)), [Change("limits")]),
]


@pytest.mark.parametrize(("after", "expected"), CHANGES)
def test_what_a_version_changed(after: Accord, expected: list[Change]) -> None:
    """Each single change is named once, and turned round it is its opposite."""
    found = [one for one in changes(ACCORD, after) if not _follows(one, after)]

    assert found == expected


def _follows(one: Change, after: Accord) -> bool:
    """Tell whether a change of a permit only says again that a member left."""
    return one.what == "permit_parties" and len(after.members) < len(ACCORD.members)


def _shown(folder: Path, *documents: SignedAccord) -> str:
    node = region.node_of(folder, FIRST)
    toolkit = Toolkit(make_console(node, nav=()), template_folders(node))
    versions = [Version(1, document) for document in documents]
    page = Page(toolkit, "en", "/en/accord")
    return str(view.accord(page, versions, LATER_AT).content)


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        ({}, "Valid"),
        ({"to_at": LATER_AT + 3 * DAY_MS}, "Ends within 3 days"),
        ({"to_at": LATER_AT + 1}, "Ends within 1 day"),
        ({"to_at": LATER_AT + 31 * DAY_MS}, "Valid"),
        ({"to_at": LATER_AT}, "Over"),
        ({"from_at": LATER_AT + 1}, "Not yet valid"),
        ({"revoked_at": LATER_AT}, "Revoked"),
        ({"revoked_at": LATER_AT + DAY_MS}, "Ends within 1 day"),
    ],
)
def test_keys_that_end_are_marked(tmp_path: Path, dates: dict[str, int], said: str) -> None:
    """A key says whether it counts now, and for how long still when that is short."""
    accord = _member(0, signing_keys=[msgspec.structs.replace(KEY, **dates)])

    text = _shown(tmp_path, SignedAccord(accord, []))

    first = text.split("<article")[1]
    assert said in first


def test_the_title_says_who_signed(tmp_path: Path) -> None:
    """Signed by all, or by so many; the history has both versions with their digests."""
    second = SignedAccord(_with(ACCORD, version=2, previous=ACCORD.digest()), [])

    one = _shown(tmp_path / "a", DOCUMENT)
    two = _shown(tmp_path / "b", DOCUMENT, second)

    assert "<h1>Version 1 is in force: 3 members, signed by all</h1>" in one
    assert "<h1>Version 2 is in force: 3 members, signed by 0</h1>" in two
    assert two.count("accord-digest") == 2
    assert ACCORD.digest() in two
    assert "Says the same as the one before." in two


def test_the_document_is_handed_out_as_it_was_signed(tmp_path: Path) -> None:
    """The bytes verify; a version that was never adopted is refused by name."""
    folder = region.lived(tmp_path)
    with TestClient(region.console_of(region.node_of(folder, FIRST))) as client:
        page = client.get("/zh/accord").text
        path = re.findall(r'href="(/zh/accord/documents/1)"', page)[0]
        document = client.get(path)
        unknown = client.get("/en/accord/documents/7")
        beyond = client.get(f"/en/accord/documents/{2**70}")

    accords.check_signatures(accords.parse(document.content), None)
    assert unknown.status_code == 404
    assert "ACCORD_VERSION_UNKNOWN" in unknown.text
    assert beyond.status_code in {400, 404}
