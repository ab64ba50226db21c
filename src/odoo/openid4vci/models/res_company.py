# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    vci_issuer_url = fields.Char(
        "Credential issuer",
        help="URL of the issuer of this company's credentials. It was chosen at set-up"
        " and does not follow the address of Odoo.",
    )
