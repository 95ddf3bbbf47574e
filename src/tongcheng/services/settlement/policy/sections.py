"""The sections of a benefit book's policy, in the order in which a clerk asks."""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.settlement.policy.grids import Grids
from tongcheng.services.settlement.policy.model import Figure, Grid, Line, Section
from tongcheng.services.settlement.policy.origins import Origins
from tongcheng.services.settlement.policy.words import PERSON_KEYS, listed
from tongcheng.services.settlement.readings import ALTERNATIVES
from tongcheng.services.settlement.rules import BenefitRules, Cover, read_rules
from tongcheng.services.settlement.tables import BenefitTables
from tongcheng.web.voice import Voice

LAYER_KEYS: Final = {
    "pool": "settlement.policy.layer.pool",
    "large": "settlement.policy.layer.large",
    "catastrophic": "settlement.policy.layer.catastrophic",
    "assistance": "settlement.policy.layer.assistance",
    "announced": "settlement.policy.layer.announced",
}
MEASURE_KEYS: Final = {
    "excess": "settlement.policy.measure.excess",
    "burden": "settlement.policy.measure.burden",
}


class Sections:
    """The sections of one book, or of another reading of it.

    `real` turns a compiled rule's path into the document's: another reading stands elsewhere.
    """

    def __init__(
        self,
        voice: Voice,
        origins: Origins,
        book: RuleBook,
        tables: BenefitTables,
        real: Callable[[str], str] = str,
    ) -> None:
        self._voice = voice
        self._origins = origins
        self._rules: BenefitRules = read_rules(book)
        self._grids = Grids(voice, origins, tables, real)
        self._real = real

    def all(self) -> Iterator[Section]:
        """Return the sections that the book has something to say in."""
        sections = (
            self.covered(),
            self.deductible(),
            self.bands(),
            self.caps(),
            self.filing(),
            self.cover("catastrophic", self._rules.catastrophic),
            self.cover("assistance", self._rules.assistance),
            self.funds(),
            self.period(),
            self.reference(),
        )
        return (each for each in sections if each.said or each.lines or each.grids)

    def _section(
        self,
        key: str,
        title: str,
        *,
        below: tuple[str, ...] = (),
        sentences: tuple[str, ...] = (),
        lines: tuple[Line, ...] = (),
        grids: tuple[Grid | None, ...] = (),
    ) -> Section:
        paths = self._origins.under(*map(self._real, below))
        return Section(
            key,
            title,
            tuple(each for each in sentences if each),
            lines,
            tuple(each for each in grids if each is not None),
            self._origins.of(paths),
        )

    def _lines(self, *prefixes: str) -> tuple[Line, ...]:
        paths = self._origins.under(*map(self._real, prefixes))
        return tuple(self._origins.line(path) for path in paths)

    def covered(self) -> Section:
        """Say whom the book is about."""
        who = listed(self._voice, [self._voice.t(PERSON_KEYS[one]) for one in self._rules.persons])
        return self._section(
            "covered",
            self._voice.t("settlement.policy.section.covered"),
            sentences=(self._voice.t("settlement.policy.covered", who=who),),
        )

    def deductible(self) -> Section:
        """Say what a person bears first."""
        grid, silent = self._grids.deductible()
        return self._section(
            "deductible",
            self._voice.t("settlement.policy.section.deductible"),
            below=("rules.deductible",),
            sentences=(self._silent(silent),),
            lines=(
                *self._lines("rules.deductible.basis"),
                *self._lines("rules.deductible.adjustments"),
            ),
            grids=(grid,),
        )

    def _silent(self, hospitals: str) -> str:
        if not hospitals:
            return ""
        return self._voice.t("settlement.policy.silent", hospitals=hospitals)

    def bands(self) -> Section:
        """Say which share of which stretch the pool pays."""
        grid, silent = self._grids.bands()
        return self._section(
            "bands",
            self._voice.t("settlement.policy.section.bands"),
            below=("rules.bands", "rules.adjustments"),
            sentences=(self._voice.t("settlement.policy.bands"), self._silent(silent)),
            lines=self._lines("rules.adjustments"),
            grids=(grid,),
        )

    def caps(self) -> Section:
        """Say how far the pool goes, and what comes after it."""
        nothing = "" if self._rules.large else self._voice.t("settlement.policy.no_large")
        title = self._voice.t("settlement.policy.section.large")
        large = tuple(
            msgspec.structs.replace(line, note=title) for line in self._lines("rules.large")
        )
        return self._section(
            "caps",
            self._voice.t("settlement.policy.section.caps"),
            below=("rules.pool_cap", "rules.large", "rules.total_cap"),
            sentences=(nothing,),
            lines=(*self._lines("rules.pool_cap"), *large, *self._lines("rules.total_cap")),
        )

    def filing(self) -> Section:
        """Say the place's own terms for stays elsewhere."""
        return self._section(
            "filing",
            self._voice.t("settlement.policy.section.filing"),
            below=("rules.filing",),
            sentences=(self._voice.t("settlement.policy.filing"),) if self._rules.filing else (),
            lines=self._lines("rules.filing"),
        )

    def cover(self, layer: str, cover: Cover | None) -> Section:
        """Say the terms of a second cover."""
        voice, lines = self._voice, []
        sentences: dict[str, None] = {}
        for at, terms in enumerate(() if cover is None else cover.terms):
            path = self._real(f"rules.{layer}.terms[{at}]")
            lines.append(self._origins.line(f"{path}.deductible"))
            for step in range(len(terms.steps)):
                here = f"{path}.steps[{step}]"
                lines.append(self._origins.line(f"{here}.ratio", f"{here}.to"))
            lines.append(self._origins.line(f"{path}.cap"))
            sentences[voice.t(MEASURE_KEYS[terms.measure])] = None
        title = "" if cover is None else cover.title.get(voice.language, "")
        if lines and not any(fund.layer == layer for fund in self._rules.funds):
            sentences[voice.t("settlement.policy.announced")] = None
        return self._section(
            layer, title, below=(f"rules.{layer}",), sentences=tuple(sentences), lines=tuple(lines)
        )

    def funds(self) -> Section:
        """Say which funds pay, and when."""
        voice = self._voice
        lines = []
        for at, fund in enumerate(self._rules.funds):
            line = self._origins.line(
                self._real(f"rules.funds[{at}].paid_at"), label=fund.title.get(voice.language, "")
            )
            layer = voice.t(LAYER_KEYS[fund.layer])
            lines.append(msgspec.structs.replace(line, note=layer))
        return self._section(
            "funds",
            voice.t("settlement.policy.section.funds"),
            below=("rules.funds",),
            lines=tuple(lines),
        )

    def period(self) -> Section:
        """Say what restarts when."""
        return self._section(
            "period",
            self._voice.t("settlement.policy.section.period"),
            below=("rules.period",),
            lines=self._lines("rules.period"),
        )

    def reference(self) -> Section:
        """Show figures that other books decide."""
        lines = self._lines("rules.reference")
        return self._section(
            "reference",
            self._voice.t("settlement.policy.section.reference"),
            below=("rules.reference",),
            sentences=(self._voice.t("settlement.policy.reference"),) if lines else (),
            lines=lines,
        )

    def as_alternative(self, at: int, named: set[str]) -> Section:
        """Return what another reading says otherwise, as one section; `named` are its parts."""
        parts = []
        if named & {"bands", "adjustments"}:
            parts.append(self.bands())
        if named & {"pool_cap", "large", "total_cap"}:
            parts.append(self.caps())
        if "deductible" in named:
            parts.append(self.deductible())
        path = f"{ALTERNATIVES}[{at}]"
        return Section(
            key=f"alternative-{at}",
            title=self._voice.t("settlement.policy.alternative.says"),
            lines=tuple(line for part in parts for line in part.lines),
            grids=tuple(grid for part in parts for grid in part.grids),
            origins=self._origins.of(self._origins.under(path)),
        )


