"""`tongcheng settlement generate` and `adjudicate`: what they write and say, and when they fail."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
from click.testing import CliRunner, Result

from tests.services.settlement.batch.claim_files import claim, write_csv
from tongcheng.cli import main
from tongcheng.node import files

BOOKS = files.pack_folder("jingjinji") / "rulebooks"


def run(*arguments: str | Path) -> Result:
    """Run a command of settlement in English."""
    return CliRunner().invoke(main, ["settlement", *map(str, arguments)], env={"LC_ALL": "C"})


def generate(out: Path, *more: str | Path) -> Result:
    """Make up 2,000 claims."""
    return run("generate", "--claims", "2000", "--seed", "7", "--out", out, *more)


def test_generated_claims_are_judged(tmp_path: Path) -> None:
    """From nothing to results in two commands; Parquet and CSV say the same."""
    told = []
    for suffix in ("parquet", "csv"):
        claims, out = tmp_path / f"claims.{suffix}", tmp_path / f"results.{suffix}"
        assert generate(claims).exit_code == 0
        result = run("adjudicate", "--claims", claims, "--out", out, "--check", "300")
        assert result.exit_code == 0, result.output
        assert "rule books: those of the region pack jingjinji" in result.output
        assert "DRAFT: 8 of the versions that decided are drafts" in result.output
        assert "2000 judged, 0 not" in result.output
        assert "computed anew by the twin: equal" in result.output
        told.append(result.output.splitlines()[1:8])
    assert told[0] == told[1]
    assert pq.read_schema(tmp_path / "claims.parquet").metadata[b"tongcheng.synthetic"] == b"yes"
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "claims.csv", "claims.parquet", "results.csv", "results.parquet",
    ]  # fmt: skip


def test_summary_for_a_machine(tmp_path: Path) -> None:
    """--json says what the table says, and which versions decided how many rows."""
    claims, out = tmp_path / "claims.parquet", tmp_path / "results.parquet"
    assert generate(claims, "--flaws", "0.05").exit_code == 0

    result = run("adjudicate", "--claims", claims, "--out", out, "--check", "99999", "--json")
    done = json.loads(result.output)
    assert result.exit_code == 0
    assert done["rows"] == 2_000
    assert done["judged"] + sum(done["codes"].values()) == 2_000
    assert done["codes"]["CLAIM_VALUE"] > 0
    assert done["draft"] is True
    assert done["check"] == {"rows": 2_000, "differing": 0, "differences": []}
    openings = done["events"]["opening"]
    assert sum(book["rows"] for book in done["books"]) >= done["judged"] - openings
    codes = pq.read_table(out, columns=["code"])["code"].to_pylist()
    assert {code: codes.count(code) for code in done["codes"]} == done["codes"]


def test_trace_and_other_books(tmp_path: Path) -> None:
    """Named books stand in place of the region's: a file, a directory; --trace adds columns."""
    claims, out = write_csv(tmp_path / "c.csv", [claim("1", "A")]), tmp_path / "r.csv"
    book = BOOKS / "beijing-employee-inpatient.yaml"
    result = run("adjudicate", "--claims", claims, "--out", out, "--rulebook", book, "--trace")
    assert result.exit_code == 0, result.output
    assert "rule books: those of --rulebook, and no others" in result.output
    with out.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["book_id"], row["admission_number"]) == ("beijing-employee-inpatient", "1")
    assert row["before_admissions"] == "0"

    other = BOOKS / "tianjin-employee-inpatient.yaml"
    result = run("adjudicate", "--claims", claims, "--out", out, "--rulebook", other)
    assert result.exit_code == 1, "no row could be judged"
    assert "AREA_WITHOUT_RULE_BOOK" in result.output
    whole = run("adjudicate", "--claims", claims, "--out", out, "--rulebook", BOOKS)
    assert whole.exit_code == 0, whole.output
    kind = BOOKS / "beijing-visited-management.yaml"
    refused = run("adjudicate", "--claims", claims, "--out", out, "--rulebook", kind)
    assert (refused.exit_code, "[RULE_BOOK_KIND]" in refused.output) == (1, True)


