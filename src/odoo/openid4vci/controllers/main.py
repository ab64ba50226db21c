# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The endpoints of the issuers, served by Odoo: one call of vci_http each."""

import logging
from urllib.parse import quote, uses_netloc

import psycopg2

from odoo import http
from odoo.http import Response, request
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..models.vci_sql import unrecorded
from .fault import TooLarge, fault_of
from .routes import ROUTES

_logger = logging.getLogger(__name__)

# Each Location is written anew on its way out, and would lose the two slashes that
# wallets look for.
uses_netloc.append("openid-credential-offer")

# Bodies of up to this size are handed to vci_http without asking first how much it
# takes: it says so itself.
USUAL_BODY = 1024 * 1024


def ask(cr, method, target, headers, body):
    """Hand a request to vci_http: its status, list of headers and body. What a
    wallet did wrong is such an answer, too, and must be committed."""
    try:
        with unrecorded():
            cr.execute(
                "SELECT status, headers, body"
                " FROM openid4vci.vci_http(%s, %s, %s::text[], %s)",
                (method, target, headers, psycopg2.Binary(body)),
                log_exceptions=False,
            )
    except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
        raise
    except psycopg2.Error as error:
        # The error itself may quote the statement, and with it secrets.
        _logger.error("vci_http failed: %s", error.pgcode or "no connection")
        fault = fault_of(error)
    else:
        status, out, content = cr.fetchone()
        return status, list(zip(out[::2], out[1::2], strict=True)), bytes(content)
    raise fault


def limit_of_extension(cr):
    """openid4vci.max_body_size, which is there when a call has loaded the library."""
    cr.execute(
        "SELECT pg_size_bytes(current_setting('openid4vci.max_body_size'))"
        " FROM openid4vci.vci_http('OPTIONS', '/')"
    )
    return cr.fetchone()[0]


def largest_body(cr, httprequest):
    """How many bytes the body of this request may have."""
    unknown = "Transfer-Encoding" in httprequest.headers
    if unknown or (httprequest.content_length or 0) > USUAL_BODY:
        return max(limit_of_extension(cr), USUAL_BODY)
    return USUAL_BODY


def body_of(httprequest):
    """The body as it came. Of one that does not tell its length werkzeug hands out as
    much as it may: that is one byte too much."""
    body = httprequest.get_data()
    if len(body) >= httprequest.max_content_length:
        raise TooLarge(httprequest.max_content_length - 1)
    return body


def target_of(httprequest):
    """Path and query as they came. SQL's text has no NUL, and a path none either: it
    is refused as what it is."""
    environ = httprequest.environ
    target = environ.get("REQUEST_URI") or environ.get("RAW_URI")
    if not target:
        target = quote(httprequest.path, safe="/:@!$&'()*+,;=~")
        if environ.get("QUERY_STRING"):
            target += "?" + environ["QUERY_STRING"]
    return target.replace("\0", "%00")


def headers_of(httprequest):
    """name, value, name, value, ... (RFC 9110 section 5.5: NUL may become a space)"""
    return [
        part.replace("\0", " ") for pair in httprequest.headers.items() for part in pair
    ]


class VciController(http.Controller):
    # Not for a read-only cursor, which auth="none" alone would bring. No cors: Odoo
    # would answer preflights itself.
    @http.route(
        ROUTES,
        type="vci",
        auth="none",
        csrf=False,
        save_session=False,
        readonly=False,
        max_content_length=lambda self: self._vci_limit(),
    )
    def vci_endpoint(self, **path):
        httprequest = request.httprequest
        status, headers, body = ask(
            request.env.cr,
            httprequest.method,
            target_of(httprequest),
            headers_of(httprequest),
            body_of(httprequest),
        )
        # A list: for bytes a Content-Length would be computed, wrong for HEAD.
        response = Response([body], status=status, headers=headers)
        if not any(name.lower() == "content-type" for name, _value in headers):
            response.headers.remove("Content-Type")
        return response

    def _vci_limit(self):
        # Without a database nothing is read.
        limit = largest_body(request.env.cr, request.httprequest) if request.db else 0
        return limit + 1
