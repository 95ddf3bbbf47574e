"""The explanation on a page: the tree as nested parts that open without scripts."""

from typing import Final

import msgspec

from tongcheng.services.settlement.explain_model import Explanation, Reason
from tongcheng.services.settlement.explain_words import rule_sentences, sentence
from tongcheng.services.settlement.policy.links import rule_path
from tongcheng.web.voice import Voice

NOTES: Final = frozenset({"filing", "no_deductible", "pool_cap", "announced"})
"""What is said of a bill and is no amount of it."""


class Why(msgspec.Struct, frozen=True):
    """One amount on the page: its sentence, its rules in words, its parts.

    `amount` is empty for what is only said. `rules` hold one paragraph for each rule, a sentence
    after the other; parts that follow from the same rules as the whole do not repeat them.
    `places` are, for each rule, its address on the console without language, "" for a book that
    is not here.
    """

    text: str
    amount: str
    doubtful: bool
    rules: tuple[tuple[str, ...], ...]
    places: tuple[str, ...]
    parts: tuple["Why", ...]


def trees(voice: Voice, explanation: Explanation) -> tuple[Why, Why]:
    """Return both cuts of a bill, the whole bill on top of each."""
    return why(voice, explanation.scope), why(voice, explanation.payers)


def why(voice: Voice, reason: Reason, above: Reason | None = None) -> Why:
    """Return a node of the tree as the page shows it; `above` is the node that it is a part of."""
    repeated = above is not None and above.rules == reason.rules
    rules = () if repeated else reason.rules
    # What is only noted has no amount; what is only moved says its amount in its sentence.
    noted = reason.key in NOTES or (reason.amount_fen == 0 and "moved_fen" in reason.facts)
    return Why(
        text=sentence(voice, reason),
        amount="" if noted else voice.amount(reason.amount_fen),
        doubtful=reason.doubtful and not repeated,
        rules=tuple(rule_sentences(voice, rule) for rule in rules),
        places=tuple(rule_path(rule.book_digest, rule.path) if rule.here else "" for rule in rules),
        parts=tuple(why(voice, each, reason) for each in reason.children),
    )
