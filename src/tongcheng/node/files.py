"""A node's directory: its settings, its keys, its database, and the card it shows to others.

```
DIR/node.toml          settings, written once, edited by the operator (docs/settings.md)
DIR/keys/              the ring, readable by its owner only
DIR/member-card.json   public: what an accord says of this member
DIR/mobility/          files of bundles, each called by its SHA-256 (docs/mobility-bundles.md)
DIR/node.sqlite        everything else
```
"""

import ipaddress
import json
import os
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from tongcheng.kernel import canonical, region, rulebook
from tongcheng.kernel.accord import AccordKey, AccordMember
from tongcheng.kernel.agency import Decider
from tongcheng.kernel.clock import Clock, SystemClock
from tongcheng.kernel.entropy import Entropy, SystemEntropy
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.region import RegionPack
from tongcheng.kernel.rulebook import Shelf
from tongcheng.node.core import open_database
from tongcheng.node.given import pack_folder, read_bytes

__all__ = [
    "CARD_FILE",
    "KEYS_FOLDER",
    "PASSPHRASE_CREDENTIAL",
    "SETTINGS_FILE",
    "Address",
    "MemberCard",
    "Port",
    "Settings",
    "check",
    "create",
    "is_loopback",
    "member_card",
    "node_directories",
    "node_directory",
    "open_home",
    "pack_folder",
    "read_bytes",
    "read_card",
    "read_datasets",
    "read_passphrase",
    "read_settings",
    "read_shelf",
    "write_file",
]

SETTINGS_FILE = "node.toml"
CARD_FILE = "member-card.json"
KEYS_FOLDER = "keys"
PASSPHRASE_CREDENTIAL = "tongcheng-passphrase"  # noqa: S105 the name of a systemd credential

Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Address = Annotated[str, msgspec.Meta(pattern=r"^https?://[^/\s?#]+$", max_length=255)]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an operator decides; docs/settings.md explains every field."""

    member_id: str
    region: str
    address: Address
    host: str = "127.0.0.1"
    port: Port = 8100
    console: Literal["closed", "open"] = "closed"
    bill_pages: Literal["open", "closed"] = "open"
    metrics: Literal["loopback", "open", "closed"] = "loopback"
    allow_draft_rulebooks: bool = False
    benefit: Decider = "engine"
    benefit_url: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^/\s?#]+/[^\s?#]*)?$")] = ""
    synthetic: bool = False
    demo: bool = False
    log_format: Literal["auto", "json", "text"] = "auto"


class MemberCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a member hands to the others, to draw up an accord from; nothing in it is secret."""

    region: str
    member: AccordMember


def create(
    directory: Path,
    settings: Settings,
    entropy: Entropy,
    passphrase: bytes | None,
    clock: Clock | None = None,
) -> Home:
    """Lay out a new node: keys, card, empty store, settings. Refuses NODE_EXISTS."""
    check(settings)
    pack = region.load(settings.region)
    pack.member(settings.member_id)
    if (directory / SETTINGS_FILE).exists():
        raise Refused("NODE_EXISTS", folder=str(directory))
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    ring = KeyRing.create(entropy)
    ring.save(directory / KEYS_FOLDER, passphrase)
    now_at = (clock or SystemClock()).now()
    card = member_card(settings, pack, ring, now_at)
    _write(directory / CARD_FILE, canonical.encode(card) + b"\n", 0o644)
    database = open_database(directory, ring.mac_key)
    database.open_writing(now_at)
    database.close()
    # The settings come last: a directory without them is not a node yet.
    _write(directory / SETTINGS_FILE, _toml(settings).encode(), 0o600)
    return _home(directory, settings, pack, ring, entropy)


def open_home(
    directory: Path, *, passphrase: bytes | None = None, entropy: Entropy | None = None
) -> Home:
    """Read who a node is from its directory: settings, region pack, keys, rule books."""
    settings = read_settings(directory)
    pack = region.load(settings.region)
    pack.member(settings.member_id)
    ring = KeyRing.load(directory / KEYS_FOLDER, passphrase)
    return _home(directory, settings, pack, ring, entropy or SystemEntropy())


def _home(
    directory: Path, settings: Settings, pack: RegionPack, ring: KeyRing, entropy: Entropy
) -> Home:
    folder = pack_folder(settings.region)
    return Home(
        member_id=settings.member_id,
        ring=ring,
        entropy=entropy,
        region=pack,
        shelf=read_shelf(folder, allow_drafts=settings.allow_draft_rulebooks),
        datasets=read_datasets(folder),
        allow_draft_rulebooks=settings.allow_draft_rulebooks,
        benefit=settings.benefit,
        folder=directory,
    )


