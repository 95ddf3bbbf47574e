"""The manifest is made and read as docs/protocol/07-bundles.md publishes it."""

from typing import Any

import msgspec

from tests.tidy import ROOT
from tongcheng.kernel.keys import SUITES, SigningKey, VerifyKey
from tongcheng.services.mobility.bundle import archive, model

FOLDER = ROOT / "docs" / "protocol"
PAGE = (FOLDER / "07-bundles.md").read_text("utf-8")
USERS_PAGE = (ROOT / "docs" / "mobility-bundles.md").read_text("utf-8")
VECTOR: dict[str, Any] = msgspec.json.decode((FOLDER / "vectors" / "bundle.json").read_bytes())
SUITE = "ed25519-sha256-aes256gcm"


def test_it_is_signed_as_published() -> None:
    """From the private key and the manifest come the same digest, signature and bytes."""
    manifest = msgspec.json.decode(VECTOR["manifest"], type=model.Manifest)
    key = SigningKey(SUITES[SUITE], bytes.fromhex(VECTOR["private_key"]))
    made = model.signed(manifest, key)

    assert manifest.encoded().decode() == VECTOR["manifest"]
    assert manifest.digest() == VECTOR["digest"]
    assert key.sign(bytes.fromhex(VECTOR["signed_bytes"])).hex() == VECTOR["signature"]
    assert made.encoded().decode() == VECTOR["document"]


def test_it_is_read_as_published() -> None:
    """The document is taken for signed by that key."""
    found = model.read(VECTOR["document"].encode())
    key = VerifyKey(VECTOR["kid"], SUITE, bytes.fromhex(VECTOR["public_key"]))

    found.check_signed_with(key)
    assert found.kid == key.kid


def test_the_page_names_every_field_and_bound() -> None:
    """Fields of both tables, the domain, and what is too large."""
    fields = (*model.Manifest.__struct_fields__, *model.Entry.__struct_fields__)
    bounds = (model.MANIFEST_BYTES_MAX, model.BUNDLE_BYTES_MAX, model.REPORT_BYTES_MAX)

    assert [name for name in fields if f"`{name}`" not in PAGE] == []
    assert [bound for bound in bounds if f"{bound:,}" not in PAGE] == []
    assert f"`{model.SIGNING_DOMAIN.decode().strip()}`" in PAGE
    assert f"at most {model.ENTRIES_MAX}" in PAGE
    assert f"`{archive.MANIFEST_NAME}`" in PAGE
    assert all(f"`{form}`" in PAGE for forms in model.FORMS.values() for form in forms)
    assert f"At most {model.ENTRIES_MAX} files and {model.BUNDLE_BYTES_MAX:,} bytes" in USERS_PAGE
