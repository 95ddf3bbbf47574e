"""Who may call: a credential per hospital system, bound to one institution (接入凭证).

The token is 256 random bits, shown once when it is issued; only its SHA-256 is stored, so neither
a backup nor a reader of the database can call with it. Every message is checked against the
institution the credential is bound to: a hospital reads nothing of another's.
"""

import hashlib
import hmac

import msgspec

from tongcheng.kernel import audit
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Reading, Records, Transaction

TOKEN_BYTES = 32
TOKEN_PREFIX = "tc_"  # noqa: S105 a prefix, so that a leaked token is recognised by scanners


class CredentialRow(msgspec.Struct, frozen=True):
    """One credential: bound to `institution_id`, valid between two instants (UTC ms)."""

    token_digest: bytes
    institution_id: str
    name: str
    from_at: int
    to_at: int | None


CREDENTIALS = Records(
    "credentials", CredentialRow, key=("token_digest",), indexes=(("institution_id",),)
)


class Caller(msgspec.Struct, frozen=True):
    """A hospital system that has shown a valid credential."""

    institution_id: str
    name: str


def digest_of(token: str) -> bytes:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def issue(tx: Transaction, institution_id: str, name: str, to_at: int | None = None) -> str:
    """Issue a credential and return its token, which is stored nowhere."""
    token = TOKEN_PREFIX + tx.home.entropy.bytes(TOKEN_BYTES).hex()
    row = CredentialRow(digest_of(token), institution_id, name, tx.now_at, to_at)
    tx.add(CREDENTIALS, row)
    audit.note(tx, audit.Entry("officer", "credential.issue", institution_id))
    return token


def revoke(tx: Transaction, institution_id: str) -> int:
    """End every credential of an institution now; return how many were ended."""
    rows = tx.select(CREDENTIALS, institution_id=institution_id)
    valid = [row for row in rows if row.to_at is None or row.to_at > tx.now_at]
    for row in valid:
        tx.put(CREDENTIALS, msgspec.structs.replace(row, to_at=tx.now_at))
    audit.note(tx, audit.Entry("officer", "credential.revoke", institution_id))
    return len(valid)


def identify(reading: Reading, authorization: str | None, now_at: int) -> Caller:
    """Return the caller behind an `Authorization: Bearer …` header, or refuse without saying why.

    The look-up is by digest, so its timing tells nothing of a token; the digests are compared
    once more in constant time.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused("CREDENTIAL_MISSING")
    digest = digest_of(token.strip())
    row = reading.get(CREDENTIALS, digest)
    if row is None or not hmac.compare_digest(row.token_digest, digest):
        raise Refused("CREDENTIAL_UNKNOWN")
    if now_at < row.from_at or (row.to_at is not None and now_at >= row.to_at):
        raise Refused("CREDENTIAL_EXPIRED")
    return Caller(institution_id=row.institution_id, name=row.name)


def require(caller: Caller, institution_id: str) -> None:
    """Refuse a caller that speaks for another institution than its own."""
    if caller.institution_id != institution_id:
        raise Refused("INSTITUTION_NOT_YOURS", institution=institution_id)
