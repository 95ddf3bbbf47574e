"""A real Chromium for tests: found or skipped with a reason, kept off every other network.

`serving(app)` runs an ASGI application on 127.0.0.1 in a thread; `launch()` opens a browser.
With TONGCHENG_REQUIRE_BROWSER=1 a missing browser is a failure, so that CI cannot skip quietly.
"""

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest
import uvicorn
from playwright.sync_api import Browser, Error, sync_playwright

ARGUMENTS = (
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_S_MAX = 10


def chromium() -> str:
    """Return the browser's path, or skip (fail when one is required).

    The shell is the same build without windows: a page of its own costs it a quarter.
    """
    names = ("chromium-headless-shell", "chromium", "chromium-browser")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        _missing("no Chromium on this machine (Debian: apt-get install chromium-headless-shell)")
    return str(path)


@contextlib.contextmanager
def launch() -> Iterator[Browser]:
    """Open a headless browser for the time of a block."""
    path = chromium()
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        except Error as fault:
            _missing(f"Chromium does not start: {str(fault).splitlines()[0]}")
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an application on a free port of 127.0.0.1; gives its address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + START_S_MAX
    while not server.started:
        assert thread.is_alive(), "the server stopped"
        assert time.monotonic() < until, "the server did not start"
        time.sleep(0.01)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(START_S_MAX)


def _missing(reason: str) -> NoReturn:
    if os.environ.get("TONGCHENG_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
