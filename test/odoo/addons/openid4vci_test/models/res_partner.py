# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class ResPartner(models.Model):
    """What the guide's examples read of a person."""

    _inherit = "res.partner"

    wallet_did = fields.Char("Wallet's DID")
    external_id = fields.Char()
