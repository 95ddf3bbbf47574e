"""What an estimate is asked with, and what it answers."""

from datetime import date
from typing import Final, Literal

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.words import Words
from tongcheng.services.settlement.explain_model import Explanation
from tongcheng.services.settlement.model import BenefitResult
from tongcheng.services.settlement.rule_words import RuleWords
from tongcheng.services.settlement.rules import Category, Filing, PersonType, Subtype, Tier

ELSEWHERE: Final = "elsewhere"
"""The visited place that no agreement of this region speaks about."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A stay that nobody has yet had: who, where, when, how much.

    `area` and `visited` are pooling areas of the region, `visited` also ELSEWHERE.
    `pool_used_fen` is what the pooled fund has paid in the year before it.
    """

    area: str
    scheme: str
    person_type: PersonType
    tier: Tier | None
    category: Category
    hospital_level: int
    hospital_subtype: Subtype | None
    visited: str
    filing: Filing
    on: date
    in_scope_fen: int
    admission_number: int = 1
    pool_used_fen: int = 0


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """The same stay with one thing changed: what the person would bear then.

    `value` is what is changed to: a level, a way of filing, the number of the admission; or for
    `reading` the path of the rule that another source has otherwise. `person_fen` is None where
    `refused` says why nothing can be said.
    """

    kind: Literal["level", "filing", "admission", "reading"]
    value: str
    person_fen: int | None
    difference_fen: int | None
    refused: Refused | None = None
    title: Words | None = None
    stated: str | None = None
    rule: RuleWords | None = None


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What the person would bear, why, and what would change it.

    `filing_matters` is False where the stay is at home, or counts as filed by an agreement.
    `silent_readings` is how many other readings of the book change nothing here.
    """

    question: Question
    result: BenefitResult
    explanation: Explanation
    what_ifs: tuple[WhatIf, ...]
    filing_matters: bool
    silent_readings: int


class Unknown(msgspec.Struct, frozen=True):
    """No estimate: why, and the rule whose figure nobody knows, if it is that."""

    refused: Refused
    rule: RuleWords | None
