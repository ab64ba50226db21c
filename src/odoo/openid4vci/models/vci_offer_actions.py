# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What is done with credential offers."""

from odoo import models


class VciOffer(models.Model):
    _inherit = "vci.offer"
