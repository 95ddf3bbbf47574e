"""Compiles what computes in bulk before a node is ready, so that no request ever waits for it."""

import structlog

log = structlog.get_logger("tongcheng.settlement")


def warm() -> None:
    """Load and compile the kernel and the sums.

    Without numba the slow twin computes, without the extra `analysis` nothing does: a node settles
    without either.
    """
    try:
        from tongcheng.services.settlement.batch import run  # noqa: PLC0415 an extra
        from tongcheng.services.settlement.what_if import sums  # noqa: PLC0415 an extra
    except ImportError as missing:
        log.info("not_warmed", missing=missing.name)
        return
    backend = run.warm()
    sums.warm()
    log.info("warmed", backend=backend)
