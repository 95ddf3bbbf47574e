"""The table of authority: what stands in it is allowed on its days, everything else is not."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.kernel import region
from tongcheng.kernel.access.table import TABLE_FILE, AuthorityTable, parse
from tongcheng.kernel.errors import Refused

AGENCIES = ("north", "south")
ACTIONS = ("plan.read", "stays.read", "stay.read", "account.manage")
TEXT = """
status: proposal
roles:
- {id: visitor, name: {zh: 访问者, en: Visitor}, does: {zh: 看, en: looks}}
- {id: clerk, name: {zh: 经办, en: Clerk}, does: {zh: 办, en: handles}}
- {id: administrator, name: {zh: 账号管理, en: Administrator}, does: {zh: 管, en: manages}}
versions:
- from_on: 2026-01-01
  rows:
  - {role: visitor, agencies: [north, south], actions: [plan.read]}
  - {role: clerk, agencies: [north, south], actions: [stays.read, stay.read]}
  - {role: administrator, agencies: [north], actions: [account.manage]}
- from_on: 2027-01-01
  rows:
  - {role: visitor, agencies: [north], actions: [plan.read]}
  - {role: clerk, agencies: [north], actions: [stays.read]}
"""
BEFORE, FIRST, LAST, SECOND = (
    date(2025, 12, 31),
    date(2026, 1, 1),
    date(2026, 12, 31),
    date(2027, 1, 1),
)


def _parse(text: str = TEXT) -> AuthorityTable:
    return parse(text, agencies=AGENCIES, actions=ACTIONS)


EXAMPLES = [
    ("clerk", "north", "stay.read", BEFORE, False),
    ("clerk", "north", "stay.read", FIRST, True),
    ("clerk", "south", "stay.read", LAST, True),
    ("clerk", "north", "stay.read", SECOND, False),
    ("clerk", "north", "stays.read", SECOND, True),
    ("clerk", "south", "stays.read", SECOND, False),
    ("clerk", "north", "plan.read", FIRST, True),  # as a visitor may
    ("clerk", "south", "plan.read", SECOND, False),
    ("visitor", "north", "stays.read", FIRST, False),
    ("administrator", "north", "account.manage", FIRST, True),
    ("administrator", "south", "account.manage", FIRST, False),
    ("administrator", "north", "stay.read", FIRST, False),
    ("nobody", "north", "plan.read", FIRST, False),
    ("clerk", "west", "plan.read", FIRST, False),
    ("clerk", "north", "no.such", FIRST, False),
]


@pytest.mark.parametrize(("role", "agency", "action", "on", "allowed"), EXAMPLES)
def test_examples(role: str, agency: str, action: str, on: date, *, allowed: bool) -> None:
    """By role, agency, action and day, as a person would read the table."""
    assert _parse().may(role, agency, action, on) is allowed


@given(
    role=st.sampled_from(["visitor", "clerk", "administrator", "x"]),
    agency=st.sampled_from([*AGENCIES, "x"]),
    on=st.dates(date(2025, 1, 1), date(2028, 12, 31)),
)
def test_laws(role: str, agency: str, on: date) -> None:
    """Roles of an action and actions of a role say the same; nobody may less than a visitor."""
    table = _parse()
    actions = table.actions(role, agency, on)
    by_action = {
        action
        for action in ACTIONS
        if role in {each.id for each in table.roles_for(action, agency, on)}
    }

    assert actions == by_action
    if role != "x":
        assert table.actions("visitor", agency, on) <= actions


BROKEN = [
    ("stay.read]", "stay.raed]", "row 2 (clerk): no such action: stay.raed"),
    ("[north, south], actions: [stays", "[north, west], actions: [stays", "no such agency: west"),
    ("[north, south], actions: [stays", "[north, north], actions: [stays", "north stands twice"),
    ("{role: clerk, agencies: [north]", "{role: cleric, agencies: [north]", "no such role"),
    ("[stays.read, stay.read]", "[stay.read, stay.read]", "action stay.read stands twice"),
    ("[stays.read]", "[]", "no action"),
    ("2027-01-01", "2026-01-01", "not in the order of their days"),
    ("id: clerk", "id: visitor", "visitor stands twice"),
    ("id: administrator", "id: boss", "administrator is missing"),
    ("2027-01-01", "soon", "$.versions[1].from_on"),
    ("status: proposal", "status: law", "$.status"),
    ("status: proposal", "status: proposal\nmore: x", "more"),
    ("status: proposal", "status: &x proposal", "line 2"),
]


@pytest.mark.parametrize(("before", "after", "said"), BROKEN)
def test_a_broken_table_is_refused_where_it_breaks(before: str, after: str, said: str) -> None:
    """A table that names what there is not decides nothing."""
    assert before in TEXT
    with pytest.raises(Refused) as caught:
        _parse(TEXT.replace(before, after, 1))

    assert caught.value.code == "AUTHORITY_MALFORMED"
    assert said in str(caught.value.facts["where"])


def test_a_visitor_is_no_role_to_be_given() -> None:
    """Accounts have the other roles; an unknown one is refused by name."""
    table = _parse()

    assert [role.id for role in table.staff_roles] == ["clerk", "administrator"]
    for unknown in ("visitor", "boss"):
        with pytest.raises(Refused, match="ROLE_UNKNOWN"):
            table.role(unknown)


def test_the_shipped_table_says_that_it_is_a_proposal() -> None:
    """Nobody has adopted it; the file says so in its first lines and in its data."""
    text = (region.PACKS_DIR / "jingjinji" / TABLE_FILE).read_text("utf-8")

    assert "status: proposal" in text
    assert "No\n# agency has adopted it" in text
