"""Field tables against messages: the cases are made from the tables themselves."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import FEN_MAX, parse_scaled
from tongcheng.services.settlement.national_fields import (
    DAY,
    INSTANT,
    NUMBER,
    TEXT,
    Field,
    Node,
    codes,
    profiles,
    tables,
)
from tongcheng.services.settlement.national_messages import (
    Answer,
    Checker,
    Message,
    dress,
    fill,
    number,
    read,
)

INSTITUTION = "H12010100001"
CHECKER = Checker(tables(), codes().aliases, "Asia/Shanghai")
TRANSACTIONS = sorted(tables().transactions)
SAMPLES = {TEXT: "1", NUMBER: "1", INSTANT: "2026-11-22 10:00:00", DAY: "2026-11-22"}


def sample(infno: str) -> dict[str, Any]:
    """Return a message in which every field of every table is filled."""
    table = tables().transactions[infno]
    header = {field.name: SAMPLES[field.kind] for field in tables().header}
    found: dict[str, Any] = {
        node.name: [_filled(node)] if node.is_list else _filled(node) for node in table.request
    }
    own = {
        "infno": infno,
        "msgid": f"{INSTITUTION}202611221800000001",
        "fixmedins_code": INSTITUTION,
        "input": found,
    }
    return {**header, **own}


def _filled(node: Node) -> dict[str, Any]:
    return {field.name: SAMPLES[field.kind] for field in node.fields}


def _check(message: dict[str, Any]) -> Message:
    return _check_bytes(json.dumps(message).encode())


def _check_bytes(raw: bytes) -> Message:
    given = read(raw, "utf-8")
    return CHECKER.message(given, CHECKER.header(given))


def _refusal(message: dict[str, Any]) -> Refused:
    with pytest.raises(Refused) as caught:
        _check(message)
    return caught.value


def _places(infno: str) -> Iterator[tuple[str, Field]]:
    """Yield every (node, field) of a request, its header included."""
    for field in tables().header:
        yield "header", field
    for node in tables().transactions[infno].request:
        for field in node.fields:
            yield node.name, field


def _put(message: dict[str, Any], node: str, field: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(message)
    holder = changed if node == "header" else changed["input"][node]
    (holder[0] if isinstance(holder, list) else holder)[field] = value
    return changed


@pytest.mark.parametrize("infno", TRANSACTIONS)
def test_a_filled_table_is_taken(infno: str) -> None:
    """What the table asks for is accepted, and what it does not know is let be."""
    message = sample(infno)
    node = tables().transactions[infno].request[0].name

    first = _check(message)
    more = _check(_put(_put(message, node, "nobody_knows", {"a": [1]}), "header", "x", "y"))

    assert first.nodes.keys() == {each.name for each in tables().transactions[infno].request}
    assert more.nodes == first.nodes


@pytest.mark.parametrize("infno", TRANSACTIONS)
def test_required_fields(infno: str) -> None:
    """Without a required field, or with it empty, the refusal names node, field and 名称."""
    for node, field in _places(infno):
        for absent in (None, ""):
            message = _put(sample(infno), node, field.name, absent)
            if not field.required:
                _check(message)
                continue
            refusal = _refusal(message)
            named = {"node": node, "field": field.name, "title": field.title}

            assert (refusal.code, refusal.facts) == ("NATIONAL_FIELD_REQUIRED", named)


@pytest.mark.parametrize("infno", TRANSACTIONS)
def test_lengths(infno: str) -> None:
    """A text one character too long is refused with its length; the longest is taken."""
    for node, field in _places(infno):
        keyed = node == "header" and field.name in {"infno", "msgid", "fixmedins_code"}
        if field.kind != TEXT or not field.length or keyed:
            continue
        _check(_put(sample(infno), node, field.name, "长" * field.length))
        refusal = _refusal(_put(sample(infno), node, field.name, "长" * (field.length + 1)))

        assert refusal.code == "NATIONAL_FIELD_LENGTH"
        assert (refusal.facts["field"], refusal.facts["length"]) == (field.name, field.length)


@pytest.mark.parametrize("infno", TRANSACTIONS)
def test_forms(infno: str) -> None:
    """Numbers, instants and days have one form each; objects and flags have none of them."""
    wrong: dict[str, list[Any]] = {
        TEXT: [True, {"a": 1}, ["x"]],
        NUMBER: ["1e3", "+1", "01", "1.", "", " 1", "１", "1,000", "0x1", "9" * 17, True, {}],
        INSTANT: ["2026-11-22", "2026-13-01 00:00:00", "0001-01-01 00:00:00", "9999-01-01 0:0:0"],
        DAY: ["2026-02-30", "20261122", "2026-11-22 10:00:00", "昨天"],
    }
    for node, field in _places(infno):
        for value in wrong[field.kind]:
            if value == "":
                continue
            refusal = _refusal(_put(sample(infno), node, field.name, value))

            assert refusal.code == "NATIONAL_FIELD_FORM", (node, field.name, value)
            assert (refusal.facts["node"], refusal.facts["field"]) == (node, field.name)
            assert str(value) not in map(str, refusal.facts.values())


@pytest.mark.parametrize("infno", TRANSACTIONS)
def test_too_many_decimals(infno: str) -> None:
    """A digit more than the table has is refused, never rounded away."""
    for node, field in _places(infno):
        if field.kind == NUMBER:
            refusal = _refusal(_put(sample(infno), node, field.name, f"1.{'0' * field.decimals}1"))
            assert refusal.code == "NATIONAL_FIELD_FORM"


@pytest.mark.parametrize("written", ["12.3", "12.30", 12.3])
def test_numbers_are_read_from_their_text(written: str | float) -> None:
    """A JSON number and its text are the same fen, and so are 12.3 and 12.30."""
    message = _put(sample("2304"), "data", "medfee_sumamt", written)

    assert _check(message).one("data")["medfee_sumamt"] == 1230


@pytest.mark.parametrize("written", ["1e2", "1E2", "NaN", "Infinity", "-Infinity", "-", "1.2.3"])
def test_numbers_that_are_none(written: str) -> None:
    """Exponents, NaN and the like are refused as JSON numbers too."""
    message = _put(sample("2304"), "data", "medfee_sumamt", "@")
    raw = json.dumps(message).replace('"@"', written).encode()

    with pytest.raises(Refused) as caught:
        _check_bytes(raw)

    assert caught.value.code in {"NATIONAL_FIELD_FORM", "NATIONAL_JSON"}


def test_both_spellings() -> None:
    """A field under its other spelling is the field; two spellings that differ are refused."""
    for other, name in codes().aliases.items():
        holder = "header" if any(f.name == name for f in tables().header) else "data"
        message = sample("2304")
        place = message if holder == "header" else message["input"]["data"]
        value = place.pop(name)
        renamed = _put(message, holder, other, value)

        assert _check(renamed).nodes == _check(sample("2304")).nodes
        both = _put(renamed, holder, name, f"{value[:-1]}3")
        assert _refusal(both).code == "NATIONAL_FIELD_TWICE"


def test_what_a_repeated_message_is() -> None:
    """Time, operator and sign-in do not make another message; its input and divisions do."""
    first = _check(sample("2304")).digest
    same = [
        _put(sample("2304"), "header", "inf_time", "2026-11-22 10:00:01"),
        _put(sample("2304"), "header", "opter", "2"),
        _put(sample("2304"), "header", "sign_no", "another"),
        _put(sample("2304"), "data", "medfee_sumamt", "1.00"),
        _put(sample("2304"), "data", "nobody_knows", ""),
    ]
    other = [
        _put(sample("2304"), "header", "insuplc_admdvs", "2"),
        _put(sample("2304"), "data", "medfee_sumamt", "1.01"),
        _put(sample("2304"), "data", "nobody_knows", "x"),
    ]

    assert {_check(message).digest for message in same} == {first}
    assert first not in {_check(message).digest for message in other}


@pytest.mark.parametrize(
    "msgid",
    ["", "H12010100001", "H12010100002202611221800000001", "H1201010000120261122180000000x"],
)
def test_msgids(msgid: str) -> None:
    """A msgid is the institution's own code, a time and a serial number."""
    code = _refusal({**sample("2304"), "msgid": msgid}).code

    assert code in {"MSGID_MALFORMED", "NATIONAL_FIELD_REQUIRED"}


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\xff{}", "NATIONAL_ENCODING"),
        (b"", "NATIONAL_JSON"),
        (b"[]", "NATIONAL_JSON"),
        (b'{"a":1,"a":2}', "NATIONAL_FIELD_TWICE"),
        (b'{"a":"\\ud800"}', "NATIONAL_TEXT"),
        (b'{"a":"\\u0000"}', "NATIONAL_TEXT"),
        (b'{"a":' * 50 + b"1" + b"}" * 50, "NATIONAL_DEPTH"),
        (b'{"a":' * 100_000, "NATIONAL_DEPTH"),
    ],
)
def test_bytes_that_are_no_message(raw: bytes, code: str) -> None:
    """Each fault of the bytes has its own code."""
    with pytest.raises(Refused) as caught:
        read(raw, "utf-8")

    assert caught.value.code == code


