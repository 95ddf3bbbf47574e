"""Whoever asks for a page, as the page sees them."""

import msgspec

from tongcheng.kernel.words import Words

VISITOR_ACTOR = "visitor"


class Reader(msgspec.Struct, frozen=True):
    """One who reads a page: signed in, or a visitor (访问者) without an account.

    `actor` is what the audit calls them: "visitor", or "account/" and the account's id. `actions`
    are the names of what the table of authority lets them do now, with what was lent to them.
    `name` and `roles` are shown to themselves. `form_token` belongs to the session: every form
    they send carries it, so that no other site can send one in their name. `must_change` says
    that their password was given by somebody else and opens nothing but its own change.
    `closes_at` (UTC ms) is when an emergency access ends, where this page is open by one.
    """

    actor: str
    actions: frozenset[str]
    name: str = ""
    roles: tuple[Words, ...] = ()
    account_id: str = ""
    form_token: str = ""
    must_change: bool = False
    closes_at: int | None = None

    @property
    def signed_in(self) -> bool:
        """Tell whether somebody with an account reads."""
        return bool(self.account_id)

    def may(self, action: str) -> bool:
        """Tell whether the table lets them do it now."""
        return action in self.actions
