"""Rule books for tests: the shipped one, and small ones made up on the spot."""

import re
from datetime import date
from pathlib import Path

from tongcheng.kernel.home import Home
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.rulebook import RuleBook, Shelf, parse

REGION = Path(__file__).parents[3] / "src" / "tongcheng" / "regions" / "jingjinji"


def beijing() -> RuleBook:
    """Return the shipped Beijing employee book."""
    return parse((REGION / "rulebooks" / "beijing-employee-inpatient.yaml").read_text("utf-8"))


def set_word(home: Home, key: str, word: str) -> None:
    """Let every rule book of a node say `word` under the only key of this name."""
    texts = [path.read_text("utf-8") for path in (REGION / "rulebooks").glob("*.yaml")]
    changed = [re.sub(rf"(\b{key}: {{value: )\w+", rf"\g<1>{word}", text) for text in texts]
    assert changed != texts or f"{key}: {{value: {word}" in "".join(texts), key
    home.shelf = Shelf([parse(text) for text in changed], allow_drafts=True)


def figure(value: str | None) -> dict[str, Plain]:
    """Return a made-up rule value."""
    return {"value": value, "source": "synthetic", "confidence": "own"}


def made_up(rules: dict[str, Plain]) -> RuleBook:
    """Return a synthetic benefit book with these rules."""
    return RuleBook(
        book_id="synthetic",
        kind="benefit",
        title={"zh": "虚构", "en": "synthetic"},
        admdvs="999999",
        scheme="310",
        effective_from=date(2025, 1, 1),
        effective_to=None,
        status="draft",
        digest="0" * 64,
        sources={},
        document={"rules": rules},
    )


def simple_rules(**changes: Plain) -> dict[str, Plain]:
    """Return rules that are easy to compute with: 100 deductible, half of the first 1,000 yuan."""
    rules: dict[str, Plain] = {
        "period": {
            "bands": figure("settlement_period"),
            "deductible": figure("calendar_year"),
            "cap": figure("calendar_year"),
            "year_of": figure(None),
        },
        "deductible": {
            "basis": figure("each_admission"),
            "rows": [
                {"levels": ["1", "2", "3"], "admission": "first", "amount": figure("100")},
                {"levels": ["1", "2", "3"], "admission": "later", "amount": figure("50")},
            ],
        },
        "bands": [
            {
                "levels": ["3"],
                "steps": [
                    {"to": figure("1000"), "ratio": figure("0.5")},
                    {"ratio": figure("0.8")},
                ],
            }
        ],
        "retired": {"method": "personal_share_times", "factor": figure("0.5")},
        "pool_cap": figure("10000"),
        "large": [
            {"persons": ["active", "retired"], "ratio": figure("0.9"), "cap": figure("9000")}
        ],
        "funds": [
            _fund("pool", "pool", "discharge"),
            _fund("large", "large", "discharge"),
            _fund("catastrophic", "announced", "year_end"),
        ],
    }
    merged = {**rules, **changes}
    return {key: value for key, value in merged.items() if value != "absent"}


def _fund(name: str, layer: str, paid_at: str) -> dict[str, Plain]:
    title: dict[str, Plain] = {"zh": name, "en": name}
    return {"fund": name, "layer": layer, "title": title, "paid_at": figure(paid_at)}
