# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The dispatcher of routing type vci, which does not parse the body: Odoo's own
would take forms apart, and what is parsed cannot be handed on as it came."""

import psycopg2
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from odoo.http import Dispatcher

from .fault import Fault, TooLarge, fault_of
from .no_database import no_database


class VciDispatcher(Dispatcher):
    routing_type = "vci"
    in_doubt = False

    @classmethod
    def is_compatible_with(cls, request):
        return True

    def dispatch(self, endpoint, args):
        if not self.request.db:
            no_database()
        self.request.params = dict(args)
        self.in_doubt = False
        answer = self.request.registry["ir.http"]._dispatch(endpoint)
        # What can fail from here on is the commit.
        self.in_doubt = True
        return answer

    def handle_error(self, exc):
        if isinstance(exc, RequestEntityTooLarge):
            return TooLarge(self.request.httprequest.max_content_length)
        if isinstance(exc, HTTPException):
            return exc
        if isinstance(exc, psycopg2.Error):
            return fault_of(exc, self.in_doubt)
        return Fault(500, "The request failed inside the service. Nothing was changed.")
