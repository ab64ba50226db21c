# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class ResUsers(models.Model):
    _inherit = "res.users"

    vci_labels = fields.Json(
        "Visible labels",
        groups="openid4vci.group_issuer_admin",
        help="Which offers the user sees: for each label the values of which an offer"
        " has one. Empty: those of all labels.",
    )
