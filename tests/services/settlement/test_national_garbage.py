"""Whatever arrives at the gateway: an answer, never a crash, and nothing stored for nonsense."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.services.settlement.hospital import Hospital
from tests.services.settlement.two_cities import Running, running, stored_digest

WORDS = st.sampled_from(
    ["", "0", "-1", "1e9", "NaN", "2304", "01", "0000", "9" * 40, "长" * 60, "\ud800", "\0", "'--"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=40)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
OFTEN = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Gateway:
    """A hospital whose stay is discharged and not settled, and every message it could send."""

    def __init__(self, at: Running) -> None:
        self.at = at
        self.hospital = hospital = Hospital(at.cities)
        bill = at.run(hospital.discharged())
        person, stay = bill["data"]["psn_no"], bill["data"]["mdtrt_id"]
        ids = {"mdtrt_id": stay, "psn_no": person}
        self.inputs: dict[str, Any] = {
            "1101": {"data": {"mdtrt_cert_type": "02", "psn_cert_type": "01"}},
            "2301": hospital.lines(person, stay),
            "2302": {"data": {"feedetl_sn": "L9", **ids}},
            "2303": bill,
            "2304": bill,
            "2305": {"data": {"setl_id": "0" * 26, **ids}},
            "2401": hospital.admission(person),
            "2402": hospital.leaving(person, stay),
            "2601": {"data": {"psn_no": person, "omsgid": "x", "oinfno": "2304"}},
            "9001": {"signIn": {"opter_no": "1", "ip": "10.0.0.1"}},
            "9002": {"signOut": {"sign_no": "x"}},
        }

    def answer(self, raw: bytes) -> dict[str, Any]:
        """Send bytes and return the answer; whatever it is, it is no fault of ours."""
        hospital = self.hospital
        answer = hospital.decode(self.at.run(hospital.edge.answer(hospital.caller, raw)))
        assert "INTERNAL_FAULT" not in (answer["err_msg"] or ""), (raw, answer)
        assert (answer["infcode"] == "0") == (answer["err_msg"] is None)
        return answer

    def stored(self) -> str:
        """Return the digest of what the visited node stores."""
        return stored_digest(self.at.cities.tianjin, "settlement_")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for all examples: none of them may change what is stored."""
    folder: Path = tmp_path_factory.mktemp("gateway")
    with running(folder) as at:
        yield Gateway(at)


@given(st.binary(max_size=200))
@OFTEN
def test_any_bytes(gateway: Gateway, raw: bytes) -> None:
    """Bytes that are no message are refused, and change nothing."""
    before = gateway.stored()

    assert gateway.answer(raw)["infcode"] == "-1"
    assert gateway.stored() == before


def test_a_field_twice_among_many(gateway: Gateway) -> None:
    """The repeated field is found at once: the search must not stop the node for minutes."""
    fields = ",".join(f'"{number:05x}":0' for number in range(80_000))
    before = time.monotonic()

    answer = gateway.answer(f'{{{fields},"z":0,"z":0}}'.encode())
    assert "[NATIONAL_FIELD_TWICE]" in answer["err_msg"]
    assert time.monotonic() - before < 10


@given(VALUES)
@OFTEN
def test_any_json(gateway: Gateway, value: Any) -> None:
    """JSON that is no message is refused, and changes nothing."""
    before = gateway.stored()

    assert gateway.answer(json.dumps(value).encode())["infcode"] == "-1"
    assert gateway.stored() == before


@given(st.data())
@OFTEN
def test_any_field(gateway: Gateway, data: st.DataObject) -> None:
    """A message with one field replaced by anything: done as it says, or refused and unstored."""
    infno = data.draw(st.sampled_from(sorted(gateway.inputs)))
    message = gateway.hospital.envelope(infno, json.loads(json.dumps(gateway.inputs[infno])))
    node = next(iter(message["input"]))
    inner = message["input"][node]
    holder = data.draw(st.sampled_from([message, message["input"], _first(inner)]))
    field = data.draw(st.sampled_from(sorted(holder)))
    holder[field] = data.draw(VALUES)
    before = gateway.stored()

    answer = gateway.answer(json.dumps(message).encode())
    asked_others = infno == "1101"
    assert answer["infcode"] == "0" or asked_others or gateway.stored() == before


def _first(node: Any) -> Any:
    return node[0] if isinstance(node, list) else node
