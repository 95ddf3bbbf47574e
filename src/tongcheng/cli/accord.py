"""`tongcheng accord …`: from the members' cards to an accord in force on every node."""

from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from tongcheng.cli import options
from tongcheng.kernel import accord as accords
from tongcheng.kernel import adoption, region
from tongcheng.kernel.accord import Accord, AccordKey, SignedAccord
from tongcheng.kernel.calendar import parse_local
from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.node import accords as drawing
from tongcheng.node import files
from tongcheng.node.offline import read_snapshot, run_command
from tongcheng.node.services import SERVICES

LOCAL_TIME = "%Y-%m-%d %H:%M:%S"
EITHER = "Give either FILE or --data."


@click.group()
def accord() -> None:
    """Draw up, sign, adopt and show the accord between the members."""


@accord.command()
@click.option(
    "--card",
    "cards",
    type=options.FILE,
    multiple=True,
    required=True,
    help="A member's card (member-card.json); once for each member.",
)
@click.option("-o", "--output", type=options.FILE, required=True, help="The file to write.")
@click.option("--previous", type=options.FILE, help="The accord that this one follows.")
@click.option(
    "--region", "pack", help="Path of the region pack, when it is not one that ships with us."
)
@click.option(
    "--valid-from",
    type=click.DateTime([LOCAL_TIME]),
    help="First instant, in the region's local time [now].",
)
def init(
    cards: tuple[Path, ...],
    output: Path,
    previous: Path | None,
    pack: str | None,
    valid_from: datetime | None,
) -> None:
    """Draw up an accord from the members' cards; nobody has signed it yet."""
    read = [files.read_card(path) for path in cards]
    name = pack or read[0].region
    shelf = files.read_shelf(files.pack_folder(name), allow_drafts=True)
    zone = region.load(name).zone
    valid_from_at = (
        SystemClock().now()
        if valid_from is None
        else parse_local(valid_from.strftime(LOCAL_TIME), zone)
    )
    document = drawing.draw_up(
        read,
        services=SERVICES,
        books=shelf,
        valid_from_at=valid_from_at,
        previous=None if previous is None else _read(previous).accord,
    )
    _write(output, document)
    click.echo(f"{output}: version {document.accord.version}, {document.accord.digest()}")


@accord.command()
@click.argument("file", type=options.FILE)
@options.nodes
@options.passphrase_file
def sign(file: Path, folder: Path, passphrase_file: Path | None) -> None:
    """Add a member's signature to the accord in FILE, for each node in --data."""
    document = _read(file)
    passphrase = files.read_passphrase(passphrase_file)
    for directory in files.node_directories(folder):
        home = files.open_home(directory, passphrase=passphrase)
        document = accords.sign(document, home.member_id, home.ring.signing)
        click.echo(f"{home.member_id} signed {document.accord.digest()}")
    _write(file, document)
    missing = [member.member_id for member in drawing.unsigned(document)]
    click.echo(f"still to sign: {', '.join(missing)}" if missing else "signed by every member")


@accord.command()
@click.argument("file", type=options.FILE)
@options.nodes
@options.passphrase_file
def adopt(file: Path, folder: Path, passphrase_file: Path | None) -> None:
    """Adopt the signed accord in FILE on each node in --data; none of them may be running."""
    raw = files.read_bytes(file).removesuffix(b"\n")
    passphrase = files.read_passphrase(passphrase_file)
    for directory in files.node_directories(folder):
        adopted: Accord = run_command(
            directory, lambda tx: adoption.adopt(tx, raw), passphrase=passphrase
        )
        click.echo(f"{directory.name}: version {adopted.version} adopted")


@accord.command()
@click.argument("file", type=options.FILE, required=False)
@click.option("--data", "folder", type=options.FOLDER, help="Show what this node has adopted.")
@options.passphrase_file
@options.as_json
def show(
    file: Path | None, folder: Path | None, passphrase_file: Path | None, *, as_json: bool
) -> None:
    """Show an accord: members, keys, permits, who has signed; from FILE or from a node."""
    if (file is None) == (folder is None):
        raise click.UsageError(EITHER)
    passphrase = files.read_passphrase(passphrase_file)
    document = _read(file) if file is not None else _adopted(folder or Path(), passphrase)
    if as_json:
        click.echo(msgspec.json.encode(_as_data(document)).decode())
    else:
        _print(document)


def _read(path: Path) -> SignedAccord:
    return accords.parse(files.read_bytes(path).removesuffix(b"\n"))


def _write(path: Path, document: SignedAccord) -> None:
    files.write_file(path, document.encoded() + b"\n")


def _adopted(folder: Path, passphrase: bytes | None) -> SignedAccord:
    """Return the accord in force on a node, else the last it adopted; refuses ACCORD_MISSING."""

    def question(snapshot: Snapshot, home: Home) -> SignedAccord:
        rows = snapshot.select(adoption.ACCORDS)
        if not rows:
            raise Refused("ACCORD_MISSING", member=home.member_id)
        found = home.accord_in_force
        version = rows[-1].version if found is None else found.version
        return accords.parse(next(row.document for row in rows if row.version == version))

    return read_snapshot(files.node_directory(folder), question, passphrase=passphrase)


def _as_data(document: SignedAccord) -> dict[str, object]:
    return {
        "digest": document.accord.digest(),
        "signed_by": [one.member_id for one in document.signatures],
        "not_signed_by": [member.member_id for member in drawing.unsigned(document)],
        "accord": document.accord,
    }


def _print(document: SignedAccord) -> None:
    found = document.accord
    click.echo(f"{found.region}, version {found.version}, valid from {_utc(found.valid_from_at)}")
    click.echo(f"digest {found.digest()}")
    missing = {member.member_id for member in drawing.unsigned(document)}
    for member in found.members:
        signed = "has not signed" if member.member_id in missing else "has signed"
        click.echo(f"\n{member.member_id}  {member.name_zh}  {member.name_en}: {signed}")
        click.echo(f"  answers at {member.address}")
        for key in (*member.signing_keys, *member.encryption_keys):
            click.echo(f"  key {_key(key)}")
    everyone = [member.member_id for member in found.members]
    click.echo("\npermitted types")
    for permit in found.permits:
        ways = f"{_who(permit.src, everyone)} to {_who(permit.dst, everyone)}"
        click.echo(f"  {permit.type}: {ways}")
    click.echo("\npurses")
    for purse in found.purses:
        click.echo(f"  {purse.scheme}/{purse.fund}: {'net' if purse.net else 'gross'}")


def _who(members: list[str], everyone: list[str]) -> str:
    return "all" if members == everyone else ", ".join(members)


def _key(key: AccordKey) -> str:
    until = "" if key.to_at is None else f" until {_utc(key.to_at)}"
    revoked = "" if key.revoked_at is None else f" revoked {_utc(key.revoked_at)}"
    return f"{key.kid} from {_utc(key.from_at)}{until}{revoked}"


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at // 1_000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
