"""From a draft to the rule on a node, by the commands that two officers and an operator type."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from tongcheng.cli import main
from tongcheng.kernel.region import PACKS_DIR

OWNER, OTHER = "beijing-hsb", "tianjin-hsb"
BOOK_ID = "beijing-employee-inpatient"
PASSPHRASE = "several made-up words"  # noqa: S105 of made-up keys


def _call(*words: str | Path, exit_code: int = 0, typed: str = "") -> Result:
    """Call `tongcheng …` in English and expect its exit code; a traceback is never an answer."""
    runner = CliRunner()
    result = runner.invoke(main, [str(word) for word in words], input=typed, env={"LC_ALL": "C"})

    assert result.exit_code == exit_code, result.output
    assert "Traceback" not in result.output
    return result


class Version(msgspec.Struct):
    """One version as `rulebook shelf --json` lists it."""

    book_id: str
    effective_to: str | None
    status: str
    digest: str
    officers: list[str]


class Office:
    """Beijing's node, and the folders of officers, each with a key and a card."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.node = folder / OWNER
        self.document = folder / "adoption.json"
        self.secret = folder / "passphrase"
        self.secret.write_text(PASSPHRASE + "\n")
        _call("node", "init", "--data", self.node, "--member", OWNER)

    def officer(self, name: str, *, member: str = OWNER, appointed: bool = True) -> str:
        """Make an officer's key and, if so told, appoint its holder; return the key's name."""
        key = self.folder / f"{name}.key"
        words = ("--name", name, "--member", member, "--passphrase-file", self.secret)
        made = _call("officer", "key", key, *words)
        if appointed:
            _call("officer", "appoint", self.card(name), "--data", self.node)
        return made.output.partition(": ")[0]

    def card(self, name: str) -> Path:
        """Return the file of an officer's card."""
        return self.folder / f"{name}.key.card.json"

    def sign(
        self, name: str, *words: str | Path, book: str | Path = BOOK_ID, member: str = OWNER
    ) -> Result:
        """Have an officer sign."""
        key = ("--key", self.folder / f"{name}.key", "--passphrase-file", self.secret)
        document = ("-o", self.document, "--member", member)
        return _call("rulebook", "sign", book, *key, *document, "--yes", *words)

    def adopt(self, *words: str | Path, exit_code: int = 0) -> Result:
        """Have the operator adopt."""
        node = ("--data", self.node)
        return _call("rulebook", "adopt", self.document, *node, *words, exit_code=exit_code)

    def shelf(self) -> list[Version]:
        """Return the versions of the book that the node goes by."""
        listed = _call("rulebook", "shelf", "--data", self.node, "--json").output
        found = msgspec.json.decode(listed, type=list[Version])
        return [one for one in found if one.book_id == BOOK_ID]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A new node with two officers."""
    made = Office(tmp_path)
    made.officer("测试甲")
    made.officer("测试乙")
    return made


def test_two_officers_adopt(office: Office) -> None:
    """Each is shown what is doubtful and signs; the node then calls the book adopted, and why."""
    before = office.shelf()
    first = office.sign("测试甲")
    alone = office.adopt(exit_code=1)
    second = office.sign("测试乙")
    adopted = office.adopt()
    again = office.adopt(exit_code=1)
    after = office.shelf()

    assert [one.status for one in before] == ["draft"]
    assert "doubtful, of them" in first.output
    assert "still to sign: 1" in first.output
    assert "[ADOPTION_NOT_SIGNED]" in alone.output
    assert "signed by ed25519:" in second.output
    assert f"{BOOK_ID} adopted" in adopted.output
    assert "[ADOPTION_REPEATED]" in again.output
    assert [(one.status, sorted(one.officers)) for one in after] == [
        ("adopted", ["测试乙", "测试甲"])
    ]
    assert "adopted by 测试" in _call("rulebook", "shelf", "--data", office.node).output
    assert "everything holds" in _call("journal", "verify", "--data", office.node).output


def test_third_party_is_refused(office: Office) -> None:
    """A signature of somebody who is no officer here is refused, whatever key it is."""
    office.officer("路人", appointed=False)
    office.sign("测试甲")
    office.sign("路人")

    assert "[ADOPTION_NOT_OFFICER]" in office.adopt(exit_code=1).output
    assert [one.status for one in office.shelf()] == ["draft"]


def test_officer_of_another_member_is_refused(office: Office) -> None:
    """Tianjin's officer is not appointed on Beijing's node, and his signature is no officer's."""
    office.officer("外地", member=OTHER, appointed=False)
    refused = _call("officer", "appoint", office.card("外地"), "--data", office.node, exit_code=1)
    office.sign("外地", member=OTHER)

    assert "[OFFICER_OTHER_MEMBER]" in refused.output
    assert "[ADOPTION_NOT_OURS]" in office.adopt(exit_code=1).output