def overlay_sections(
    voice: Voice, origins: Origins, book: RuleBook, place: Callable[[str], str]
) -> Iterator[Section]:
    """Return the sections of the region's book on stays elsewhere; `place` names a division."""
    yield _plain(
        "filing",
        voice.t("settlement.policy.section.filing"),
        origins,
        ("rules.filing", "rules.emergency_filed"),
        voice.t("settlement.policy.cut"),
    )
    rules = book.document["rules"]
    rows = rules.get("deemed", []) if isinstance(rules, dict) else []
    between = [
        listed(voice, [place(str(each)) for each in places])
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and isinstance(places := row.get("between"), list)
    ]
    sentences = (voice.t("settlement.policy.deemed", places=each) for each in between)
    title = voice.t("settlement.policy.section.deemed")
    yield _plain("deemed", title, origins, ("rules.deemed",), *sentences)
    yield _principles(voice, origins, book)


def _principles(voice: Voice, origins: Origins, book: RuleBook) -> Section:
    rules = book.document["rules"]
    rows = rules.get("principles", []) if isinstance(rules, dict) else []
    lines = []
    for at, row in enumerate(rows if isinstance(rows, list) else []):
        path = f"rules.principles[{at}].rule"
        text = row.get("text") if isinstance(row, dict) else None
        if isinstance(text, dict) and path in origins.values:
            label = str(text.get(voice.language, ""))
            clause = origins.values[path].clause or ""
            lines.append(Line(label, Figure(clause, origins.marks(path))))
    return Section(
        key="principles",
        title=voice.t("settlement.policy.section.principles"),
        lines=tuple(lines),
        origins=origins.of(origins.under("rules.principles")),
    )


def management_sections(voice: Voice, origins: Origins) -> Iterator[Section]:
    """Return the sections of a visited place's book for its hospitals."""
    title = voice.t("settlement.policy.section.line_query")
    sentence = voice.t("settlement.policy.line_query")
    yield _plain("line-query", title, origins, ("rules.line_query",), sentence)
    title = voice.t("settlement.policy.section.upload")
    yield _plain("upload", title, origins, ("rules.uploaded_differs_most",))


def _plain(
    key: str, title: str, origins: Origins, below: tuple[str, ...], *sentences: str
) -> Section:
    paths = origins.under(*below)
    lines = tuple(origins.line(path) for path in paths)
    return Section(key, title, sentences if paths else (), lines, origins=origins.of(paths))


def rest(voice: Voice, origins: Origins, told: set[str]) -> Section:
    """Return a section of the figures that no other one has told of."""
    paths = tuple(path for path in origins.values if path not in told)
    lines = tuple(origins.line(path, label=origins.names.of(path)) for path in paths)
    title = voice.t("settlement.policy.section.rest")
    return Section("rest", title, (), lines, origins=origins.of(paths))
