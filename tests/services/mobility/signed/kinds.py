"""The kinds of signed documents, made alike: for laws that hold for each."""

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.toy import MEMBERS, NOW_AT, ring_of
from tongcheng.kernel.keys import SigningKey
from tongcheng.services.mobility.bundle import model, records
from tongcheng.services.mobility.scenario import kept, signing
from tongcheng.services.mobility.signed.document import Signed, Version, signature_of
from tongcheng.services.mobility.signed.history import History

OWN, NEIGHBOUR = MEMBERS[:2]
KEY = ring_of(OWN).signing
NEIGHBOURS_KEY = ring_of(NEIGHBOUR).signing
STRANGERS_KEY = ring_of("stranger").signing


class Kind(NamedTuple):
    """One kind of document: what makes a version of it, signs that, and keeps it."""

    noun: str
    field: str
    version_type: Callable[..., Version]
    own: dict[str, Any]
    signed_type: Callable[..., Signed]
    domain: bytes
    signature_code: str
    malformed_code: str
    history: History[Any, Any]

    def version(self, **changes: Any) -> Version:
        """Return a first version of this node's member, or what the changes make of it."""
        first = {"member_id": OWN, "version": 1, "previous": None, "signed_at": NOW_AT}
        return self.version_type(**(first | self.own | changes))

    def signed(self, version: Version, key: SigningKey = KEY, **changes: Any) -> Signed:
        """Sign whatever it is: nothing of its form is looked at."""
        signature = signature_of(version, self.domain, key)
        fields = {self.field: version, "kid": key.kid, "signature": signature}
        return self.signed_type(**(fields | changes))


KINDS = {
    "bundle": Kind(
        noun="bundle",
        field="manifest",
        version_type=model.Manifest,
        own={"entries": ()},
        signed_type=model.SignedManifest,
        domain=b"tongcheng/mobility-bundle/1\n",
        signature_code="BUNDLE_SIGNATURE",
        malformed_code="BUNDLE_MALFORMED",
        history=records.HISTORY,
    ),
    "scenario": Kind(
        noun="scenario",
        field="scenario",
        version_type=signing.Version,
        own={"scenario_id": "more", "document": None},
        signed_type=signing.SignedScenario,
        domain=b"tongcheng/mobility-scenario/1\n",
        signature_code="SCENARIO_SIGNATURE",
        malformed_code="SCENARIO_DOCUMENT",
        history=kept.HISTORY,
    ),
}
