"""What settlement registers with the node."""

from pathlib import Path

from tongcheng.kernel.service import Act, Ask, Service
from tongcheng.services.settlement import (
    api,
    api_cases,
    api_checks,
    api_explain,
    api_one_call,
    catalogue_store,
    claims,
    insured,
    national,
    pages_cases,
    statements,
    store,
    verify,
)
from tongcheng.services.settlement.actions import ACTIONS
from tongcheng.services.settlement.bill_page import api as bill_api
from tongcheng.services.settlement.bill_page import pages as bill_pages
from tongcheng.services.settlement.bill_page import store as bill_store
from tongcheng.services.settlement.booking.check import home_claims
from tongcheng.services.settlement.desk_page import pages as desk_pages
from tongcheng.services.settlement.estimate import api as estimate_api
from tongcheng.services.settlement.estimate import pages as estimate_pages
from tongcheng.services.settlement.ledger import pages as ledger_pages
from tongcheng.services.settlement.line_query import LINE_QUERY
from tongcheng.services.settlement.mapping import MAPPINGS
from tongcheng.services.settlement.mirror.answer import answer_sides
from tongcheng.services.settlement.mirror.job import MIRROR
from tongcheng.services.settlement.mirror.model import SIDED, SIDES, SidedBody, SidesAsk
from tongcheng.services.settlement.mirror.store import MIRRORS
from tongcheng.services.settlement.model import (
    ESTIMATE,
    ESTIMATED,
    PERSON,
    PERSON_FOUND,
    SETTLE,
    SETTLED,
    VOID,
    VOIDED,
    EstimateAsk,
    EstimatedBody,
    PersonAsk,
    PersonFound,
    SettleBody,
    SettledBody,
    VoidBody,
    VoidedBody,
)
from tongcheng.services.settlement.months import pages as month_pages
from tongcheng.services.settlement.national_sign import SIGN_INS
from tongcheng.services.settlement.pages import HANDLERS
from tongcheng.services.settlement.policy import pages as policy_pages
from tongcheng.services.settlement.reads import READS
from tongcheng.services.settlement.statement_model import (
    STATEMENT,
    STATEMENT_AGREED,
    STATEMENT_DISPUTED,
    STATEMENT_PAGE_TAKEN,
    PageTakenBody,
    StatementAgreedBody,
    StatementBody,
    StatementDisputedBody,
)
from tongcheng.services.settlement.what_if import pages as what_if_pages
from tongcheng.services.settlement.what_if.warming import warm

_HERE = Path(__file__).parent

SERVICE = Service(
    name="settlement",
    acts=(
        Act(SETTLE, SettleBody, insured.take_settle, claims.settle_refused, insured.consult),
        Act(SETTLED, SettledBody, claims.take_settled),
        Act(VOID, VoidBody, insured.take_void, claims.void_refused),
        Act(VOIDED, VoidedBody, claims.take_voided),
        Act(
            STATEMENT,
            StatementBody,
            statements.take_statement,
            statements.statement_refused,
        ),
        Act(STATEMENT_PAGE_TAKEN, PageTakenBody, statements.take_page_taken),
        Act(STATEMENT_AGREED, StatementAgreedBody, statements.take_agreed),
        Act(STATEMENT_DISPUTED, StatementDisputedBody, statements.take_disputed),
    ),
    asks=(
        Ask(
            PERSON,
            PersonAsk,
            insured.answer_person,
            PersonFound,
            PERSON_FOUND,
            writes=True,
        ),
        Ask(
            ESTIMATE,
            EstimateAsk,
            insured.answer_estimate,
            EstimatedBody,
            ESTIMATED,
            consult=insured.consult,
            brief=True,
        ),
        Ask(SIDES, SidesAsk, answer_sides, SidedBody, SIDED),
    ),
    tables=(
        *store.TABLES,
        *catalogue_store.TABLES,
        *bill_store.TABLES,
        MAPPINGS,
        SIGN_INS,
        statements.STATEMENTS,
        MIRRORS,
    ),
    cases=(LINE_QUERY,),
    errors=(_HERE / "errors.yaml",),
    texts=(
        _HERE / "texts.yaml",
        _HERE / "bill_page" / "texts.yaml",
        _HERE / "desk_page" / "texts.yaml",
        _HERE / "policy" / "texts.yaml",
        _HERE / "ledger" / "texts.yaml",
        _HERE / "months" / "texts.yaml",
        _HERE / "what_if" / "texts.yaml",
    ),
    routes=(
        *national.ROUTES,
        api.ROUTER,
        api_cases.ROUTER,
        api_checks.ROUTER,
        api_explain.ROUTER,
        api_one_call.ROUTER,
        estimate_api.ROUTER,
        bill_api.ROUTER,
        *bill_pages.ROUTES,
    ),
    pages=(
        *desk_pages.HANDLERS,
        *HANDLERS,
        *pages_cases.HANDLERS,
        *policy_pages.HANDLERS,
        *estimate_pages.HANDLERS,
        *ledger_pages.HANDLERS,
        *month_pages.HANDLERS,
        *what_if_pages.HANDLERS,
    ),
    person_pages=bill_pages.HANDLERS,
    verify=(*verify.VERIFY, home_claims),
    actions=ACTIONS,
    jobs=(MIRROR,),
    reads=READS,
    warm=(warm,),
)
