# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class VciSetupWizard(models.TransientModel):
    _name = "vci.setup.wizard"
    _description = "Set up the issuer of credentials"

    url = fields.Char("URL")
    name = fields.Char()
