"""What a node's pages and answers draw on: the texts and codes of every package it runs."""

from pathlib import Path

from tongcheng.kernel import errors as kernel_errors
from tongcheng.kernel.errors import Catalogue
from tongcheng.kernel.service import Service
from tongcheng.kernel.texts import Texts
from tongcheng.node.core import Node
from tongcheng.node.pages import TEXTS as PAGE_TEXTS
from tongcheng.web.console import Console, NavItem, NavSection
from tongcheng.web.toolkit import ERRORS_PATH, TEXTS_PATH

NODE_ERRORS_PATH = Path(__file__).with_name("errors.yaml")
KERNEL_ERRORS_PATH = Path(kernel_errors.__file__).with_name("errors.yaml")

NAVIGATION: tuple[NavSection, ...] = (
    NavSection("node.nav.plan", (NavItem("plan.nav", "/", "plan.read"),)),
    NavSection(
        "node.nav.settlement",
        (
            NavItem("settlement.desk.nav", "/settlement", "settlement.desk.read"),
            NavItem("settlement.nav", "/settlement/stays", "settlement.stays.read"),
            NavItem("settlement.months.nav", "/settlement/months", "settlement.month.read"),
            NavItem("settlement.cases.nav", "/settlement/cases", "settlement.cases.read"),
            NavItem("settlement.estimate.nav", "/estimate", "settlement.estimate.read"),
        ),
    ),
    NavSection(
        "node.nav.rules",
        (
            NavItem("settlement.policy.nav", "/rulebooks", "rulebook.read"),
            NavItem("settlement.what_if.nav", "/settlement/what-if", "settlement.what_if.run"),
        ),
    ),
    NavSection(
        "node.nav.mobility",
        (
            NavItem("mobility.console.nav", "/mobility", "mobility.read"),
            NavItem("mobility.console.scenarios.nav", "/mobility/scenarios", "mobility.read"),
        ),
    ),
    NavSection(
        "node.nav.evidence",
        (
            NavItem("node.journal.nav", "/journal", "journal.read"),
            NavItem("settlement.ledger.nav", "/ledger", "settlement.ledger.read"),
            NavItem("node.accord.nav", "/accord", "accord.read"),
            NavItem("node.exchange.nav", "/exchange", "exchange.read"),
            NavItem("node.audit.nav", "/audit", "audit.read"),
        ),
    ),
    NavSection(
        "node.nav.access",
        (
            NavItem("node.access.accounts.nav", "/accounts", "account.manage"),
            NavItem("node.grants.delegations.nav", "/access/delegations", "account.own"),
            NavItem("node.grants.reviews.nav", "/access/reviews", "access.review"),
        ),
    ),
)
"""Every entry of the navigation, a section a row; what a reader may not open is left out."""

DEMO = NavSection("node.nav.demo", (NavItem("node.demo.nav", "/demo", "demo.run"),))
"""What the navigation of a demonstration has besides."""


def catalogue(services: tuple[Service, ...]) -> Catalogue:
    """Return every code that a node with these services can answer with."""
    theirs = [path for service in services for path in service.errors]
    return Catalogue.load(KERNEL_ERRORS_PATH, ERRORS_PATH, NODE_ERRORS_PATH, *theirs)


def make_console(
    node: Node,
    *,
    synthetic: bool = False,
    demo: bool = False,
    address: str = "",
    nav: tuple[NavSection, ...] = NAVIGATION,
) -> Console:
    """Return the console of a node; `synthetic` when every person in it was made up.

    `demo` when it may be broken on purpose; `address` is where its readers reach it.
    """
    texts = [path for service in node.services for path in service.texts]
    return Console(
        member_id=node.home.member_id,
        region=node.home.region,
        texts=Texts.load(TEXTS_PATH, *PAGE_TEXTS, *texts),
        errors=catalogue(node.services),
        now=node.clock.now,
        nav=(*nav, DEMO) if demo else nav,
        draft=node.home.allow_draft_rulebooks,
        synthetic=synthetic,
        demo=demo,
        address=address,
    )
