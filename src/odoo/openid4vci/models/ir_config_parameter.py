# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models


class IrConfigParameter(models.Model):
    """The switch openid4vci.http decides which routes there are."""

    _inherit = "ir.config_parameter"

    @api.model_create_multi
    def create(self, vals_list):
        parameters = super().create(vals_list)
        parameters._vci_refresh_routes()
        return parameters

    def write(self, vals):
        self._vci_refresh_routes()
        result = super().write(vals)
        self._vci_refresh_routes()
        return result

    def unlink(self):
        self._vci_refresh_routes()
        return super().unlink()

    def _vci_refresh_routes(self):
        if "openid4vci.http" in self.mapped("key"):
            self.env.registry.clear_cache("routing")
