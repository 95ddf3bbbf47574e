"""How commands over files of claims run: by whom, how far they are, and how they are stopped."""

import gc
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import click
from rich.console import Console
from rich.progress import Progress

QUIET_S: Final = 1
"""What is done sooner needs no progress."""
PIPE_COLUMNS: Final = 120
"""A file or a pipe has no width of its own: wide enough that no cell is folded."""
STOPPED: Final = 128 + signal.SIGTERM
"""The exit code of what SIGTERM ended, as shells tell it."""


def one_way(workers: int | None, scheduler: str | None) -> None:
    """Refuse what was asked to be divided in two ways."""
    if workers is not None and scheduler is not None:
        message = "--workers starts workers of its own; --scheduler has some already"
        raise click.UsageError(message)


@contextmanager
def running(claims: Path) -> Iterator[Callable[[int, int], None]]:
    """Give a way to tell how many rows of a file are done, of how many.

    SIGTERM ends the block as Ctrl-C does, so that nothing of it is left, with an exit code of its
    own.
    """
    gc.freeze()  # what was loaded stays to the end: it need not be searched for cycles
    started = time.monotonic()
    shown = Console(stderr=True)
    with (
        _stopped_cleanly(),
        Progress(console=shown, transient=True, disable=not shown.is_terminal) as progress,
    ):
        task = progress.add_task(claims.name, total=None, visible=False)

        def told(done: int, rows: int) -> None:
            late = time.monotonic() - started > QUIET_S
            progress.update(task, completed=done, total=rows, visible=late)

        yield told


@contextmanager
def _stopped_cleanly() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are not ours here
        return
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, _stopping)
    raise SystemExit(STOPPED)


def _stopping(_number: int, _frame: FrameType | None) -> None:
    """Let be who asks again: workers are waited for and files are deleted already."""


def result_console() -> Console:
    """Return where a command says what came of it."""
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = PIPE_COLUMNS
    return console
