"""Actors of the audit in names: accounts, hospitals and members; what nobody knows stays."""

from pathlib import Path

import pytest

from tests.services.settlement import two_cities
from tests.signed_in import signed_in
from tongcheng.kernel.access.accounts import STAFF
from tongcheng.kernel.words import Words
from tongcheng.node.console import make_console
from tongcheng.node.pages.audit.names import names_of, who
from tongcheng.web import Page, Toolkit

NAMES = {
    "a1": Words("李某", "Li"),
    "a2": Words("王某", "Wang"),
    "H1": Words("海河医院", "Haihe Hospital"),
}


@pytest.mark.parametrize(
    ("actor", "zh", "en"),
    [
        ("account/a1", "李某", "Li"),
        ("account/a1 for account/a2", "李某（代王某）", "Li for Wang"),
        ("account/a1 in emergency/r7", "李某（紧急查阅）", "Li, in an emergency"),
        ("account/a9", "a9", "a9"),
        ("H1", "海河医院", "Haihe Hospital"),
        ("H9", "H9", "H9"),
        ("beijing-hsb", "北京市医疗保障局", "Beijing Healthcare Security Bureau"),
        ("visitor", "访问者（未登录）", "a visitor (not signed in)"),
    ],
)
def test_who(tmp_path: Path, actor: str, zh: str, en: str) -> None:
    """As people call them, in both languages."""
    with two_cities.running(tmp_path) as running:
        toolkit = Toolkit(make_console(running.cities.tianjin), {})

    assert who(Page(toolkit, "zh", "/zh/audit"), actor, NAMES) == zh
    assert who(Page(toolkit, "en", "/en/audit"), actor, NAMES) == en


def test_names_come_from_the_node(tmp_path: Path) -> None:
    """An account and a hospital that the node has; of others there is no name."""
    with two_cities.running(tmp_path) as running:
        node = running.cities.tianjin
        running.run(signed_in(node, "auditor"))
        with node.database.snapshot() as snapshot:
            row = snapshot.select(STAFF)[0]
            found = names_of(snapshot, [f"account/{row.account_id}", "account/none", "H0"])

    assert found == {row.account_id: Words(row.display_name, row.display_name)}
