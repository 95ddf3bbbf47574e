"""The REST interface of explanations: why every amount of a settlement is what it is."""

from typing import Annotated, Literal

import msgspec
from litestar import Router, get
from litestar.params import PathParameter, QueryParameter
from msgspec import Meta

from tongcheng.kernel.running import RunningNode
from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement import explaining, visited
from tongcheng.services.settlement.api_caller import ID_PATTERN, PATH, AnyRequest, caller_of
from tongcheng.services.settlement.api_model import Fen, Id
from tongcheng.services.settlement.desk import Desk
from tongcheng.services.settlement.explain_model import Explanation as Found
from tongcheng.services.settlement.explain_model import Fact, Reason
from tongcheng.services.settlement.explain_words import rule_sentences, sentence
from tongcheng.services.settlement.rule_words import RuleWords
from tongcheng.web.voice import Voice

SettlementId = Annotated[str, PathParameter(pattern=ID_PATTERN, description="The settlement's id.")]
Spoken = Annotated[
    Literal["zh", "en"] | None,
    QueryParameter(description="With it every amount and every rule has its sentences too."),
]


class Because(msgspec.Struct, frozen=True):
    """One amount and why; the amounts of `children` add up to it exactly.

    `key` is stable; `facts` end in `_fen`, `_e8` (a share over 10**8), `_bp` (basis points) or
    `_e6` (yuan over 10**6). `rule` decided it, and `modified_by` changed what that rule says.
    `doubtful`: a figure that it follows from is in doubt.
    """

    key: str
    amount_fen: Fen
    facts: dict[str, Fact]
    doubtful: bool
    rule: RuleWords | None
    modified_by: list[RuleWords]
    text: str | None
    rule_text: list[str]
    children: list["Because"]


class Explanation(msgspec.Struct, frozen=True):
    """Both cuts of one bill: what the insurance covers (`scope`), and who pays (`payers`).

    `book_status` is `draft` while a rule book that decided has not been adopted.
    """

    settlement_id: Id
    book_status: Literal["draft", "adopted"]
    total_fen: Annotated[int, Meta(description="Whole fen (1/100 yuan).")]
    scope: Because
    payers: Because


@get("/settlements/{settlement_id:str}/explanation")
async def explain_settlement(
    request: AnyRequest, settlement_id: SettlementId, language: Spoken = None
) -> Explanation:
    """Show why every amount of a settlement is what it is. The read is written into the audit."""
    node: RunningNode = request.app.state.node
    caller = await caller_of(request)

    def question(snapshot: Snapshot) -> Found:
        claim = visited.claim_of(snapshot, caller, settlement_id)
        return explaining.of_claim(snapshot, node.home, claim)

    found = await node.read(question)
    await Desk(node).note_read(caller.institution_id, "explanation.read", settlement_id)
    voice = voice_of(request, language)
    return Explanation(
        settlement_id=settlement_id,
        book_status=found.book_status,
        total_fen=found.scope.amount_fen,
        scope=because(found.scope, voice),
        payers=because(found.payers, voice),
    )


def voice_of(request: AnyRequest, language: Literal["zh", "en"] | None) -> Voice | None:
    """Return the voice that an answer is to be read out by, None where none is asked for."""
    if language is None:
        return None
    zone = request.app.state.node.home.region.zone
    return Voice(request.app.state.console.texts, language, zone)


def because(reason: Reason, voice: Voice | None) -> Because:
    """Return a tree as the interface shows it, with sentences where a voice is given."""
    said: list[str] = []
    if voice is not None:
        said = [each for rule in reason.rules for each in rule_sentences(voice, rule)]
    return Because(
        key=reason.key,
        amount_fen=reason.amount_fen,
        facts=reason.facts,
        doubtful=reason.doubtful,
        rule=reason.rule,
        modified_by=list(reason.modified_by),
        text=None if voice is None else sentence(voice, reason),
        rule_text=said,
        children=[because(each, voice) for each in reason.children],
    )


ROUTER = Router(PATH, tags=["settlement"], route_handlers=[explain_settlement])
