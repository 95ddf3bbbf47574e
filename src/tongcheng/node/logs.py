"""The log: one line an event, JSON for machines, readable on a terminal; never personal data."""

import logging
import sys
from typing import Literal

import structlog

FORMAT = Literal["auto", "json", "text"]


def configure(log_format: FORMAT) -> None:
    """Send every log line to standard error; `auto` is JSON unless that is a terminal."""
    as_json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Forward()], level=logging.WARNING, force=True)


class _Forward(logging.Handler):
    """Brings the warnings of libraries into the same log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log the message and the kind of the exception; an exception's own words may hold data."""
        log = structlog.get_logger(record.name)
        fault = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        facts = {} if fault is None else {"fault": fault}
        # uvicorn puts whole tracebacks into its messages; their first line says enough.
        first_line, _, _ = record.getMessage().partition("\n")
        log.log(record.levelno, first_line, **facts)
