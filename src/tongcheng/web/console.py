"""What every page knows about the node that shows it."""

from collections.abc import Callable

import msgspec

from tongcheng.kernel.errors import Catalogue
from tongcheng.kernel.region import Jurisdiction, Member, RegionPack
from tongcheng.kernel.texts import Texts

ACCORD_PATH = "/accord"
"""Where the node shows the accord; its versions as files are at `ACCORD_PATH/documents/{n}`."""
JOURNAL_PATH = "/journal"
ENTRIES_PATH = JOURNAL_PATH + "/entries"
"""Where the node's own pages show one entry: `ENTRIES_PATH/{kind}/{id}`, or an envelope's id."""
PROOFS_PATH = JOURNAL_PATH + "/proofs"
"""Where they hand out its proof as a file, under the same names."""


class NavItem(msgspec.Struct, frozen=True):
    """One entry of the navigation: `label_key` in a `texts.yaml`, `path` without language.

    `action` is what its page needs; who may not is not shown the entry.
    """

    label_key: str
    path: str
    action: str


class NavSection(msgspec.Struct, frozen=True):
    """A group of pages: one word in the first row of the navigation, its pages in the second."""

    label_key: str
    items: tuple[NavItem, ...]


class Console(msgspec.Struct, frozen=True):
    """The node as its pages show it; made once at start and put at `app.state.console`.

    `member_id` is the member whose node this is.
    `draft`: real decisions are made on rule books that nobody has adopted.
    `synthetic`: every person and every stay was made up.
    `demo`: the node shows itself being broken on purpose; only ever with `synthetic`.
    `address` is where its readers and peers reach it, "" where nobody said.
    `now` gives Unix milliseconds UTC.
    """

    member_id: str
    region: RegionPack
    texts: Texts
    errors: Catalogue
    now: Callable[[], int]
    nav: tuple[NavSection, ...] = ()
    draft: bool = False
    synthetic: bool = False
    demo: bool = False
    address: str = ""

    @property
    def member(self) -> Member:
        """The organisation whose node this is."""
        return self.region.member(self.member_id)

    @property
    def place(self) -> Jurisdiction:
        """The place it acts for: its short name and its colour."""
        return self.region.jurisdiction_of(self.member)

    def place_of(self, member_id: str) -> Jurisdiction:
        """Return the place of any member of the region, for its name and its colour."""
        return self.region.jurisdiction_of(self.region.member(member_id))
