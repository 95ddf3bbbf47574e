"""One node as one process: an asyncio loop under uvicorn, one writer thread, a clean end.

SIGINT and SIGTERM end it with exit code 0: no new requests, those under way are answered, the
batch in the writer's hand is committed, the store is closed.
"""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog
import uvicorn
import uvloop

from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.node import logs
from tongcheng.node.agency import HttpAgency
from tongcheng.node.app import create_app
from tongcheng.node.connection import BoundedProtocol
from tongcheng.node.console import make_console
from tongcheng.node.core import Node, open_database
from tongcheng.node.files import Settings, open_home, pack_folder, read_settings
from tongcheng.node.http_transport import HttpTransport
from tongcheng.node.line import CuttableTransport, lines_of, watch

KEEP_ALIVE_S = 75
"""Longer than a peer keeps its side, so that it never posts into a connection just closed."""

GRACE_S = 5
BACKLOG = 2_048
COLLECT_AFTER = (20_000, 20, 100)
"""How much is allocated between two searches for cycles. A bill of 60 lines makes thousands of
objects and hardly a cycle: with Python's own 700 a node spent a tenth of its time on searching."""

log = structlog.get_logger("tongcheng.node")


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling, which would end the process by the signal."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(
    directory: Path,
    *,
    passphrase: bytes | None,
    announce: Callable[[str], None],
    until_stdin_closes: bool = False,
) -> None:
    """Serve the node in `directory` until it is told to stop.

    `announce` is told where it answers, as soon as it listens. With `until_stdin_closes` it also
    stops when its standard input ends: a parent's pipe ends with the parent, however that dies.
    """
    settings = read_settings(directory)
    home = open_home(directory, passphrase=passphrase)
    logs.configure(settings.log_format)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(directory, settings, home, announce, until_stdin_closes))


async def _serve(
    directory: Path,
    settings: Settings,
    home: Home,
    announce: Callable[[str], None],
    until_stdin_closes: bool,  # noqa: FBT001 handed through from `serve`, where it is named
) -> None:
    transport = HttpTransport(lambda: home.accord.limits.batch_bytes)
    if settings.benefit_url:
        home.agency = HttpAgency(transport, settings.benefit_url)
    database = open_database(directory, home.ring.mac_key)
    lines = lines_of(directory)
    to_peers = CuttableTransport(transport, lines, home) if settings.demo else transport
    node = Node(home, database, SystemClock(), to_peers, threaded=True)
    node.warm()
    node.open()
    noticing = watch(lines, home.member_id, node.exchange.line_is_back) if settings.demo else None
    watching = None if noticing is None else asyncio.create_task(noticing, name="lines")
    try:
        listening = listen(settings.host, settings.port)
        announce(f"http://{_shown_host(settings.host)}:{settings.port}")
        node.start()
        server = _Server(_configuration(node, settings))
        # What is there now stays until the end: it need not be searched ever again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        _stop_on_signals(server)
        if until_stdin_closes:
            _stop_with_stdin(server)
        log.info("serving", member=home.member_id, host=settings.host, port=settings.port)
        await server.serve(sockets=[listening])
    finally:
        if watching is not None:
            watching.cancel()
        await node.stop()
        await transport.close()
        log.info("stopped", member=home.member_id)


def _configuration(node: Node, settings: Settings) -> uvicorn.Config:
    console = make_console(
        node, synthetic=settings.synthetic, demo=settings.demo, address=settings.address
    )
    app = create_app(
        node,
        console,
        pages=settings.console == "open",
        bill_pages=settings.bill_pages == "open",
        metrics=settings.metrics,
        run_node=False,
        local_names_only=settings.console == "open",
        pack_folder=pack_folder(settings.region),
    )
    # A node that serves people has the time for it: its home page sets them going.
    app.state["mobility_figures"].enable()
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        lifespan="on",
        log_config=None,
        access_log=False,
        # Whoever connects is the client: a header that says otherwise would defeat the limits. Only
        # a proxy on this machine is believed; or one stranger's refusals would lock out everybody.
        proxy_headers=True,
        forwarded_allow_ips=["127.0.0.1", "::1"],
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
        backlog=BACKLOG,
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; refuses ADDRESS_IN_USE with the system's reason."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as fault:
        raise Refused("ADDRESS_IN_USE", host=host, port=port, fault=_reason(fault)) from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as fault:
        listening.close()
        raise Refused("ADDRESS_IN_USE", host=host, port=port, fault=_reason(fault)) from None
    listening.setblocking(False)  # noqa: FBT003 the standard library's own signature
    return listening


def _reason(fault: OSError) -> str:
    return fault.strerror or type(fault).__name__


def _shown_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _stop_on_signals(server: uvicorn.Server) -> None:
    """Stop at the first signal; at the second one without waiting for requests under way."""

    def stop() -> None:
        server.force_exit = server.should_exit
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


def _stop_with_stdin(server: uvicorn.Server) -> None:
    loop = asyncio.get_running_loop()
    handle = sys.stdin.fileno()

    def readable() -> None:
        if not os.read(handle, 4_096):
            loop.remove_reader(handle)
            server.should_exit = True

    loop.add_reader(handle, readable)
