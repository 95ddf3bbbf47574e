"""The format of a file of golden cases: what a case may say, and how it is read.

YAML is read as plain text (`kernel.plain_yaml`), so a number means the same with and without
quotes. A case that is not of the format spoils itself and not the file: it is reported as failed,
by its id. The JSON Schema of the format is made from these types (docs/golden.md explains it).
"""

import re
from collections import Counter
from typing import Annotated, Any, Final, Literal, get_args

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.plain_yaml import Plain, YamlFault, parse
from tongcheng.services.settlement.rules import Category, Filing, PersonType, Subtype, Tier

Kind = Literal["policy", "derived", "formula", "message"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
UNREADABLE: Final = "unreadable"
"""Stands for the kind of a case that is not of the format."""
TEXT_CHARACTERS_MAX: Final = 16 * 1_048_576
_AMOUNT: Final = r"^-?(0|[1-9][0-9]*)(\.[0-9]{1,2})?$"
_DAY: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

FIGURES: Final = {
    "deductible": "deductible_fen",
    "pool": "pool_fen",
    "pool_self": "pool_self_fen",
    "large": "large_fen",
    "large_self": "large_self_fen",
    "burden": "burden_fen",
    "catastrophic": "catastrophic_fen",
    "assistance": "assistance_fen",
    "fund_total": "fund_fen",
    "person_in_scope": "person_in_scope_fen",
    "person_total": "personal_total_fen",
    "personal_total": "personal_total_fen",
    "rounding_residual": "rounding_residual_fen",
}
"""Name of a figure in a case → field of the engine's answer."""
REFUSED: Final = "refused"
"""Instead of figures: the code of the refusal that a case expects."""
EXPECTED: Final = "expected_"
"""Before the name of a fund: what it is to pay later (`expected_catastrophic`)."""

_AmountText = Annotated[str, msgspec.Meta(pattern=_AMOUNT)]
Amount = _AmountText | int | float
"""Yuan, at most two digits after the point, as text; a bare number in YAML is read as its text."""
Number = str | int | float
LevelWord = Literal["0", "1", "2", "3", 0, 1, 2, 3]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | int
_NAMES = "|".join([*FIGURES, REFUSED, EXPECTED + "[a-z0-9_]+"])
Expect = Annotated[
    dict[str, Number | None],
    msgspec.Meta(
        description="Figures in yuan, any subset; or `refused`, the code of a refusal alone.",
        extra_json_schema={"propertyNames": {"pattern": f"^({_NAMES})$"}},
    ),
]
Free = Annotated[
    dict[str, Any],
    msgspec.Meta(description="A rule book of its own; docs/golden.md lists the shapes."),
]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Part of a case as it is typed."""


class Unexplained(_Part, frozen=True, kw_only=True):
    """A published figure that no derivation gives, and what we computed when it was typed."""

    published: Number
    ours: Number | None = None


class Hospital(_Part, frozen=True, kw_only=True):
    """Where the stay was: its level, and a subtype where a rule asks for one."""

    level: LevelWord
    subtype: Subtype | None = None


class Person(_Part, frozen=True, kw_only=True):
    """Who is insured, where one word does not say all."""

    type: str
    tier: Tier | None = None
    category: Category | None = None


class Before(_Part, frozen=True, kw_only=True):
    """Yuan used this year before the case: what funds have paid, what the person has borne.

    `admissions` are those settled before; left out, one less than the case's own number.
    """

    pool: Amount | None = None
    large: Amount | None = None
    deductible: Amount | None = None
    burden: Amount | None = None
    catastrophic: Amount | None = None
    assistance: Amount | None = None
    admissions: Number | None = None


class _Case(_Part, frozen=True, tag_field="kind", kw_only=True):
    """What every case says of itself; `remark` and the like are for people only."""

    id: Id
    title: str = ""
    source: str | list[str] | None = None
    note: str | None = None
    remark: str | None = None
    clause: str | None = None
    url: str | None = None


class Computed(_Case, frozen=True, kw_only=True):
    """A stay, a rule book, and what the engine is to answer."""

    book: str | None = None
    inline_book: Free | None = None
    settled_on: Annotated[str, msgspec.Meta(pattern=_DAY)] | None = None
    person: Person | str | None = None
    hospital: Hospital | LevelWord | None = None
    admission: Number = "1"
    in_scope: Amount
    total: Amount | None = None
    tier: Tier | None = None
    category: Category | None = None
    filing: Filing = "local"
    period: Number = "1"
    before: Before | None = None
    overrides: dict[str, Any] | None = None
    expect: Expect | None = None
    unexplained: dict[str, Unexplained | Number] | None = None


class Policy(Computed, frozen=True, tag="policy", kw_only=True):
    """Inputs and result published, and the result follows from the rule text."""


class Derived(Computed, frozen=True, tag="derived", kw_only=True):
    """Computed by us from a quoted rule text, never published; it guards against change."""


class Formula(Computed, frozen=True, tag="formula", kw_only=True):
    """A published worked example under a rule of its own, which stands in `inline_book`."""


class Message(_Case, frozen=True, tag="message", kw_only=True):
    """A real or live-shaped interface message; `equations` hold between its `fields`."""

    fields: dict[str, Number | None]
    equations: list[str] = []


Case = Policy | Derived | Formula | Message


class CaseFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of cases; ids are unique within it."""

    cases: list[Case]


class Broken(msgspec.Struct, frozen=True):
    """A case that is not of the format, and why."""

    id: str
    kind: str
    title: str
    fault: Refused


def form(where: str, fault: str) -> Refused:
    """Return GOLDEN_FORM for a place in a case."""
    return Refused("GOLDEN_FORM", where=where, fault=fault)


def read_cases(text: str) -> tuple[Case | Broken, ...]:
    """Read a file of cases (YAML, or JSON); refuses GOLDEN_FORM for a file that holds none."""
    if len(text) > TEXT_CHARACTERS_MAX:
        raise form("$", f"more than {TEXT_CHARACTERS_MAX} characters")
    try:
        root = parse(text)
    except YamlFault as fault:
        raise form(where=f"line {fault.line}", fault=str(fault)) from None
    rows = root.get("cases") if isinstance(root, dict) else None
    if not isinstance(root, dict) or not isinstance(rows, list) or not rows:
        raise form("$", "a mapping with a list of cases under `cases`")
    for key in root.keys() - {"cases"}:
        raise form("$", f"{key} beside `cases`")
    cases = tuple(_case(row, at) for at, row in enumerate(rows))
    counted = Counter(str(case.id) for case in cases)
    repeated = [each for each, count in counted.items() if count > 1]
    if repeated:
        raise form("id", f"{repeated[0]} stands twice")
    return cases


def kind_of(case: Case) -> Kind:
    """Return the kind that a case names itself."""
    kind: Kind = msgspec.convert(case.__struct_config__.tag, Kind)
    return kind


def _case(row: Plain, at: int) -> Case | Broken:
    try:
        case: Case = msgspec.convert(row, Case)
    except msgspec.ValidationError as fault:
        what, _, where = str(fault).partition(" - at ")
        said = row if isinstance(row, dict) else {}
        case_id, kind, title = (said.get(name) for name in ("id", "kind", "title"))
        name = case_id if isinstance(case_id, str) and case_id else f"cases[{at}]"
        return Broken(
            id=name,
            kind=kind if isinstance(kind, str) and kind in KINDS else UNREADABLE,
            title=title if isinstance(title, str) else "",
            fault=form(name + where.strip("`").removeprefix("$"), what),
        )
    return case


class Who(msgspec.Struct, frozen=True):
    """Who is insured, in the rules' words."""

    type: PersonType
    tier: Tier | None
    category: Category


_WORDS: Final[dict[str, PersonType | Tier | Category | None]] = {
    "active": "active",
    "worker": "active",
    "working": "active",
    "retired": "retired",
    "retiree": "retired",
    "resident": "resident",
    "adult": "resident",
    "child": "child",
    "student": "child",
    "minor": "child",
    "elder": "elder",
    "elderly": "elder",
    "low": "low",
    "middle": "middle",
    "high": "high",
    "tier": None,
    "general": "general",
    "poor": "poor",
    "assisted": "poor",
    "employee": None,
    "在职": "active",
    "退休": "retired",
    "居民": "resident",
    "儿童": "child",
    "学生": "child",
    "老年人": "elder",
}
"""A word of the person → a type, a tier, a category, or nothing that decides an amount."""


def who(case: Computed) -> Who:
    """Return who is insured: from `person`, `tier` and `category`, each said at most once.

    A compound word is read part by part: `student_child`, `resident_high_tier`, `poor`. A case
    with a book of its own may leave the person out, who then is in work.
    """
    said = case.person if isinstance(case.person, Person) else Person(type=case.person or "")
    if not said.type and case.inline_book is not None:
        said = msgspec.structs.replace(said, type="active")
    if not said.type:
        raise form(str(case.id), "person is missing")
    return who_is(said, f"{case.id}.person", case.tier, case.category)


def who_is(
    said: Person,
    where: str,
    tier: Tier | None = None,
    category: Category | None = None,
) -> Who:
    """Return what words say of a person; refuses GOLDEN_FORM for one unknown or at odds.

    Words without a type, as `poor`, are about a resident; `employee` is somebody in work.
    """
    parts = [part for part in re.split(r"[-_ ]+", said.type) if part]
    found: tuple[set[str], set[str], set[str]] = (set(), set(), set())
    for part in parts:
        if part not in _WORDS:
            raise form(where, f"{part} is no word for a person: {', '.join(_WORDS)}")
        for each, words in zip((PersonType, Tier, Category), found, strict=True):
            if _WORDS[part] in get_args(each):
                words.add(str(_WORDS[part]))
    types, tiers, categories = found
    tiers |= {each for each in (said.tier, tier) if each is not None}
    categories |= {each for each in (said.category, category) if each is not None}
    if "child" in types:
        types.discard("resident")
    for words in found:
        if len(words) > 1:
            raise form(where, f"both {' and '.join(sorted(words))}")
    default = "active" if "employee" in parts else "resident"
    return Who(
        msgspec.convert(next(iter(types), default), PersonType),
        msgspec.convert(next(iter(tiers), None), Tier | None),
        msgspec.convert(next(iter(categories), "general"), Category),
    )


def whole(number: Number, where: str) -> int:
    """Return a number of admissions or periods; `2+` is 2."""
    text = str(number).removesuffix("+")
    if not text.isascii() or not text.isdigit():
        raise form(where, f"{number} is no whole number")
    return int(text)


def schema() -> dict[str, object]:
    """Return the JSON Schema of the format, made from the types above."""
    (top,), parts = msgspec.json.schema_components([CaseFile], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Golden cases",
        **top,
        "$defs": parts,
    }
