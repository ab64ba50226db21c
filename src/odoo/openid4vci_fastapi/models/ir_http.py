# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import SUPERUSER_ID, models

from odoo.addons.openid4vci.controllers.no_database import answer_without_database


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def _generate_routing_rules(self, modules, converters):
        yield from super()._generate_routing_rules(modules, converters)
        self._vci_prepare_applications()

    def _register_hook(self):
        super()._register_hook()
        self._vci_prepare_applications()

    def _vci_prepare_applications(self):
        """Below the published applications, too, wallets are told when the database is
        away."""
        endpoints = self.env["fastapi.endpoint"].with_user(SUPERUSER_ID)
        published = [("app", "=", "vci"), ("registry_sync", "=", True)]
        answer_without_database(
            f"{endpoint.root_path}/<path:below>"
            for endpoint in endpoints.search(published)
        )