@pytest.mark.parametrize("found", [None, [], "text", {}, {"data": []}, {"data": [{}, {}]}])
def test_nodes_that_are_not_there(found: Any) -> None:
    """A missing node, or a list where there is one object, is refused by its name."""
    assert _refusal({**sample("2304"), "input": found}).code == "NATIONAL_NODE"


def test_unknown_transactions() -> None:
    """What is not offered is refused, and what is offered is named."""
    refusal = _refusal({**sample("2304"), "infno": "2207"})

    assert refusal.code == "NATIONAL_TRANSACTION"
    assert "2304" in str(refusal.facts["offered"])


# writing


@for_all(st.integers(-FEN_MAX, FEN_MAX), st.sampled_from([1, 2, 4, 6]))
def test_numbers_are_written_exactly(value: int, decimals: int) -> None:
    """What is written reads back as the same whole number, with every decimal shown."""
    text = bytes(number(value, decimals)).decode()

    assert parse_scaled(text, decimals) == value
    assert len(text.partition(".")[2]) == decimals


def test_answers_follow_their_tables() -> None:
    """Fields come in the table's order; what is not known is null."""
    node = tables().transactions["2304"].answer_node("setlinfo")

    filled = fill(node, {"setl_id": "s", "hifp_pay": -5})

    assert list(filled) == [field.name for field in node.fields]
    assert bytes(filled["hifp_pay"] or b"") == b"-0.05"  # type: ignore[arg-type]
    assert filled["naty"] is None


def test_profiles_dress_answers() -> None:
    """Encoding and infcode are the profile's; the rest is untouched."""
    written = (
        b'{"infcode":0,"inf_refmsgid":"","refmsg_time":"","respond_time":"","enctype":null,'
        b'"signtype":null,"cainfo":null,"warn_msg":"\xe4\xb8\xad","err_msg":null,'
        b'"output":{"a":1.20}}'
    )

    assert dress(written, "utf-8", "number") == written
    assert dress(written, "gb18030", "string").decode("gb18030") == written.decode().replace(
        '"infcode":0', '"infcode":"0"'
    )
    assert Answer.__struct_fields__[0] == "infcode"


# data


def test_the_data_is_about_fields_that_exist() -> None:
    """Codes, aliases and profiles name fields of the tables, and texts in both languages."""
    known = {field.name for field in tables().header}
    for table in tables().transactions.values():
        for node in (*table.request, *table.answer):
            known |= {field.name for field in node.fields}

    assert set(codes().offered) | set(codes().constants) | set(codes().aliases.values()) <= known
    assert all(len(one.code) <= 6 and one.source for one in codes().funds.values())
    assert all(words.zh and words.en for words in codes().warnings.values())
    assert [profile.name for profile in profiles()] == ["baseline"]
