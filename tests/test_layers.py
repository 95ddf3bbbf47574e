"""The import contracts of pyproject.toml hold."""

import tomllib

import pytest
from importlinter.cli import lint_imports

from tests.tidy import ROOT


def test_import_contracts_hold(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Layers, services and pure cores import only what they may; the report names who broke it."""
    monkeypatch.chdir(ROOT)

    broken = lint_imports(no_cache=True)

    if broken:
        pytest.fail(capsys.readouterr().out, pytrace=False)


def test_contracts_name_modules_that_exist() -> None:
    """A pattern that matches nothing guards nothing: each names at least one module of src."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    patterns = {name for contract in contracts for name in contract.get("source_modules", [])}
    gone = [
        pattern
        for pattern in sorted(patterns)
        if not any(
            (ROOT / "src").glob(pattern.replace(".", "/") + suffix) for suffix in (".py", "/")
        )
    ]

    assert patterns, "no contract names a source module: the table has moved"
    if gone:
        pytest.fail(f"contracts name modules that are not there: {gone}", pytrace=False)
