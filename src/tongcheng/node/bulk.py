"""Filling the store of a node that is not running: many commands, one commit each.

For data too large for one commit. Whoever writes the commands sees to it that nothing counts
before the last one; a refusal or a fault ends the work where it is.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.store import Command, Writer
from tongcheng.node.core import open_database
from tongcheng.node.files import open_home


def run_each(
    directory: Path, commands: Iterable[Command], *, passphrase: bytes | None = None
) -> Iterator[Any]:
    """Run the commands one after the other on the node in `directory`; yield each answer.

    No accord is in force for them: nothing they do may cross the border.
    """
    home = open_home(directory, passphrase=passphrase)
    clock = SystemClock()
    database = open_database(directory, home.ring.mac_key)
    database.open_writing(clock.now())
    try:
        writer = Writer(database, home, clock)
        for command in commands:
            outcome = writer.run([command])[0]
            if outcome.error is not None:
                raise outcome.error
            yield outcome.answer
    finally:
        database.close()
