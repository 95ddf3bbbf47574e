"""A synthetic region: every member of the pack, its hospitals, its insured persons, its accord.

Nothing here is real: persons have no names, id numbers are plainly invented, hospitals and
catalogues are samples.
"""

import msgspec

from tongcheng.kernel import accord as accords
from tongcheng.kernel import authority, region
from tongcheng.kernel.accord import SignedAccord
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.kernel.home import Home
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.region import RegionPack
from tongcheng.kernel.store import Transaction
from tongcheng.node import files
from tongcheng.node.accords import draw_up
from tongcheng.node.files import Settings
from tongcheng.node.services import SERVICES
from tongcheng.services.settlement import insured
from tongcheng.services.settlement.model import Identity
from tongcheng.services.settlement.rules import PersonType
from tongcheng.services.settlement.store import INSTITUTIONS, InstitutionRow
from tongcheng.simulation.counter import Place
from tongcheng.simulation.machine import Machine

REGION = "jingjinji"
SERVICE = "settlement"
SCHEME = "310"
LEVELS = (3, 2)
EMPLOYEES: tuple[PersonType, ...] = ("active", "retired")
"""One hospital of each level in every member's city."""
ACCORD_LEAD_MS = 600_000


class Person(msgspec.Struct, frozen=True):
    """A synthetic person and the member that insures them."""

    id_number: str
    member_id: str
    admdvs: str


def homes(seed: int) -> list[Home]:
    """Return one home per member of the pack, with keys that belong to the seed."""
    pack = region.load(REGION)
    folder = files.pack_folder(REGION)
    shelf = files.read_shelf(folder, allow_drafts=True)
    datasets = files.read_datasets(folder)
    made = []
    for member in pack.members:
        if SERVICE not in member.services:
            continue
        entropy = SeededEntropy(f"{seed}/{member.id}")
        ring = KeyRing.create(entropy)
        made.append(
            Home(member.id, ring, entropy, pack, shelf, datasets, allow_draft_rulebooks=True)
        )
    return made


def accord_of(members: list[Home], anchor_at: int) -> SignedAccord:
    """Return the accord between these members, signed by all."""
    cards = [
        files.member_card(
            Settings(member_id=home.member_id, region=REGION, address=f"http://{home.member_id}"),
            home.region,
            home.ring,
            anchor_at - ACCORD_LEAD_MS,
        )
        for home in members
    ]
    document = draw_up(
        cards,
        services=SERVICES,
        books=members[0].shelf,
        valid_from_at=anchor_at - ACCORD_LEAD_MS,
    )
    for home in members:
        document = accords.sign(document, home.member_id, home.ring.signing)
    return document


def division_of(pack: RegionPack, member_id: str, number: int) -> str:
    """Return a division code of the member's: its areas in turn."""
    areas = pack.member(member_id).areas
    return areas[number % len(areas)].prefixes[0].ljust(6, "0")


def catalogue_for(home: Home) -> str:
    """Return the member's own sample catalogue, or the first one where it has none yet."""
    names = sorted(home.datasets)
    place = home.region.member(home.member_id).jurisdiction
    return next((name for name in names if name.startswith(place)), names[0])


def institutions(home: Home) -> list[InstitutionRow]:
    """Return the member's synthetic hospitals."""
    division = division_of(home.region, home.member_id, 0)
    return [
        InstitutionRow(
            institution_id=f"H{division}{number:05d}",
            name_zh=f"模拟医院{number}",
            name_en=f"Simulated hospital {number}",
            hospital_level=level,
            hospital_subtype="municipal",
            admdvs=division,
            catalogue=catalogue_for(home),
        )
        for number, level in enumerate(LEVELS, start=1)
    ]


async def furnish(machine: Machine, document: SignedAccord, persons: list[Person]) -> list[Place]:
    """Adopt the accord, contract the hospitals, enrol the persons; return the hospitals."""
    node = machine.node
    assert node is not None, "a machine is furnished while it runs"
    await node.adopt(document.encoded())

    def contract(tx: Transaction) -> list[Place]:
        places = []
        for row in institutions(tx.home):
            tx.put(INSTITUTIONS, row)
            token = authority.issue(tx, row.institution_id, "his")
            places.append(Place(row.institution_id, token, row.catalogue))
        for number, person in enumerate(persons):
            _enrol(tx, person, number)
        return places

    places: list[Place] = await node.run(contract)
    return places


def _enrol(tx: Transaction, person: Person, number: int) -> None:
    identity = Identity(
        name=f"模拟{number}", id_number=person.id_number, gender="1", born_on="1960-01-01"
    )
    insured.enrol(
        tx,
        identity,
        admdvs=person.admdvs,
        scheme=SCHEME,
        person_type=EMPLOYEES[number % len(EMPLOYEES)],
    )
