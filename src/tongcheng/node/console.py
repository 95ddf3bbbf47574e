"""What a node's pages and answers draw on: the texts and codes of every package it runs."""

from pathlib import Path

from tongcheng.kernel import errors as kernel_errors
from tongcheng.kernel.errors import Catalogue
from tongcheng.kernel.service import Service
from tongcheng.kernel.texts import Texts
from tongcheng.node.core import Node
from tongcheng.web.console import Console, NavItem
from tongcheng.web.toolkit import ERRORS_PATH, TEXTS_PATH

NODE_TEXTS_PATH = Path(__file__).with_name("texts.yaml")
NODE_ERRORS_PATH = Path(__file__).with_name("errors.yaml")
KERNEL_ERRORS_PATH = Path(kernel_errors.__file__).with_name("errors.yaml")

NAVIGATION: tuple[NavItem, ...] = (
    NavItem("plan.nav", "/"),
    NavItem("settlement.nav", "/settlement/stays"),
    NavItem("settlement.cases.nav", "/settlement/cases"),
    NavItem("settlement.policy.nav", "/rulebooks"),
    NavItem("settlement.estimate.nav", "/estimate"),
    NavItem("node.exchange.nav", "/exchange"),
)


def catalogue(services: tuple[Service, ...]) -> Catalogue:
    """Return every code that a node with these services can answer with."""
    theirs = [path for service in services for path in service.errors]
    return Catalogue.load(KERNEL_ERRORS_PATH, ERRORS_PATH, NODE_ERRORS_PATH, *theirs)


def make_console(
    node: Node, *, synthetic: bool = False, nav: tuple[NavItem, ...] = NAVIGATION
) -> Console:
    """Return the console of a node; `synthetic` when every person in it was made up."""
    texts = [path for service in node.services for path in service.texts]
    return Console(
        member_id=node.home.member_id,
        region=node.home.region,
        texts=Texts.load(TEXTS_PATH, NODE_TEXTS_PATH, *texts),
        errors=catalogue(node.services),
        now=node.clock.now,
        nav=nav,
        draft=node.home.allow_draft_rulebooks,
        synthetic=synthetic,
    )
