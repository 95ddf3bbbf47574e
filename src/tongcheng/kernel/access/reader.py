"""Whoever asks for a page, as the page sees them."""

import msgspec


class Reader(msgspec.Struct, frozen=True):
    """One who reads a page: signed in or a visitor (访问者).

    `actor` is what the audit calls them: "visitor", or "account/" and the account's id. `name` and
    `role` are shown to themselves and empty for a visitor. `actions` are the names of what the
    table of authority lets them do now. `form_token` belongs to the session: every form they send
    carries it, so that no other site can send one in their name.
    """

    actor: str
    actions: frozenset[str]
    name: str = ""
    role: str = ""
    form_token: str = ""

    @property
    def signed_in(self) -> bool:
        """Tell whether somebody with an account reads."""
        return bool(self.role)

    def may(self, action: str) -> bool:
        """Tell whether the table lets them do it now."""
        return action in self.actions
