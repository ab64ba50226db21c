# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a wallet is told when the server is at fault. What a wallet did wrong is no
fault: vci_http answers it, and that answer is committed like any other."""

import json

from werkzeug.exceptions import HTTPException

from odoo.http import request

# Lock not available, cancelled, read-only server; out of resources; conflicts that
# outlasted every retry.
BUSY = ("55P03", "57014", "25006")
BUSY_CLASSES = ("53", "40")
RETRY_AFTER = "5"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class Fault(HTTPException):
    """Ends the request without a commit. Nothing of the request stands in it."""

    def __init__(self, code, description, retry=False):
        super().__init__(description)
        self.code = code
        self.retry = retry

    def get_body(self, environ=None, scope=None):
        return self.description + "\n"

    def get_headers(self, environ=None, scope=None):
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Cache-Control", "no-store"),
        ]
        return headers + ([("Retry-After", RETRY_AFTER)] if self.retry else [])


class TooLarge(Fault):
    """The body is not even read."""

    def __init__(self, limit):
        super().__init__(413, f"the body has more than {limit // 1024} kB")

    def get_body(self, environ=None, scope=None):
        return json.dumps(
            {"error": "invalid_request", "error_description": self.description}
        )

    def get_headers(self, environ=None, scope=None):
        return [
            ("Content-Type", "application/json"),
            ("Cache-Control", "no-store"),
            ("Access-Control-Allow-Origin", "*"),
        ]


def fault_of(error, in_doubt=False):
    """The fault for an error of the database driver. in_doubt: there was an answer, and
    the error came when it was to be committed."""
    sqlstate = error.pgcode
    if sqlstate and (sqlstate in BUSY or sqlstate[:2] in BUSY_CLASSES):
        return Fault(
            503, "The service is busy. Nothing was changed; please try again.", True
        )
    if sqlstate and not sqlstate.startswith("57P0"):
        return Fault(500, "The request failed inside the service. Nothing was changed.")
    # The connection is gone.
    if not in_doubt or request.httprequest.method in SAFE_METHODS:
        return Fault(503, "The database did not answer. Please try again.", True)
    return Fault(
        503,
        "The database did not confirm the request: it may or may not have taken"
        " effect.",
    )
