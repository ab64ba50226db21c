# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Which model a credential configuration is for: the extension has no such column."""

from odoo import fields, models


class VciConfigurationSource(models.Model):
    _name = "vci.configuration.source"
    _description = "Model of a credential configuration"
    _rec_name = "source_model"

    number = fields.Integer(
        required=True, help="Of vci.credential.configuration, which is a view"
    )
    source_model = fields.Char(required=True)

    _number_uniq = models.Constraint(
        "UNIQUE (number)", "A credential configuration is for one model."
    )
