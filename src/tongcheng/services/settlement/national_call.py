"""One checked message of the national interface with all that serves it, and what came of it."""

from collections.abc import Callable

import msgspec

from tongcheng.kernel.authority import Caller
from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement.desk import Desk
from tongcheng.services.settlement.messages import MessageKey
from tongcheng.services.settlement.national_answers import Nodes
from tongcheng.services.settlement.national_fields import tables
from tongcheng.services.settlement.national_messages import Message, Value


class Done(msgspec.Struct, frozen=True):
    """What a transaction came to: its output, what to warn of, or the decision to refuse."""

    output: Nodes
    warnings: list[str] = []
    refused: Refused | None = None


Write = Callable[[int, Done], bytes]
"""Puts what was done at an instant into the bytes of the answer."""


class Call(msgspec.Struct, frozen=True):
    """One checked message with all that serves it."""

    desk: Desk
    caller: Caller
    message: Message
    write: Write

    @property
    def key(self) -> MessageKey:
        """Return under which key a repetition of the message is known."""
        header = self.message.header
        return MessageKey(self.caller.institution_id, header.infno, header.msgid)

    def text(self, field: str) -> str:
        """Return a text field of the first node; absent is empty."""
        return str(self._first.get(field, ""))

    def number(self, field: str) -> int:
        """Return a number or an instant of the first node that its table requires."""
        value = self._first[field]
        assert isinstance(value, int), field
        return value

    @property
    def _first(self) -> dict[str, Value]:
        table = tables().transactions[self.message.header.infno]
        return self.message.one(table.request[0].name)
