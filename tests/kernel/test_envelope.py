"""Batches: what is signed, what the evidence proves, and that no bytes whatever pass unsigned."""

import time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import toy
from tests.toy import MEMBERS, NOW_AT, batch, ping
from tongcheng.kernel import canonical, merkle
from tongcheng.kernel.envelope import Batch, Opened, Statement, open_batch, pack
from tongcheng.kernel.errors import Refused

BEIJING, TIANJIN, HEBEI = MEMBERS
ACCORD = toy.toy_accord().accord
PINGS = [ping(n, seq=n) for n in range(1, 6)]
GOOD = batch(*PINGS)


def _open(raw: bytes, lane: str = "act", **changes: Any) -> Opened:
    given_: dict[str, Any] = {"member_id": BEIJING, "now_at": NOW_AT, "lane": lane}
    return open_batch(raw, ACCORD, **(given_ | changes))


def test_batch_opens_as_it_was_packed() -> None:
    """Every envelope comes back in order, as the bytes that were sent."""
    opened = _open(GOOD)

    assert [each.envelope for each in opened.received] == PINGS
    assert [each.raw for each in opened.received] == [each.encoded() for each in PINGS]
    assert opened.statement.count == len(PINGS)
    assert opened.statement.acknowledged == 0


def test_each_envelope_keeps_its_own_evidence() -> None:
    """With its path an envelope is proven by the one signature, without the others."""
    opened = _open(GOOD)
    root = bytes.fromhex(opened.statement.root)
    key = toy.ring_of(TIANJIN).signing.verify_key()

    assert key.verify(opened.statement.signed_bytes(), bytes.fromhex(opened.signature))
    for each in opened.received:
        leaf = merkle.leaf_hash(each.raw)
        assert merkle.verify_inclusion(leaf, each.index, len(PINGS), each.path, root)


def test_empty_batch_is_an_acknowledgement() -> None:
    """Nothing to say but what was taken: signed like everything else."""
    opened = _open(batch(acknowledged=7))

    assert (opened.received, opened.statement.acknowledged) == ([], 7)


def test_signature_is_not_valid_elsewhere() -> None:
    """What was signed for Beijing says nothing to Hebei, nor as a bare statement."""
    statement = _open(GOOD).statement

    assert statement.signed_bytes().startswith(b"tongcheng/batch/1\n")
    with pytest.raises(Refused) as refused:
        _open(GOOD, member_id=HEBEI)
    assert refused.value.code == "WRONG_DESTINATION"


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, len(GOOD) - 1), bit=st.integers(0, 7))
def test_no_changed_bit_passes(at: int, bit: int) -> None:
    """Whichever bit of a batch is turned, it is refused, or means the very same."""
    changed = bytearray(GOOD)
    changed[at] ^= 1 << bit
    try:
        opened = _open(bytes(changed))
    except Refused:
        return

    # Hex digits have two spellings; what they spell is what was signed.
    assert [each.raw for each in opened.received] == [each.encoded() for each in PINGS]
    assert opened.statement == _open(GOOD).statement


@settings(max_examples=200, deadline=None)
@given(raw=st.binary(max_size=300))
def test_any_bytes_are_refused_by_name(raw: bytes) -> None:
    """A stranger's bytes end in a refusal, never in an error of ours."""
    with pytest.raises(Refused):
        _open(raw)


_FIELDS = tuple(Statement.__struct_fields__)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(field=st.sampled_from(_FIELDS), value=_JSON)
def test_any_statement_is_refused_by_name(field: str, value: object) -> None:
    """A statement with anything else in one of its fields is refused, whatever it is."""
    document = msgspec.json.decode(GOOD)
    if document["statement"][field] == value:
        return
    document["statement"][field] = value

    with pytest.raises(Refused):
        _open(msgspec.json.encode(document))


@settings(max_examples=200, deadline=None)
@given(body=_JSON)
def test_any_body_is_opened_or_refused(body: object) -> None:
    """A member's own nonsense, well signed, is refused by name or is a well-formed envelope."""
    document = msgspec.json.decode(PINGS[0].encoded())
    raw = msgspec.json.encode(document | {"body": body}, order="sorted")
    try:
        opened = _open(batch(raw))
    except Refused:
        return

    assert isinstance(body, dict)
    assert opened.received[0].raw == raw == canonical.encode(canonical.decode(raw))


@pytest.mark.parametrize("skew", [0, 1, -1])
@pytest.mark.parametrize("side", [-1, 1])
def test_clock_skew_has_an_edge(side: int, skew: int) -> None:
    """Exactly the skew that the accord allows passes, a millisecond more does not."""
    limit = ACCORD.limits.clock_skew_ms
    raw = batch(PINGS[0], sent_at=NOW_AT + side * (limit + skew))

    if skew <= 0:
        assert _open(raw).received
    else:
        with pytest.raises(Refused) as refused:
            _open(raw)
        assert refused.value.code == "BATCH_STALE"


def test_lanes_do_not_mix() -> None:
    """Acts are numbered from 1, questions are 0; each lane takes its own only."""
    asked = batch(ping(1, seq=0, type="toy.sum/1"))

    assert _open(asked, "ask").received
    for raw, lane in ((asked, "act"), (GOOD, "ask")):
        with pytest.raises(Refused) as refused:
            _open(raw, lane)
        assert refused.value.code == "WRONG_LANE"


def test_same_content_is_the_same_bytes() -> None:
    """Packing is deterministic, so what is sent again is what was sent before."""
    key = toy.ring_of(TIANJIN).signing
    sent = [each.encoded() for each in PINGS]
    parts: dict[str, Any] = {"src": TIANJIN, "dst": BEIJING, "acknowledged": 3, "sent_at": NOW_AT}

    assert pack(key, envelopes=sent, **parts) == pack(key, envelopes=sent, **parts)
    assert bytes(msgspec.json.decode(GOOD, type=Batch).envelopes[0]) == sent[0]


@pytest.mark.parametrize("nonsense", [b'{"envelopes":[' + b"{}," * 1_000_000, b"[" * 8_000_000])
def test_long_nonsense_is_refused_at_once(nonsense: bytes) -> None:
    """Nobody has signed it: looking for its fault must not stop the node for seconds."""
    before = time.monotonic()

    with pytest.raises(Refused) as refused:
        _open(nonsense)
    assert refused.value.code == "BATCH_MALFORMED"
    assert time.monotonic() - before < 2
