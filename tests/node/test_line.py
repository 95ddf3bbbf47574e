"""A line that is cut on purpose: nothing crosses it, either end sees it, and it comes back."""

import asyncio
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tongcheng.kernel.exchange.transport import Unreachable
from tongcheng.node import line as lines
from tongcheng.node.line import CutLines, CuttableTransport, Line, line_between, lines_of, watch

BEIJING, HEBEI, TIANJIN = "beijing-hsb", "hebei-hsb", "tianjin-hsb"
LINE = line_between(TIANJIN, BEIJING)


class Inner:
    """A transport that always answers; `meanwhile` happens while the answer is under way."""

    def __init__(self, meanwhile: Any = None) -> None:
        self.posts: list[str] = []
        self._meanwhile = meanwhile

    async def post(
        self, address: str, path: str, body: bytes, *, timeout_ms: int
    ) -> tuple[int, bytes]:
        """Answer with what was sent."""
        del path, timeout_ms
        self.posts.append(address)
        if self._meanwhile is not None:
            self._meanwhile()
        return 200, body


def post_from(member: str, to: str, cut: CutLines, inner: Inner) -> tuple[int, bytes]:
    """Post from one member's node to another's."""
    members = [
        SimpleNamespace(member_id=each, address=f"http://{each}")
        for each in (BEIJING, HEBEI, TIANJIN)
    ]
    home: Any = SimpleNamespace(member_id=member, accord_in_force=SimpleNamespace(members=members))
    transport = CuttableTransport(inner, cut, home)
    return asyncio.run(transport.post(f"http://{to}", "/exchange/inbox", b"x", timeout_ms=1))


def test_a_line_is_the_same_from_both_ends(tmp_path: Path) -> None:
    """Cut from Tianjin, it is cut at Beijing; cutting it again does not make it younger."""
    cut = CutLines(tmp_path)
    cut.cut([line_between(TIANJIN, BEIJING)])
    first_at = cut.since(line_between(BEIJING, TIANJIN))
    cut.cut([line_between(BEIJING, TIANJIN)])

    assert Line(BEIJING, TIANJIN) == LINE
    assert first_at is not None
    assert cut.all() == {LINE: first_at}
    assert lines_of(tmp_path / TIANJIN).all() == cut.all()


def test_state_is_for_its_owner_and_can_be_made_by_hand(tmp_path: Path) -> None:
    """The folder is the owner's alone; what else lies in it is no line; healing twice is fine."""
    cut = CutLines(tmp_path)
    assert cut.all() == {}
    cut.cut([LINE])
    folder = tmp_path / lines.FOLDER
    (folder / "README").touch()

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(cut.all()) == [LINE]
    (folder / LINE.name).unlink()
    cut.heal([LINE])
    assert cut.all() == {}


@pytest.mark.parametrize(("member", "to"), [(TIANJIN, BEIJING), (BEIJING, TIANJIN)])
def test_nothing_leaves_either_end_of_a_cut_line(tmp_path: Path, member: str, to: str) -> None:
    """The peer hears nothing at all; other lines go on; healed, it answers again."""
    cut, inner = CutLines(tmp_path), Inner()
    cut.cut([LINE])

    with pytest.raises(Unreachable, match="the line is cut"):
        post_from(member, to, cut, inner)
    assert inner.posts == []
    assert post_from(member, HEBEI, cut, inner) == (200, b"x")
    cut.heal([LINE])
    assert post_from(member, to, cut, inner) == (200, b"x")


def test_an_answer_under_way_is_lost(tmp_path: Path) -> None:
    """The peer got the post, its sender never hears: the case that an exchange must survive."""
    cut = CutLines(tmp_path)
    inner = Inner(meanwhile=lambda: cut.cut([LINE]))

    with pytest.raises(Unreachable):
        post_from(TIANJIN, BEIJING, cut, inner)
    assert inner.posts == [f"http://{BEIJING}"]


def test_without_an_accord_there_is_no_peer_to_cut_off(tmp_path: Path) -> None:
    """A node that has adopted nothing yet posts as any other does."""
    home: Any = SimpleNamespace(member_id=TIANJIN, accord_in_force=None)
    cut = CutLines(tmp_path)
    cut.cut([LINE])
    transport = CuttableTransport(Inner(), cut, home)

    answer = asyncio.run(transport.post("http://b", "/x", b"y", timeout_ms=1))
    assert answer == (200, b"y")


def test_a_line_that_is_back_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the peers of the member's own lines are named, each when its line is whole again."""
    monkeypatch.setattr(lines, "LOOK_EVERY_S", 0.01)
    cut = CutLines(tmp_path)
    cut.cut([LINE, line_between(TIANJIN, HEBEI)])
    told: list[str] = []

    async def main() -> None:
        watching = asyncio.create_task(watch(cut, BEIJING, told.append))
        await asyncio.sleep(0.05)
        cut.heal([LINE, line_between(TIANJIN, HEBEI)])
        await asyncio.sleep(0.05)
        watching.cancel()

    asyncio.run(main())
    assert told == [TIANJIN]
