"""Rule books of a node in which one word is another."""

import re

from tests.services.settlement.books import REGION
from tongcheng.kernel.home import Home
from tongcheng.kernel.rulebook import Shelf, parse


def set_word(home: Home, key: str, word: str) -> None:
    """Let every rule book of a node say `word` under the only key of this name."""
    texts = [path.read_text("utf-8") for path in (REGION / "rulebooks").glob("*.yaml")]
    changed = [re.sub(rf"(\b{key}: {{value: )\w+", rf"\g<1>{word}", text) for text in texts]
    assert changed != texts or f"{key}: {{value: {word}" in "".join(texts), key
    home.shelf = Shelf([parse(text) for text in changed], allow_drafts=True)
