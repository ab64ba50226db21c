# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import SUPERUSER_ID, models


class Endpoint:
    """A route's endpoint; the dispatcher looks who it is, and calls it never."""

    def __init__(self, record):
        self.record_id = record.id
        self.routing = {
            "type": "fastapi",
            "auth": "public",
            "methods": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
            "routes": [f"{record.root_path}/<path:application_path>"],
            "save_session": record.save_http_session,
            "readonly": False,
        }


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def _generate_routing_rules(self, modules, converters):
        yield from super()._generate_routing_rules(modules, converters)
        endpoints = self.env["fastapi.endpoint"].with_user(SUPERUSER_ID)
        for record in endpoints.search([("registry_sync", "=", True)]):
            endpoint = Endpoint(record)
            for route in endpoint.routing["routes"]:
                yield route, endpoint
