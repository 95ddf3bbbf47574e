"""The table of findings in docs/mobility-feeds.md, from the literal table in the code."""

from tongcheng.kernel.texts import Texts
from tongcheng.services.mobility.feed.findings import SEVERITIES
from tongcheng.services.mobility.service import TEXTS_PATH

BEGIN = "<!-- findings: begin (written by `tongcheng docs feeds`) -->"
END = "<!-- findings: end -->"


def section() -> str:
    """Return the section of docs/mobility-feeds.md between its two marks."""
    texts = Texts.load(TEXTS_PATH)
    rows = [
        f"| `{code}` | {severity} | {texts.get(f'mobility.feed.finding.{code}', 'en')} |"
        for code, severity in SEVERITIES.items()
    ]
    return "\n".join([BEGIN, "", "| code | severity | what |", "|---|---|---|", *rows, "", END])


def replaced(page: str) -> str:
    """Return the page with its section written anew."""
    before, _, rest = page.partition(BEGIN)
    _, mark, after = rest.partition(END)
    assert mark, f"the page has no {BEGIN} … {END}"
    return before + section() + after
