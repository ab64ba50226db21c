# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    vci_http = fields.Boolean(
        "Serve wallets from Odoo", config_parameter="openid4vci.http"
    )