def test_dismissed_officer_is_refused(office: Office) -> None:
    """Whoever is dismissed between signing and adopting has not signed."""
    kid = office.officer("测试丙")
    office.sign("测试甲")
    office.sign("测试丙")
    _call("officer", "dismiss", kid, "--data", office.node)

    assert "[ADOPTION_OFFICER_DISMISSED]" in office.adopt(exit_code=1).output
    assert "not in office" in _call("officer", "list", "--data", office.node).output


def test_officer_of_past_days_is_refused(office: Office) -> None:
    """An appointment for days that are over counts for nothing today."""
    office.officer("测试丁", appointed=False)
    days = ("--from", "2020-01-01", "--to", "2020-12-31")
    _call("officer", "appoint", office.card("测试丁"), "--data", office.node, *days)
    office.sign("测试甲")
    office.sign("测试丁")

    assert "[ADOPTION_OFFICER_NOT_VALID]" in office.adopt(exit_code=1).output
    assert "until 2021-01-01 00:00:00" in _call("officer", "list", "--data", office.node).output


def test_tampered_document_is_refused(office: Office) -> None:
    """A document altered after signing is in nobody's name."""
    office.sign("测试甲")
    office.sign("测试乙")
    raw = office.document.read_bytes()
    office.document.write_bytes(raw.replace(b'"effective_to":null', b'"effective_to":"2030-12-31"'))

    assert "[ADOPTION_SIGNATURE_BROKEN]" in office.adopt(exit_code=1).output


def test_next_version_is_brought(office: Office, tmp_path: Path) -> None:
    """A version that no pack has comes as a file and names the one that it ends."""
    office.sign("测试甲")
    office.sign("测试乙")
    office.adopt()
    digest = office.shelf()[0].digest
    office.document.unlink()
    text = _shipped().replace('from: "2022-01-01"', 'from: "2027-01-01"')
    later = tmp_path / "later.yaml"
    later.write_text(text.replace('"30000"', '"30001"'), encoding="utf-8")
    office.sign("测试甲", "--replaces", digest, book=later)
    shown = office.sign("测试乙", book=later)

    missing = office.adopt(exit_code=1)
    office.adopt("--book", later)

    assert "[ADOPTION_BOOK_MISSING]" in missing.output
    assert f"replaces {digest}" in shown.output
    assert [(one.effective_to, one.status) for one in office.shelf()] == [
        ("2026-12-31", "adopted"),
        (None, "adopted"),
    ]


def _shipped() -> str:
    return (PACKS_DIR / "jingjinji" / "rulebooks" / f"{BOOK_ID}.yaml").read_text("utf-8")


def test_faulty_book_is_not_signed(office: Office, tmp_path: Path) -> None:
    """A book without its origins is named before anybody signs."""
    faulty = tmp_path / "faulty.yaml"
    faulty.write_text(_shipped().replace("  gs33:\n", "  gs34:\n"), encoding="utf-8")
    key = ("--key", office.folder / "测试甲.key", "--passphrase-file", office.secret)
    words = ("--member", OWNER, "-o", office.document, "--yes")
    refused = _call("rulebook", "sign", faulty, *key, *words, exit_code=1)

    assert "[RULE_BOOK_FAULTY]" in refused.output
    assert not office.document.exists()


def test_officer_is_asked(office: Office) -> None:
    """Without --yes and --passphrase-file both are asked for, and a no signs nothing."""
    words = ("--key", office.folder / "测试甲.key", "--member", OWNER, "-o", office.document)
    _call("rulebook", "sign", BOOK_ID, *words, typed="n\n", exit_code=1)
    assert not office.document.exists()
    wrong = _call("rulebook", "sign", BOOK_ID, *words, typed="y\nwrong\n", exit_code=1)
    _call("rulebook", "sign", BOOK_ID, *words, typed=f"y\n{PASSPHRASE}\n")

    assert "[KEYS_PASSPHRASE]" in wrong.output
    assert office.document.exists()


def test_key_does_not_lie_in_a_node(office: Office) -> None:
    """Whoever runs the node has no officer's key at hand, not by a link that leads there either."""
    words = ("--name", "测试戊", "--member", OWNER, "--passphrase-file", office.secret)
    link = office.node.with_name("elsewhere")
    link.symlink_to(office.node, target_is_directory=True)
    for folder in (office.node, link):
        refused = _call("officer", "key", folder / "officer.key", *words, exit_code=1)
        assert "[OFFICER_KEY_IN_NODE]" in refused.output
    assert not (office.node / "officer.key").exists()
