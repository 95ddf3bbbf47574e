"""An answer that stores nothing: a whole stay, read as the interface reads it, and sent back.

`python -m benchmarks.echo_server PORT` serves it by the same stack as a node (uvicorn with its
bounded protocol, Litestar, msgspec): what a settlement cannot be quicker than over this interface.
"""

import asyncio
import sys

import uvicorn
import uvloop
from litestar import Litestar, post
from litestar.params import JSONBody

from benchmarks.in_process import HOST
from tongcheng.node.connection import BoundedProtocol
from tongcheng.node.serve import BACKLOG, listen
from tongcheng.services.settlement.api_one_call import NewSettlement

PATH = "/echo"


@post(PATH, status_code=200)
async def echo(data: JSONBody[NewSettlement]) -> NewSettlement:
    """Answer with what was sent."""
    return data


def main() -> None:
    """Serve until the process is ended."""
    listening = listen(HOST, int(sys.argv[1]))
    configuration = uvicorn.Config(
        Litestar([echo], logging_config=None, openapi_config=None),
        http=BoundedProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
    )
    server = uvicorn.Server(configuration)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve(sockets=[listening]))


if __name__ == "__main__":
    main()
