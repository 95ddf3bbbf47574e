"""A line between two nodes of a demonstration, which can be cut on purpose.

A line has two ends and belongs to neither, so its state lies beside the nodes' directories and not
in one of them: `REGION/cut-lines/beijing-hsb--tianjin-hsb` is there while that line is cut, and
since when is the file's time. Command and button on either node make and remove the same file; it
survives every restart, and two who cut at once cut once.

While a line is cut nothing crosses it: no post leaves either end, and the answer of a post that was
under way is lost. So an act can have been taken although its sender never heard: the case that the
exchange is made for. Nothing has to be refused at the other end, because both ends look here.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple

from tongcheng.kernel.exchange.transport import Transport, Unreachable
from tongcheng.kernel.home import Home

FOLDER: Final = "cut-lines"
BETWEEN: Final = "--"
LOOK_EVERY_S: Final = 0.5
"""How late a node may notice that a line is back: a look is one listing of a small folder."""


class Line(NamedTuple):
    """Two members, in the order of their ids: there is one line between them, not two."""

    first: str
    second: str

    @property
    def name(self) -> str:
        """The file that is there while the line is cut."""
        return BETWEEN.join(self)


def line_between(one: str, other: str) -> Line:
    """Return the line between two members, whichever is named first."""
    return Line(*sorted((one, other)))


def lines_to(member_id: str, members: Iterable[str]) -> list[Line]:
    """Return the lines between one member and each of the others."""
    return sorted(line_between(member_id, each) for each in members if each != member_id)


class CutLines:
    """Which lines of a region are cut; `region` is the folder that holds the nodes' directories."""

    def __init__(self, region: Path) -> None:
        self._folder = region / FOLDER

    def cut(self, lines: Iterable[Line]) -> None:
        """Cut lines; one that is cut already stays cut since when it was."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for line in lines:
            with contextlib.suppress(FileExistsError):
                (self._folder / line.name).touch(mode=0o600, exist_ok=False)

    def heal(self, lines: Iterable[Line]) -> None:
        """Put lines together again."""
        for line in lines:
            (self._folder / line.name).unlink(missing_ok=True)

    def since(self, line: Line) -> int | None:
        """Return since when a line is cut (UTC ms); None when it is not."""
        try:
            return (self._folder / line.name).stat().st_mtime_ns // 1_000_000
        except FileNotFoundError:
            return None

    def changed_at(self) -> int | None:
        """Return when a line was last cut or healed (UTC ms); None when none ever was."""
        try:
            return self._folder.stat().st_mtime_ns // 1_000_000
        except FileNotFoundError:
            return None

    def all(self) -> dict[Line, int]:
        """Return every line that is cut, and since when (UTC ms)."""
        try:
            names = [file.name for file in self._folder.iterdir()]
        except FileNotFoundError:
            return {}
        lines = [Line(*name.split(BETWEEN)) for name in sorted(names) if name.count(BETWEEN) == 1]
        found = {line: self.since(line) for line in lines}
        return {line: since_at for line, since_at in found.items() if since_at is not None}


def lines_of(directory: Path) -> CutLines:
    """Return the cut lines of the region that a node's directory lies in."""
    return CutLines(directory.absolute().parent)


class CuttableTransport:
    """A transport whose posts reach nobody over a line that is cut."""

    def __init__(self, inner: Transport, lines: CutLines, home: Home) -> None:
        self._inner = inner
        self._lines = lines
        self._home = home

    async def post(
        self, address: str, path: str, body: bytes, *, timeout_ms: int
    ) -> tuple[int, bytes]:
        """Post once; Unreachable when the line is cut now, or before the answer is here."""
        self._check(address)
        answered = await self._inner.post(address, path, body, timeout_ms=timeout_ms)
        self._check(address)
        return answered

    def _check(self, address: str) -> None:
        accord = self._home.accord_in_force
        members = () if accord is None else accord.members
        for member in members:
            line = line_between(self._home.member_id, member.member_id)
            if member.address == address and self._lines.since(line) is not None:
                raise Unreachable(address, "the line is cut")


async def watch(lines: CutLines, member_id: str, is_back: Callable[[str], None]) -> None:
    """Tell `is_back` the peer of every line of a member that is put together again."""
    before: set[str] = set()
    while True:
        cut = {peer for line in lines.all() if member_id in line for peer in line} - {member_id}
        for peer in sorted(before - cut):
            is_back(peer)
        before = cut
        await asyncio.sleep(LOOK_EVERY_S)
