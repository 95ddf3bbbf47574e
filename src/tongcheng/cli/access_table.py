"""The table of authority as docs/access.md shows it, from the region's data."""

from tongcheng.kernel import region
from tongcheng.kernel.access.actions import KERNEL_ACTIONS
from tongcheng.kernel.access.table import AuthorityTable, TableVersion
from tongcheng.kernel.region import RegionPack
from tongcheng.kernel.texts import Texts
from tongcheng.node.authority import load_table
from tongcheng.node.pages import TEXTS
from tongcheng.node.services import SERVICES

BEGIN = "<!-- table: begin (written by `tongcheng docs access`) -->"
END = "<!-- table: end -->"
REGION = "jingjinji"


def section() -> str:
    """Return the section of docs/access.md between its two marks."""
    pack = region.load(REGION)
    table = load_table(region.PACKS_DIR / REGION, pack)
    roles = "\n".join(
        f"- `{role.id}` {role.name.zh}, {role.name.en}: {role.does.en}." for role in table.roles
    )
    versions = [_version(table, one, pack) for one in table.versions]
    return "\n\n".join([BEGIN, roles, *versions, END])


def _version(table: AuthorityTable, version: TableVersion, pack: RegionPack) -> str:
    texts = Texts.load(*TEXTS, *(path for service in SERVICES for path in service.texts))
    of_services = (action for service in SERVICES for action in service.actions)
    roles = [role.id for role in table.roles]
    lines = [
        f"From {version.from_on} ({table.status}):",
        "",
        "| action | what | " + " | ".join(roles) + " |",
        "|---|---|" + "---|" * len(roles),
    ]
    for action in sorted((*KERNEL_ACTIONS, *of_services), key=lambda each: each.name):
        what = texts.get(f"action.{action.name}", "en") + (" *" if action.personal else "")
        cells = [_cell(table, version, pack, role, action.name) for role in roles]
        lines.append(f"| `{action.name}` | {what} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(
    table: AuthorityTable, version: TableVersion, pack: RegionPack, role: str, action: str
) -> str:
    agencies = [member.id for member in pack.members]
    may = [each for each in agencies if table.may(role, each, action, version.from_on)]
    return "yes" if may == agencies else ", ".join(may)


def replaced(page: str) -> str:
    """Return the page with its table written anew."""
    before, rest = page.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return before + section() + after