def read_settings(directory: Path) -> Settings:
    """Read node.toml; refuses NODE_MISSING and SETTINGS_MALFORMED."""
    path = directory / SETTINGS_FILE
    try:
        settings = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Settings)
    except FileNotFoundError:
        raise Refused("NODE_MISSING", folder=str(directory)) from None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as fault:
        raise Refused("SETTINGS_MALFORMED", file=str(path), fault=str(fault)) from None
    check(settings)
    return settings


def check(settings: Settings) -> None:
    """Refuse settings that contradict each other, by the code of what is wrong.

    CONSOLE_NOT_LOOPBACK, BENEFIT_URL, DEMO_NOT_SYNTHETIC, DEMO_NOT_LOOPBACK.
    """
    if settings.console == "open" and not is_loopback(settings.host):
        raise Refused("CONSOLE_NOT_LOOPBACK", host=settings.host)
    if (settings.benefit != "engine") != bool(settings.benefit_url):
        raise Refused("BENEFIT_URL", benefit=settings.benefit)
    if settings.demo and not settings.synthetic:
        raise Refused("DEMO_NOT_SYNTHETIC")
    if settings.demo and not is_loopback(settings.host):
        raise Refused("DEMO_NOT_LOOPBACK", host=settings.host)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def node_directories(path: Path) -> list[Path]:
    """Return the directories of nodes: the path itself, or those in it; refuses NODE_MISSING."""
    if (path / SETTINGS_FILE).is_file():
        return [path]
    found = sorted(file.parent for file in path.glob(f"*/{SETTINGS_FILE}"))
    if not found:
        raise Refused("NODE_MISSING", folder=str(path))
    return found


def node_directory(path: Path) -> Path:
    """Return the directory of the one node meant; refuses NODE_AMBIGUOUS when there are more."""
    found = node_directories(path)
    if len(found) > 1:
        names = ", ".join(folder.name for folder in found)
        raise Refused("NODE_AMBIGUOUS", folder=str(path), names=names)
    return found[0]


def member_card(settings: Settings, pack: RegionPack, ring: KeyRing, now_at: int) -> MemberCard:
    """Return what others may know of this member; its keys are valid from `now_at` (UTC ms)."""
    member = pack.member(settings.member_id)
    signing = AccordKey(ring.signing.kid, ring.suite.name, ring.signing.public.hex(), now_at)
    sealing = AccordKey(ring.encryption_kid, ring.suite.name, ring.encryption_public.hex(), now_at)
    return MemberCard(
        region=pack.id,
        member=AccordMember(
            member_id=member.id,
            name_zh=member.name.zh,
            name_en=member.name.en,
            admdvs_prefixes=sorted(each for area in member.areas for each in area.prefixes),
            address=settings.address,
            signing_keys=[signing],
            encryption_keys=[sealing],
        ),
    )


def read_card(path: Path) -> MemberCard:
    """Read a member's card; refuses FILE_MISSING and what is not canonical or not a card."""
    return canonical.decode_as(read_bytes(path).removesuffix(b"\n"), MemberCard)


def read_passphrase(path: Path | None) -> bytes | None:
    """Return the passphrase of the keys: from a file, else from systemd's credential, else None.

    One line end after it is no part of it.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if path is None and folder is not None:
        credential = Path(folder) / PASSPHRASE_CREDENTIAL
        path = credential if credential.exists() else None
    return None if path is None else read_bytes(path).removesuffix(b"\n")


def read_shelf(folder: Path, *, allow_drafts: bool) -> Shelf:
    """Read every rule book of a region pack; a fault in one is a refusal naming it."""
    books = [
        rulebook.parse(path.read_text("utf-8"))
        for path in sorted((folder / "rulebooks").glob("*.yaml"))
    ]
    return Shelf(books, allow_drafts=allow_drafts)


def read_datasets(folder: Path) -> dict[str, bytes]:
    """Read the pack's catalogues, by file name."""
    files = sorted(path for path in (folder / "catalogues").glob("*") if path.is_file())
    return {path.name: path.read_bytes() for path in files}


def write_file(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace a file as a whole: a reader sees the old or the new bytes, never a part."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    _write(part, content, mode)
    part.replace(path)


def _write(path: Path, content: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _toml(settings: Settings) -> str:
    """Write the settings; a JSON string, number or truth value is also TOML's."""
    lines = [
        f"{field} = {json.dumps(value, ensure_ascii=False)}\n"
        for field, value in msgspec.structs.asdict(settings).items()
    ]
    return "# Settings of this node; docs/settings.md explains them.\n" + "".join(lines)
