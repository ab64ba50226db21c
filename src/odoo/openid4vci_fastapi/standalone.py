# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The same router without Odoo:

    uvicorn --app-dir openid4vci_fastapi standalone:app

OPENID4VCI_DSN is the connection string of a role with the duty "endpoint"; libpq's own
variables (PGHOST, PGUSER, ...) fill what it leaves out. OPENID4VCI_CONNECTIONS (8) is
how many connections each worker has at most, OPENID4VCI_MAX_BODY (1048576) how many
bytes a body may have; openid4vci.max_body_size comes after it.
"""

import logging
import os
import random
import re
import time
from contextlib import contextmanager
from queue import LifoQueue

import psycopg2
from fastapi import FastAPI
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from routers.vci import MAX_BODY, Answer, ask_vci_http, max_body, vci_router

_logger = logging.getLogger("uvicorn.error")

TRIES = 5
CONFLICTS = ("40001", "40P01")
BUSY = (*CONFLICTS, "55P03", "57014", "25006")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

# Whoever has what follows can act for the person.
SECRET = re.compile(
    r"""(?<=/o/)[^\s?"']+|(?<=[?&]tx_code=)[^\s&"']+|[\w%~.-]{40,}""", re.ASCII
)

LARGEST_BODY = int(os.environ.get("OPENID4VCI_MAX_BODY", MAX_BODY))

# What lies here may be used: a connection, or None, the right to make one.
places = LifoQueue()
for _place in range(int(os.environ.get("OPENID4VCI_CONNECTIONS", "8"))):
    places.put(None)


def was_lost(error):
    """Is it the connection that failed, not the statement?"""
    return error.pgcode is None or error.pgcode.startswith("57P0")


class Unconfirmed(Exception):
    """The connection was lost in the middle of the commit."""


class SecretFilter(logging.Filter):
    """Keeps what only the wallet may know out of uvicorn's access log."""

    def filter(self, record):
        record.args = tuple(
            SECRET.sub("*", part) if isinstance(part, str) else part
            for part in record.args
        )
        return True


def connect():
    connection = psycopg2.connect(os.environ.get("OPENID4VCI_DSN", ""))
    connection.set_session(isolation_level="READ COMMITTED")
    return connection


@contextmanager
def lent_connection():
    connection = places.get()
    try:
        connection = connection or connect()
        yield connection
    finally:
        # What is broken, or was left in a transaction, is not kept.
        if connection and connection.info.transaction_status != TRANSACTION_STATUS_IDLE:
            connection.close()
            connection = None
        places.put(connection)


def ask_once(*request):
    """One call in a transaction of its own, committed before anybody is told."""
    with lent_connection() as connection:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT status, headers, body"
                " FROM openid4vci.vci_http(%s, %s, %s::text[], %s)",
                request,
            )
            status, headers, body = cursor.fetchone()
        try:
            connection.commit()
        except psycopg2.Error as error:
            if not was_lost(error):
                raise
            raise Unconfirmed() from None
    return status, list(zip(headers[::2], headers[1::2], strict=True)), bytes(body)


def sorry(status, text, retry=False) -> Answer:
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("Content-Length", str(len(text))),
    ]
    return status, headers + ([("Retry-After", "5")] if retry else []), text.encode()


def sorry_for(error) -> Answer:
    """What a wallet is told of an error before the commit: nothing was changed."""
    if was_lost(error):
        return sorry(503, "The database is not reachable. Please try again.\n", True)
    if error.pgcode in BUSY or error.pgcode.startswith("53"):
        return sorry(
            503, "The service is busy. Nothing was changed; please try again.\n", True
        )
    return sorry(500, "The request failed inside the service. Nothing was changed.\n")


def ask(method, target, headers, body) -> Answer:
    for tries in range(1, TRIES + 1):
        try:
            return ask_once(method, target, headers, psycopg2.Binary(body))
        except Unconfirmed:
            _logger.error("the database did not confirm a request")
            if method in SAFE_METHODS:
                return sorry(503, "The database did not answer.\n", True)
            return sorry(
                503,
                "The database did not confirm the request: it may or may not have"
                " taken effect.\n",
            )
        except psycopg2.Error as error:
            # A connection may have died while it lay there.
            again = error.pgcode in CONFLICTS or was_lost(error)
            if not again or tries == TRIES:
                # Not the message: it may quote the statement, and with it secrets.
                _logger.error("vci_http failed: %s", error.pgcode or "no connection")
                return sorry_for(error)
        time.sleep(random.uniform(0, 0.01 * 2**tries))


logging.getLogger("uvicorn.access").addFilter(SecretFilter())
app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
app.include_router(vci_router)
app.dependency_overrides[ask_vci_http] = lambda: ask
app.dependency_overrides[max_body] = lambda: LARGEST_BODY
