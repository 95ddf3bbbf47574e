"""Words that several of the node's pages share: members, entries, envelopes, what was done."""

from collections.abc import Mapping, Sequence

from tongcheng.kernel.exchange.tables import ACT_SENT, ACT_TAKEN
from tongcheng.web import Page

KIND_KEY = "node.kind."
TYPE_KEY = "node.type."
HASH_SHOWN = 12


def short(page: Page, member_id: str) -> str:
    """Return the short name of a member's place."""
    return page.voice.of(page.console.place_of(member_id).short)


def colour(page: Page, member_id: str) -> str:
    """Return the colour of a member's place."""
    return page.console.place_of(member_id).colour


def listed(page: Page, names: Sequence[str]) -> str:
    """Join names as people do: "Beijing, Tianjin and Hebei"."""
    if len(names) < 2:  # noqa: PLR2004 one name needs no joining
        return "".join(names)
    joined = page.t("node.list.comma").join(names[:-1])
    return joined + page.t("node.list.and") + names[-1]


def kind_words(page: Page, kind: str) -> str:
    """Return what an entry of the journal is, or its kind as it stands if nobody has words."""
    return _words(page, KIND_KEY, kind)


def type_words(page: Page, envelope_type: str) -> str:
    """Return what an envelope asks or says; of a type without words, the type itself."""
    return _words(page, TYPE_KEY, envelope_type.partition("/")[0], envelope_type)


def transfer_words(page: Page, kind: str) -> str:
    """Return how a transfer moves its amount: at once, by a hold, from one, or not after all."""
    return _words(page, "node.transfer.kind.", kind)


def scheme_words(page: Page, scheme: str) -> str:
    """Return what people call a scheme, which the service that settles has words for."""
    return _words(page, "settlement.scheme.", scheme)


def fund_words(page: Page, fund: str) -> str:
    """Return what people call a fund."""
    return _words(page, "node.fund.", fund)


def action_words(page: Page, reads: Mapping[str, str], action: str) -> str:
    """Return what the audit says was done; of an action without words, its code.

    `reads` is the node's: the key of what was looked at, for each action that shows a person.
    """
    key = reads.get(action)
    return page.t(key) if key else _words(page, "action.", action)


def is_act(kind: str) -> bool:
    """Tell whether an entry of this kind is an envelope."""
    return kind in {ACT_SENT, ACT_TAKEN}


def _words(page: Page, prefix: str, name: str, otherwise: str = "") -> str:
    key = prefix + name
    return page.t(key) if page.console.texts.has(key) else otherwise or name
