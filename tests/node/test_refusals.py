"""What a node refuses over HTTP, each under its own code, and that a refusal changes nothing.

One case a line: what is posted, and the code that answers. The node has taken one ping (seq 1)
from Tianjin before; the digest is over every value of every table.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests import toy
from tests.toy import MEMBERS, NOW_AT, batch, ping
from tongcheng.kernel import canonical
from tongcheng.kernel.accord import AccordKey, Limits
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.envelope import Batch, Envelope
from tongcheng.kernel.exchange.transport import ASK_PATH, CATCH_UP_PATH, INBOX_PATH
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.node.core import Node
from tongcheng.node.limits import RefusalLimiter

BEIJING, TIANJIN, HEBEI = MEMBERS
LIMITS = Limits(body_bytes=2_000, batch_bytes=20_000, batch_envelopes=4)
FIRST = ping(1, seq=1)
SKEW = LIMITS.clock_skew_ms


class Running(NamedTuple):
    """A node behind its HTTP application, and where its database lies."""

    client: TestClient[Litestar]
    app: Litestar
    folder: Path
    clock: ManualClock


def _key(salt: str, **times: int) -> AccordKey:
    key = toy.ring_of(TIANJIN, salt).signing
    return AccordKey(key.kid, "ed25519-sha256-aes256gcm", key.public.hex(), 0, **times)


def _document() -> Any:
    """Return an accord in which Tianjin has a key, one that is over, and one that was revoked."""
    keys = [_key(""), _key("old", to_at=NOW_AT - 1), _key("stolen", revoked_at=NOW_AT - 1)]
    return toy.toy_accord(limits=LIMITS, keys={TIANJIN: keys})


def _node(folder: Path, clock: ManualClock) -> Node:
    """Return Beijing's node under the accord; by itself it changes nothing in its store."""
    node = toy.toy_node(folder, BEIJING, toy.Nowhere(), clock, threaded=True, quiet=True)
    toy.adopt(node, _document())
    return node


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Beijing's node, which has taken Tianjin's first ping and one question."""
    folder = tmp_path_factory.mktemp("beijing")
    clock = ManualClock(NOW_AT)
    node = _node(folder, clock)
    app = create_app(node, make_console(node))
    with TestClient(app) as client:
        assert client.post(INBOX_PATH, content=batch(FIRST)).status_code == 200
        assert client.post(ASK_PATH, content=batch(_question("asked"))).status_code == 200
        yield Running(client, app, folder, clock)


@pytest.fixture(autouse=True)
def _patient(running: Running) -> None:
    """Forget the refusals of the cases before."""
    running.app.state.refusals = RefusalLimiter(running.clock)


def _question(salt: str, **changes: Any) -> Envelope:
    fields = {"type": "toy.sum/1", "not_after": NOW_AT + 1_000}
    return ping(1, seq=0, salt=salt, **(fields | changes))


def _body(text: bytes) -> bytes:
    """Return a well signed batch whose envelope has these bytes in place of its body."""
    return batch(ping(1, seq=2).encoded().replace(b'{"n":1}', text))


def _bent(raw: bytes, change: Callable[[Batch], Batch]) -> bytes:
    return msgspec.json.encode(change(msgspec.json.decode(raw, type=Batch)))


def _flipped_signature(found: Batch) -> Batch:
    other = "0" if found.signature[0] != "0" else "1"
    return msgspec.structs.replace(found, signature=other + found.signature[1:])


def _changed_body(found: Batch) -> Batch:
    changed = bytes(found.envelopes[0]).replace(b'{"n":1}', b'{"n":2}')
    return msgspec.structs.replace(found, envelopes=[msgspec.Raw(changed)])


def _changed_statement(**changes: Any) -> Callable[[Batch], Batch]:
    def change(found: Batch) -> Batch:
        statement = msgspec.structs.replace(found.statement, **changes)
        return msgspec.structs.replace(found, statement=statement)

    return change


SECOND = ping(1, seq=2)
REUSED = ping(9, seq=2, id=FIRST.id)
MANY = [ping(1, seq=seq) for seq in range(2, 7)]
LONG = "長" * 1_000

INBOX: dict[str, tuple[bytes, str]] = {
    # who sends
    "a stranger": (batch(SECOND, src=HEBEI), "MEMBER_UNKNOWN"),
    "a stranger in a member's name": (batch(SECOND, salt="stranger"), "KEY_UNKNOWN"),
    "ourselves": (batch(SECOND, src=BEIJING), "MEMBER_UNKNOWN"),
    "a key that is over": (batch(SECOND, salt="old"), "KEY_NOT_VALID"),
    "a key that was revoked": (batch(SECOND, salt="stolen"), "KEY_NOT_VALID"),
    "a signature broken": (_bent(batch(SECOND), _flipped_signature), "SIGNATURE_BROKEN"),
    "a body changed": (_bent(batch(SECOND), _changed_body), "SIGNATURE_BROKEN"),
    "an acknowledgement changed": (
        _bent(batch(SECOND), _changed_statement(acknowledged=1)),
        "SIGNATURE_BROKEN",
    ),
    # to whom
    "a batch for another": (batch(SECOND, dst=HEBEI), "WRONG_DESTINATION"),
    "an envelope for another": (batch(ping(1, seq=2, dst=HEBEI)), "WRONG_DESTINATION"),
    "an envelope of another": (batch(ping(1, seq=2, src=HEBEI)), "ENVELOPE_NOT_OF_SENDER"),
    # when, and in which order
    "a stale batch": (batch(SECOND, sent_at=NOW_AT - SKEW - 1), "BATCH_STALE"),
    "a batch from the future": (batch(SECOND, sent_at=NOW_AT + SKEW + 1), "BATCH_STALE"),
    "a gap": (batch(ping(1, seq=3)), "EXPECTED_SEQ"),
    "a number taken by another": (batch(ping(1, seq=1, salt="new")), "SEQ_ALREADY_TAKEN"),
    "an id with other bytes": (batch(REUSED), "ENVELOPE_ID_REUSED"),
    "an order turned round": (batch(ping(1, seq=3), SECOND), "BATCH_OUT_OF_ORDER"),
    "acts acknowledged that were not sent": (batch(acknowledged=9), "ACKNOWLEDGED_UNSENT"),
    # what
    "a type not permitted": (batch(ping(1, seq=2, type="toy.pay/1")), "TYPE_NOT_PERMITTED"),
    "an id that is no UUIDv7": (batch(ping(1, seq=2, id="7")), "ID_MALFORMED"),
    "a field that is unknown": (
        batch(SECOND.encoded().replace(b'"accord":', b'"aaa":1,"accord":')),
        "SCHEMA_MISMATCH",
    ),
    "a question in the inbox": (batch(ping(1, seq=0)), "WRONG_LANE"),
    "another protocol": (
        _bent(batch(SECOND), _changed_statement(version=2)),
        "PROTOCOL_VERSION",
    ),
    "a false count": (_bent(batch(SECOND), _changed_statement(count=2)), "BATCH_MALFORMED"),
    # how much
    "an envelope too large": (batch(ping(1, seq=2, case=LONG)), "ENVELOPE_TOO_LARGE"),
    "too many envelopes": (batch(*MANY), "BATCH_TOO_LONG"),
    "a batch too large": (batch(SECOND) + b" " * LIMITS.batch_bytes, "BATCH_TOO_LARGE"),
    # in which form
    "nothing": (b"", "CANONICAL_FORM"),
    "no text": (b"\xff\xfe", "CANONICAL_UTF8"),
    "another document": (b"{}", "BATCH_MALFORMED"),
    "a float": (_body(b'{"n":1.5}'), "CANONICAL_FLOAT"),
    "a float in disguise": (_body(b'{"n":1e3}'), "CANONICAL_FLOAT"),
    "a lone surrogate": (_body(b'{"n":"\\ud800"}'), "CANONICAL_SURROGATE"),
    "a key twice": (_body(b'{"n":1,"n":1}'), "CANONICAL_DUPLICATE_KEY"),
    "an integer too large": (_body(b'{"n":9007199254740992}'), "CANONICAL_INTEGER_RANGE"),
    "a NUL": (_body(b'{"n":"\\u0000"}'), "CANONICAL_NUL"),
    "a capital key": (_body(b'{"N":1}'), "CANONICAL_KEY"),
    "a space": (_body(b'{"n": 1}'), "CANONICAL_FORM"),
    "keys out of order": (_body(b'{"n":1,"a":1}'), "CANONICAL_FORM"),
    "a batch too deep": (b'{"envelopes":[' + b"[" * 15_000, "CANONICAL_DEPTH"),
    "a body too deep": (_body(b'{"n":' + b"[" * 40 + b"]" * 40 + b"}"), "CANONICAL_DEPTH"),
}
ASKS: dict[str, tuple[bytes, str]] = {
    "a question asked again": (batch(_question("asked")), "ASK_REPLAYED"),
    "a question too late": (
        batch(_question("late", not_after=NOW_AT - SKEW - 1)),
        "ASK_TOO_LATE",
    ),
    "a question without an end": (batch(_question("ever", not_after=None)), "ASK_TOO_LATE"),
    "a question kept too long": (
        batch(_question("long", not_after=NOW_AT + SKEW + 1)),
        "ASK_TOO_LONG",
    ),
    "an act among the questions": (batch(SECOND), "WRONG_LANE"),
    "no question": (batch(), "BATCH_MALFORMED"),
    "a stranger's question": (batch(_question("who"), src=HEBEI), "MEMBER_UNKNOWN"),
    "a question not permitted": (
        batch(_question("may", type="toy.spy/1")),
        "TYPE_NOT_PERMITTED",
    ),
}


def _expect_refused(running: Running, path: str, raw: bytes, code: str) -> None:
    before = toy.state_digest(running.folder)
    answer = running.client.post(path, content=raw)

    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == code
    assert problem["status"] == answer.status_code
    assert 400 <= answer.status_code < 500
    assert toy.state_digest(running.folder) == before


@pytest.mark.parametrize("case", INBOX)
def test_inbox_refuses(running: Running, case: str) -> None:
    """Each fault of a batch has its own code, and nothing in the store has changed."""
    raw, code = INBOX[case]

    _expect_refused(running, INBOX_PATH, raw, code)


@pytest.mark.parametrize("case", ASKS)
def test_ask_refuses(running: Running, case: str) -> None:
    """A question that is refused is not even audited: a stranger fills no table."""
    raw, code = ASKS[case]

    _expect_refused(running, ASK_PATH, raw, code)


def test_catch_up_carries_no_acts(running: Running) -> None:
    """A catch-up brings what is missing and changes nothing; acts belong into the inbox."""
    _expect_refused(running, CATCH_UP_PATH, batch(SECOND), "CATCH_UP_CARRIES_ACTS")


def test_catch_up_brings_what_is_missing(running: Running) -> None:
    """Tianjin has acknowledged nothing, so the answer to its ping is sent again."""
    answer = running.client.post(CATCH_UP_PATH, content=batch())

    assert [each["type"] for each in answer.json()["envelopes"]] == ["toy.pong/1"]


def test_body_is_bounded_while_it_is_read(running: Running) -> None:
    """A sender that announces no length is stopped by the bytes themselves."""
    before = toy.state_digest(running.folder)
    answer = running.client.post(INBOX_PATH, content=iter([b" " * 9_000] * 3))

    assert answer.json()["code"] == "BATCH_TOO_LARGE"
    assert toy.state_digest(running.folder) == before


def test_replay_is_answered_with_the_same_bytes(running: Running) -> None:
    """The same act in a new batch gets the reply that was stored, and takes effect once."""
    first = running.client.post(INBOX_PATH, content=batch(FIRST))
    before = toy.state_digest(running.folder)
    again = running.client.post(INBOX_PATH, content=batch(FIRST, sent_at=NOW_AT + 5))
    replies = [msgspec.json.decode(each.content, type=Batch) for each in (first, again)]

    assert bytes(replies[0].envelopes[0]) == bytes(replies[1].envelopes[0])
    assert canonical.decode_as(bytes(replies[0].envelopes[0]), Envelope).reply_to == FIRST.id
    assert toy.state_digest(running.folder) == before


def test_first_fault_names_the_refusal(running: Running) -> None:
    """Checks come in a fixed order; a batch with several faults is refused for the first."""
    everything = batch(ping(3, seq=7, type="toy.pay/1"), salt="stranger", sent_at=0)
    signed = batch(ping(3, seq=7, type="toy.pay/1"), sent_at=0)
    fresh = batch(ping(3, seq=7, type="toy.pay/1"))

    _expect_refused(running, INBOX_PATH, everything, "KEY_UNKNOWN")
    _expect_refused(running, INBOX_PATH, signed, "BATCH_STALE")
    _expect_refused(running, INBOX_PATH, fresh, "TYPE_NOT_PERMITTED")


def test_too_many_refusals_are_not_read(running: Running) -> None:
    """An address that keeps being refused is answered 429, with the time to wait, unread."""
    limiter = RefusalLimiter(running.clock, refusals_max=3)
    running.app.state.refusals = limiter
    codes = [
        running.client.post(INBOX_PATH, content=raw).json()["code"]
        for raw in (b"{}", b"{}", batch(ping(1, seq=9)), b"{}", b"{}", batch(FIRST))
    ]
    answer = running.client.post(INBOX_PATH, content=batch(FIRST))

    # A gap is how an honest peer learns where to go on: it does not count.
    assert (
        codes
        == ["BATCH_MALFORMED"] * 2 + ["EXPECTED_SEQ", "BATCH_MALFORMED"] + ["TOO_MANY_REFUSALS"] * 2
    )
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) == 60


def test_unknown_type_is_parked_and_the_channel_moves_on(tmp_path: Path) -> None:
    """A type the accord permits and we do not know yet is kept, said to be, and blocks nothing."""
    node = _node(tmp_path, ManualClock(NOW_AT))
    strange = ping(1, seq=1, type=toy.UNKNOWN_TYPE)
    with TestClient(create_app(node, make_console(node))) as client:
        answer = client.post(INBOX_PATH, content=batch(strange, ping(4, seq=2))).json()

    assert [each["type"] for each in answer["envelopes"]] == ["exchange.parked/1", "toy.pong/1"]
    assert answer["statement"]["acknowledged"] == 2
    assert toy.noted(node) == [("ping", 4)]


def test_decision_to_refuse_is_stored_and_repeated(tmp_path: Path) -> None:
    """A refused act is an answer like any other; its handler's changes are taken back."""
    node = _node(tmp_path, ManualClock(NOW_AT))
    with TestClient(create_app(node, make_console(node))) as client:
        first = client.post(INBOX_PATH, content=batch(ping(3, seq=1))).json()
        again = client.post(INBOX_PATH, content=batch(ping(3, seq=1))).json()

    assert first["envelopes"] == again["envelopes"]
    assert first["envelopes"][0]["body"]["code"] == "AMOUNT_MALFORMED"
    assert toy.noted(node) == []


def test_bug_of_ours_is_an_incident_and_decides_nothing(tmp_path: Path) -> None:
    """A failing handler is 500 with a number; the act is not taken and may be sent again."""
    node = _node(tmp_path, ManualClock(NOW_AT))
    with TestClient(create_app(node, make_console(node))) as client:
        before = toy.state_digest(tmp_path)
        answer = client.post(INBOX_PATH, content=batch(ping(13, seq=1)))
        after = toy.state_digest(tmp_path)

    assert answer.status_code == 500
    assert answer.json()["code"] == "INTERNAL_FAULT"
    assert "Traceback" not in answer.text
    assert "own bug" not in answer.text
    assert before == after
