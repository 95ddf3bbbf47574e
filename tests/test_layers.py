"""The import contracts of pyproject.toml hold."""

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
