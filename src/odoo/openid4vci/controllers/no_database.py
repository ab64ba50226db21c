# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What wallets are told while Odoo reaches no database. Odoo would say 404, which a
wallet takes for the end of its offer."""

from werkzeug.routing import Rule

from odoo.http import root

from .fault import Fault


def no_database():
    raise Fault(503, "No database answered. Please try again.", True)


no_database.routing = {
    "type": "vci",
    "auth": "none",
    "methods": None,
    "routes": [],
    "save_session": False,
}
answered = set()


def answer_without_database(routes):
    """From now on, in this process. What is there is never taken away again, which does
    no harm: no database, nobody knows what is switched off."""
    for url in sorted(set(routes) - answered):
        root.nodb_routing_map.add(Rule(url, endpoint=no_database, merge_slashes=False))
        answered.add(url)
