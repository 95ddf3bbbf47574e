"""The words of the pages: every key a page uses exists, every key that exists is used."""

import re

import pytest

from tests.web import site
from tongcheng.kernel.access.actions import KERNEL_ACTIONS
from tongcheng.kernel.texts import load_texts
from tongcheng.services.plan import SERVICE as PLAN
from tongcheng.services.settlement.service import SERVICE as SETTLEMENT

USED = re.compile(r"""["']((?:web|plan|settlement)\.[a-z_.0-9]+)["']""")
FOLDERS = {
    "web": (site.SOURCE / "web",),
    "plan": (site.SOURCE / "services" / "plan",),
    "settlement": (site.SETTLEMENT,),
}
# Strings that look like keys and are not: figure keys and file names.
NOT_KEYS = re.compile(r"\.(?:html|yaml|settled)$|^settlement\.settled$")


def _used(name: str) -> set[str]:
    files = (
        path
        for folder in FOLDERS.values()
        for each in folder
        for path in each.rglob("*")
        if path.suffix in {".py", ".html"}
    )
    words = (word for path in files for word in USED.findall(path.read_text("utf-8")))
    return {word for word in words if word.startswith(f"{name}.")}


def _known(name: str) -> set[str]:
    paths = [path for folder in FOLDERS[name] for path in folder.rglob("texts.yaml")]
    return {key for path in paths for key in load_texts(path)}


@pytest.mark.parametrize("name", FOLDERS)
def test_no_key_is_missing_or_unused(name: str) -> None:
    """A key is written out where it is used, so that it can be searched for."""
    known = _known(name)
    used = _used(name)
    plurals = {key.rsplit(".", 1)[0] for key in known if key.endswith((".one", ".other"))}
    unused = {key for key in known - used if key.rsplit(".", 1)[0] not in used & plurals}
    unused = {key for key in unused if not key.startswith("action.")}

    assert sorted(key for key in unused if not key.endswith(".nav")) == []
    missing = {word for word in used - known - plurals if not _is_act(word)}
    assert sorted(missing) == []


def _is_act(word: str) -> bool:
    """Envelope types, figures and actions share the dots of a text key and are not one."""
    actions = {action.name for action in (*PLAN.actions, *SETTLEMENT.actions)}
    return word.count(".") == 1 or word in actions or word.endswith(".")


def test_every_action_has_words() -> None:
    """What a role may do is said in words; its key is made of the action's name."""
    actions = (*KERNEL_ACTIONS, *PLAN.actions, *SETTLEMENT.actions)
    paths = site.SOURCE.rglob("texts.yaml")
    said = {key for path in paths for key in load_texts(path)}

    assert {f"action.{action.name}" for action in actions} - said == set()
