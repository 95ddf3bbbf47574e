"""A PostgreSQL server for tests, each with a schema of its own that is dropped afterwards.

The server is the one that libpq's conninfo in TONGCHENG_TEST_POSTGRES names, else database `test`
on this machine. Without a server these tests are skipped with the reason; where CI is set in the
environment, a missing server is a failure, so that CI cannot skip quietly.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

psycopg = pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")

CONNINFO = os.environ.get("TONGCHENG_TEST_POSTGRES", "host=127.0.0.1 dbname=test connect_timeout=3")


@contextmanager
def schema() -> Iterator[str]:
    """Give the name of a schema that does not exist yet; whatever it then has is dropped."""
    try:
        connection = psycopg.connect(CONNINFO, autocommit=True)
    except psycopg.OperationalError as error:
        reason = f"no PostgreSQL at {CONNINFO!r}: {error}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    name = f"tongcheng_test_{secrets.token_hex(6)}"
    try:
        yield name
    finally:
        with connection:
            connection.execute("SET lock_timeout = '5s'")
            connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
