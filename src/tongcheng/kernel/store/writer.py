"""The one place where state changes: commands in, one commit, answers out.

A command is a function of a Transaction. The writer takes what waits (at most 1,000 commands),
runs it, persists the changed rows with one statement a table and commits once. A command that is
refused changes nothing; a command that fails for our own reasons takes the whole batch back, and
its commands run again one by one, so that it alone fails. Where a store cannot say what became of
a commit, nothing is run again, and each caller is told that it is not known.
"""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from tongcheng.kernel.clock import Clock
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.store.storage import CommitUnknown, Storage
from tongcheng.kernel.store.transaction import Signal, Transaction

Command = Callable[[Transaction], Any]

BATCH_COMMANDS_MAX = 1_000


class WriterStopped(Exception):
    """The node is stopping, or has lost its database; the command was not run."""


class Outcome:
    """What became of one command: its answer, or the error its caller must see."""

    __slots__ = ("answer", "error")

    def __init__(self, answer: Any = None, error: Exception | None = None) -> None:
        self.answer = answer
        self.error = error


class JointCommand(ABC):
    """A command that is cheaper to run with others of its class; each gets its own outcome."""

    __slots__ = ()

    @abstractmethod
    def __call__(self, transaction: Transaction) -> Any:
        """Run this command alone."""

    @staticmethod
    @abstractmethod
    def together(transaction: Transaction, commands: Sequence[Command]) -> list[Outcome]:
        """Run commands of this class in order; each outcome is what it would have been alone."""


class Writer:
    """Runs batches of commands against one database, without a thread of its own."""

    def __init__(self, database: Storage, home: Home, clock: Clock) -> None:
        self._database = database
        self._home = home
        self._clock = clock
        self.on_commit: Callable[[Sequence[Signal]], None] = lambda _signals: None

    def run(self, commands: Sequence[Command]) -> list[Outcome]:
        """Run the commands in order and return their outcomes, all durable."""
        assert 0 < len(commands) <= BATCH_COMMANDS_MAX, len(commands)
        try:
            self._database.begin()
        except Exception as error:  # noqa: BLE001 whatever it is, every caller is told
            # No command's fault: each tried alone, a thousand would wait for the store in turn.
            return [Outcome(error=self._public(error)) for _ in commands]
        try:
            outcomes, signals = self._run_together(commands)
        except CommitUnknown as error:
            # They may stand: not one of them is run a second time.
            refusal = Refused("STORE_UNCERTAIN", detail=str(error))
            refusal.__cause__ = error
            return [Outcome(error=refusal) for _ in commands]
        except Exception as error:  # noqa: BLE001 the failing command is found below
            if len(commands) == 1:
                return [Outcome(error=self._public(error))]
            return [self.run([command])[0] for command in commands]
        # Outside the try: what fails after the commit must not run the commands a second time.
        if signals:
            self.on_commit(signals)
        return outcomes

    def _run_together(self, commands: Sequence[Command]) -> tuple[list[Outcome], list[Signal]]:
        transaction = Transaction(self._database, self._home, self._clock.now())
        try:
            outcomes = _attempt_all(transaction, commands)
            self._database.persist(transaction.changes())
            self._database.commit()
        except BaseException:
            self._database.rollback()
            raise
        return outcomes, transaction.signals

    def _public(self, error: Exception) -> Exception:
        """Turn a storage fault into a refusal that says the caller may try again."""
        if isinstance(error, self._database.faults):
            refusal = Refused("STORE_UNAVAILABLE", detail=str(error))
            refusal.__cause__ = error
            return refusal
        return error


def _attempt_all(transaction: Transaction, commands: Sequence[Command]) -> list[Outcome]:
    """Run the commands in order; joint ones of one class that wait side by side, at once."""
    outcomes: list[Outcome] = []
    for joint, some in itertools.groupby(commands, _joint_class):
        if joint is None:
            outcomes.extend(_attempt(transaction, command) for command in some)
        else:
            with transaction.all_or_nothing():
                outcomes.extend(joint.together(transaction, list(some)))
    return outcomes


def _joint_class(command: Command) -> type[JointCommand] | None:
    return type(command) if isinstance(command, JointCommand) else None


def _attempt(transaction: Transaction, command: Command) -> Outcome:
    """Run one command; a refusal is its outcome and leaves no change behind."""
    try:
        with transaction.all_or_nothing():
            return Outcome(answer=command(transaction))
    except Refused as refusal:
        return Outcome(error=refusal)
