# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class VciHelpDesk(models.TransientModel):
    _name = "vci.help.desk"
    _description = "A person's credentials"

    partner_id = fields.Many2one("res.partner", required=True)
