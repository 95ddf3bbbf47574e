"""The tree is tidy: short, documented, exact, bilingual, and free of anybody's machine."""

import ast
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import tidy

SOURCE = tidy.ROOT / "src" / "tongcheng"
CORES = ("model", "rules", "tables", "engine", "catalogue", "lines", "life")
SKIPPED = ("LICENSE", "requirements.lock")
WIDTH_CHECKED = (".py", ".html", ".css", ".js")


def _trees(*, source_only: bool = False) -> dict[Path, ast.Module]:
    paths = tidy.files(".py")
    chosen = [p for p in paths if not source_only or p.is_relative_to(SOURCE)]
    assert chosen, "no Python found: the checks would pass on nothing"
    return {path: ast.parse(path.read_text("utf-8"), str(path)) for path in chosen}


def _catalogues(name: str) -> dict[Path, dict[str, Any]]:
    return {
        path: yaml.safe_load(path.read_text("utf-8")) or {}
        for path in tidy.files(".yaml")
        if path.name == name and path.is_relative_to(SOURCE)
    }


def _is_exact_core(path: Path) -> bool:
    """Modules where an amount is computed; `engine.py` and `engine/bands.py` alike."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    if parts[:1] == ("kernel",):
        return parts[1] in {"money", "ledger"}
    return parts[:2] == ("services", "settlement") and len(parts) > 2 and parts[2] in CORES


def _expect_none(faults: dict[Path, list[str]]) -> None:
    lines = [f"{path.relative_to(tidy.ROOT)}: {f}" for path, found in faults.items() for f in found]
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)


def test_functions_are_short() -> None:
    """A function fits on a screen; what does not is two functions."""
    faults = {path: tidy.functions_too_long(tree) for path, tree in _trees().items()}

    _expect_none(faults)


def test_modules_are_short() -> None:
    """A module is read in one sitting."""
    faults = {path: tidy.module_too_long(path.read_text("utf-8")) for path in _trees()}

    _expect_none(faults)


def test_lines_are_narrow() -> None:
    """Two files fit side by side; what others wrote (vendor) is left as it came."""
    paths = [p for p in tidy.files(*WIDTH_CHECKED) if "vendor" not in p.parts]
    faults = {path: tidy.lines_too_wide(path.read_text("utf-8")) for path in paths}

    _expect_none(faults)


def test_public_things_are_documented() -> None:
    """Every module, public class, method and function of the source says what it is."""
    trees = _trees(source_only=True)
    faults = {path: tidy.docstrings_missing(tree) for path, tree in trees.items()}

    _expect_none(faults)


def test_amounts_are_exact() -> None:
    """Where amounts are computed there is no float and no true division."""
    trees = _trees(source_only=True)
    faults = {p: tidy.inexact_arithmetic(tree) for p, tree in trees.items() if _is_exact_core(p)}

    _expect_none(faults)


def test_no_file_holds_what_it_must_not() -> None:
    """No unfinished work, no package registry, no path of a machine in any text we keep."""
    faults = {}
    for path in tidy.files():
        raw = path.read_bytes()
        if path.name not in SKIPPED and b"\0" not in raw:
            faults[path] = tidy.words_forbidden(raw.decode("utf-8"))

    _expect_none(faults)


def test_lock_names_no_registry() -> None:
    """The lock file holds names, versions and hashes; where they come from is local business."""
    text = (tidy.ROOT / "requirements.lock").read_text("utf-8")
    addresses = [line for line in text.splitlines() if "://" in line or line.startswith("--")]

    assert addresses == []
    assert [path for path in tidy.files() if path.name == "uv.lock"] == []


def test_errors_are_complete() -> None:
    """Every code says what, why and what to do, in both languages, with a sane status."""
    faults = {
        path: [f for code, entry in codes.items() for f in tidy.error_entry_faults(code, entry)]
        for path, codes in _catalogues("errors.yaml").items()
    }

    _expect_none(faults)


def test_error_codes_and_source_agree() -> None:
    """A code that is raised is in one catalogue; a code in a catalogue is used by the source."""
    known = Counter(code for codes in _catalogues("errors.yaml").values() for code in codes)
    trees = _trees(source_only=True).values()
    refused = {code for tree in trees for code in tidy.codes_refused(tree)}
    written = {word for tree in trees for word in tidy.words_written(tree)}

    faults = [f"{code} is raised, but in no errors.yaml" for code in sorted(refused - set(known))]
    faults += [f"{code} is in an errors.yaml, but unused" for code in sorted(set(known) - written)]
    faults += [f"{code} is in two errors.yaml" for code, times in known.items() if times > 1]
    if faults:
        pytest.fail("\n".join(faults), pytrace=False)


def test_texts_are_in_both_languages() -> None:
    """Every text is there in zh and en and names the same fields in both."""
    faults = {
        path: [f for key, entry in texts.items() for f in tidy.languages_unequal(key, entry)]
        for path, texts in _catalogues("texts.yaml").items()
    }

    _expect_none(faults)


GOOD = {"zh": "已知 {known}", "en": "{known} is known"}
ENTRY = {"status": 409, "what": GOOD, "why": GOOD, "do": GOOD}
LONG_FUNCTION = "def f():\n" + "    pass\n" * tidy.FUNCTION_LINES_MAX
FAULTS = {
    "long function": tidy.functions_too_long(ast.parse(LONG_FUNCTION)),
    "long module": tidy.module_too_long("\n" * (tidy.MODULE_LINES_MAX + 1)),
    "wide line": tidy.lines_too_wide("x" * (tidy.LINE_COLUMNS_MAX + 1)),
    "bare module": tidy.docstrings_missing(ast.parse("x = 1")),
    "bare method": tidy.docstrings_missing(ast.parse('"m"\nclass C:\n  "c"\n  def f(s): ...')),
    "float call": tidy.inexact_arithmetic(ast.parse("float(x)")),
    "float literal": tidy.inexact_arithmetic(ast.parse("x = 0.85")),
    "division": tidy.inexact_arithmetic(ast.parse("x = a / b")),
    "division in place": tidy.inexact_arithmetic(ast.parse("x /= b")),
    "registry": tidy.words_forbidden(f"from {tidy.REGISTRIES[0]}"),
    "machine path": tidy.words_forbidden("see /" + "home/someone/x"),
    "unfinished": tidy.words_forbidden("# " + "TO" + "DO later"),
    "one language": tidy.languages_unequal("key", {"zh": "有"}),
    "empty text": tidy.languages_unequal("key", {"zh": "有", "en": " "}),
    "other fields": tidy.languages_unequal("key", {"zh": "{a}", "en": "{b}"}),
    "lower-case code": tidy.error_entry_faults("no_code", ENTRY),
    "no advice": tidy.error_entry_faults("X", {k: v for k, v in ENTRY.items() if k != "do"}),
    "status 200": tidy.error_entry_faults("X", {**ENTRY, "status": 200}),
    "code raised": sorted(tidy.codes_refused(ast.parse('raise errors.Refused("X", n=1)'))),
    "code in a table": sorted(tidy.words_written(ast.parse('T = {1: "X"}'))),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_check_sees_its_fault(name: str) -> None:
    """A check that cannot fail checks nothing: each is shown one fault and finds one."""
    assert len(FAULTS[name]) == 1


def test_checks_pass_what_is_right() -> None:
    """The nearest right thing to each fault is let through."""
    assert tidy.error_entry_faults("CANONICAL_FLOAT", ENTRY) == []
    assert tidy.inexact_arithmetic(ast.parse("x = a // b; isinstance(x, float)")) == []
    assert tidy.words_forbidden("GET /zh/home/today and #!/usr/bin/env bash") == []
