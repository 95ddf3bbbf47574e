"""A scenario as a signed document: who keeps it, in which version, by which key.

As with bundles, each version names the one before. The scenario itself is in it, so who has the
document needs nothing else to compute with it. docs/mobility-scenarios.md has the form.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from tongcheng.kernel import canonical
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import SigningKey
from tongcheng.services.mobility.scenario.model import Scenario
from tongcheng.services.mobility.scenario.reading import read_scenario
from tongcheng.services.mobility.scenario.shapes import Id
from tongcheng.services.mobility.scenario.writing import text_of
from tongcheng.services.mobility.signed import document as signed_document

SIGNING_DOMAIN: Final = b"tongcheng/mobility-scenario/1\n"
BYTES_MAX: Final = 1_048_576


class Version(signed_document.Version, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version of a member's scenario; `document` is the scenario's, None once withdrawn."""

    scenario_id: Id
    document: dict[str, Any] | None


class SignedScenario(signed_document.Signed, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A version, and its member's signature (hex) with the key."""

    domain: ClassVar[bytes] = SIGNING_DOMAIN
    signature_code: ClassVar[str] = "SCENARIO_SIGNATURE"

    scenario: Version

    @property
    def said(self) -> Version:
        """The version of the scenario."""
        return self.scenario


def signed(version: Version, key: SigningKey) -> SignedScenario:
    """Return a version with its member's signature."""
    signature = signed_document.signature_of(version, SIGNING_DOMAIN, key)
    return SignedScenario(scenario=version, kid=key.kid, signature=signature)


def read(raw: bytes) -> SignedScenario:
    """Read a signed scenario whose signature is still to be checked.

    Raises:
        Refused: SCENARIO_DOCUMENT for what is too long, contradicts itself, is no scenario or has
            another id than the version; what is not canonical under its CANONICAL_ code;
            SCHEMA_MISMATCH.
    """
    return read_whole(raw)[0]


def read_whole(raw: bytes) -> tuple[SignedScenario, Scenario | None]:
    """Read a signed scenario, and what it says, None where it is withdrawn; refuses as `read`."""
    if len(raw) > BYTES_MAX:
        raise Refused("SCENARIO_DOCUMENT", file="-", line=1, fault="too long")
    document = canonical.decode_as(raw, SignedScenario)
    if not document.scenario.is_first_or_follows():
        raise Refused("SCENARIO_DOCUMENT", file="-", line=1, fault="no version before it")
    return document, scenario_of(document.scenario)


def scenario_of(version: Version) -> Scenario | None:
    """Return what a version says, None where it is withdrawn; refuses as `read` does."""
    if version.document is None:
        return None
    file = f"{version.scenario_id}.yaml"
    scenario = read_scenario(file, text_of(version.document))
    if scenario.scenario_id != version.scenario_id:
        raise Refused("SCENARIO_DOCUMENT", file=file, line=1, fault="another scenario_id")
    if scenario.document != version.document:
        raise Refused("SCENARIO_DOCUMENT", file=file, line=1, fault="a value that is no text")
    return scenario
