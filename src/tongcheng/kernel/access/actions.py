"""What can be done on a node's console, by name: the third column of the table of authority."""

import msgspec


class Action(msgspec.Struct, frozen=True):
    """One thing that people do (操作): the table of authority says which roles may.

    `name` is `<noun>.<verb>` with its service before it ("settlement.stay.read"). `personal`
    marks what shows personal data: each use of it is audited before the page is answered.
    """

    name: str
    personal: bool = False


KERNEL_ACTIONS: tuple[Action, ...] = (
    Action("accord.read"),
    Action("account.manage"),
    Action("account.own"),
    Action("account.sign_in"),
    Action("access.break_glass"),
    Action("access.delegate"),
    Action("access.review"),
    Action("audit.read"),
    Action("demo.run"),
    Action("exchange.read"),
    Action("journal.read"),
    Action("journal.entry.read", personal=True),
)
"""What can be done on the node's own pages, whichever services it runs."""
