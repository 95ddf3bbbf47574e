"""From a rule book to its policy in one language. Pure: a voice, a book, and words for refusals."""

from collections.abc import Callable, Iterator

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.kernel.rulebook_adoption import doubts_of
from tongcheng.services.settlement import management, overlay, rules
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.policy.disputes import Disputes
from tongcheng.services.settlement.policy.model import Dispute, Policy, Section
from tongcheng.services.settlement.policy.origins import Origins, confidence_said
from tongcheng.services.settlement.policy.sections import (
    Sections,
    management_sections,
    overlay_sections,
    rest,
)
from tongcheng.web.voice import Voice

Explain = Callable[[Refused], str]


class Effective(msgspec.Struct, frozen=True, kw_only=True):
    """What a book says of its first and last day beside the days themselves."""

    confidence: str = ""
    remark: str = ""


def policy(
    voice: Voice, book: RuleBook, explain: Explain, place: Callable[[str], str] = str
) -> Policy:
    """Return a book as a policy.

    `explain` says a refusal in the voice's language, `place` a division by its prefix.
    """
    origins = Origins(voice, book)
    sections: tuple[Section, ...] = ()
    fault = ""
    try:
        sections = tuple(_sections(voice, origins, book, place))
    except Refused as refused:
        fault = explain(refused)
    disputes: tuple[Dispute, ...] = ()
    if book.kind == rules.KIND:
        disputes = tuple(Disputes(voice, origins, book, explain).all())
    told = {each.path for section in sections for each in section.origins}
    told |= {
        each.path for one in disputes if one.section is not None for each in one.section.origins
    }
    left = rest(voice, origins, told)
    doubts = doubts_of(book)
    note = book.document.get("note")
    return Policy(
        title=book.title.get(voice.language, book.book_id),
        about=_about(voice, book),
        doubts=voice.tn("settlement.policy.doubts", doubts.doubtful, figures=doubts.figures)
        if doubts.doubtful
        else voice.t("settlement.policy.doubts.none"),
        counts=origins.counts(),
        note=note if isinstance(note, str) else "",
        disputes=disputes,
        sections=(*sections, left) if left.origins else sections,
        sources=origins.source_lines(),
        fault=fault,
    )


def _sections(
    voice: Voice, origins: Origins, book: RuleBook, place: Callable[[str], str]
) -> Iterator[Section]:
    """Return the sections of a book by its kind; refuses what its kind refuses to compile."""
    if book.kind == rules.KIND:
        return Sections(voice, origins, book, compile_benefit(book)).all()
    if book.kind == overlay.KIND:
        overlay.compile_overlay(book)
        return overlay_sections(voice, origins, book, place)
    if book.kind == management.KIND:
        management.read_rules(book)
        return management_sections(voice, origins)
    return iter(())


def _about(voice: Voice, book: RuleBook) -> tuple[tuple[str, str], ...]:
    effective = book.document.get("effective")
    found = Effective()
    if isinstance(effective, dict):
        found = Effective(
            confidence=str(effective.get("confidence") or ""),
            remark=str(effective.get("remark") or ""),
        )
    about = [(voice.t("settlement.policy.about.days"), days(voice, book))]
    if found.confidence:
        sure = confidence_said(voice, found.confidence)
        words = voice.t("settlement.policy.semicolon").join(
            each for each in (sure, found.remark) if each
        )
        about.append((voice.t("settlement.policy.about.days.origin"), words))
    return (*about, (voice.t("settlement.policy.about.digest"), book.digest))


def days(voice: Voice, book: RuleBook) -> str:
    """Return from when to when a version is in force, in words."""
    begins = voice.day(book.effective_from)
    if book.effective_to is None:
        return voice.t("settlement.policy.days.from", begins=begins)
    ends = voice.day(book.effective_to)
    return voice.t("settlement.policy.days.both", begins=begins, ends=ends)