def test_book_of_a_place_that_the_region_does_not_know(tmp_path: Path) -> None:
    """It is the book of its division and those within it; nobody else borrows it."""
    text = (BOOKS / "beijing-employee-inpatient.yaml").read_text("utf-8")
    book, own = tmp_path / "book.yaml", tmp_path / "own.yaml"
    book.write_text(text.replace('"110000"', '"330100"'), "utf-8")
    own.write_text(text.replace("employee-inpatient", "yanqing").replace("110000", "110119"))
    divisions = ("330100", "330106", "331000", "110105", "110119")
    rows = [claim(at, at, admdvs=each) for at, each in enumerate(divisions)]
    claims, out = write_csv(tmp_path / "c.csv", rows), tmp_path / "r.csv"

    def codes(*books: Path, pack: str) -> list[str]:
        named = [each for book in books for each in ("--rulebook", book)]
        result = run("adjudicate", "--claims", claims, "--out", out, "--region", pack, *named)
        assert result.exit_code == 0, result.output
        with out.open(encoding="utf-8", newline="") as file:
            return [row["code"] or row["book_id"] for row in csv.DictReader(file)]

    employee, nobody = "beijing-employee-inpatient", "REGION_UNKNOWN_AREA"
    none = "AREA_WITHOUT_RULE_BOOK"
    assert codes(book, pack="jingjinji") == [employee, employee, nobody, none, none]
    assert codes(book, own, pack="none") == [employee, employee, nobody, nobody, "beijing-yanqing"]
    assert run("adjudicate", "--claims", claims, "--out", out, "--region", "none").exit_code == 1
    more = ("--rulebook", book, "--region", "none")
    assert generate(tmp_path / "made.csv", *more).exit_code == 0
    made = run("adjudicate", "--claims", tmp_path / "made.csv", "--out", out, *more)
    assert "2000 judged, 0 not" in made.output


def test_what_is_refused(tmp_path: Path) -> None:
    """Nothing is left behind, and the input is never written over."""
    claims = write_csv(tmp_path / "c.csv", [claim("1", "A")])
    before = claims.read_bytes()
    rubbish = tmp_path / "rubbish.csv"
    rubbish.write_bytes(b"\xff\xfe\0")
    for given, out, code in (
        (claims, claims, "CLAIMS_OUT"),
        (claims, tmp_path / "r.xlsx", "CLAIMS_OUT"),
        (rubbish, tmp_path / "r.csv", "CLAIMS_FILE"),
    ):
        result = run("adjudicate", "--claims", given, "--out", out)
        assert (result.exit_code, f"[{code}]" in result.output) == (1, True), result.output
    assert run("adjudicate", "--claims", tmp_path / "no", "--out", claims).exit_code == 2
    assert generate(tmp_path / "c.parquet", "--year", "2001").exit_code == 1
    assert claims.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["c.csv", "rubbish.csv"]


def test_workers_judge_the_same(tmp_path: Path) -> None:
    """Whoever judges, the summary is the same but for the seconds; two ways at once are refused."""
    claims, out = tmp_path / "claims.csv", tmp_path / "results.csv"
    assert generate(claims, "--flaws", "0.05").exit_code == 0
    words = ("adjudicate", "--claims", claims, "--out", out, "--check", "200", "--json")
    told, written = [], []
    for more in ((), ("--workers", "2")):
        result = run(*words, *more)
        assert result.exit_code == 0, result.output
        told.append({**json.loads(result.stdout), "seconds": 0})
        written.append(out.read_bytes())
    assert told[0] == told[1]
    assert written[0] == written[1]

    both = run(*words, "--workers", "2", "--scheduler", "tcp://127.0.0.1:1")
    assert both.exit_code == 2
    elsewhere = run(*words, "--scheduler", "tcp://10.0.0.1:8786")
    assert (elsewhere.exit_code, "[SCHEDULER_UNPROTECTED]" in elsewhere.output) == (1, True)
    assert out.read_bytes() == written[0]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["claims.csv", "results.csv"]


def test_without_the_extra(tmp_path: Path) -> None:
    """Where Arrow is not installed both are refused by its name, and --help still works."""
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from tongcheng.cli import main; main(sys.argv[1:])"
    )
    claims = write_csv(tmp_path / "c.csv", [claim("1", "A")])
    for arguments, exit_code in (
        (["adjudicate", "--claims", str(claims), "--out", "r.csv"], 1),
        (["generate", "--claims", "1", "--seed", "1", "--out", "r.csv"], 1),
        (["adjudicate", "--help"], 0),
    ):
        done = subprocess.run(  # noqa: S603 this Python
            [sys.executable, "-c", code, "settlement", *arguments],
            capture_output=True, text=True, check=False, cwd=tmp_path, env={"LC_ALL": "C"},
        )  # fmt: skip
        assert done.returncode == exit_code, done.stderr
        assert ("[CLAIMS_EXTRA]" in done.stderr and "pyarrow" in done.stderr) == bool(exit_code)
