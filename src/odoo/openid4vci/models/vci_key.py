# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Signing keys: vci_key_info."""

from odoo import api, fields, models


class VciKey(models.Model):
    _name = "vci.key"
    _description = "Signing key"
    _inherit = ["vci.view.mixin"]
    _auto = False
    _log_access = False
    _rec_name = "kid"
    _order = "id desc"

    kid = fields.Char("Key ID", readonly=True)
    issuer_id = fields.Many2one("vci.issuer", readonly=True)
    alg = fields.Char("Algorithm", readonly=True)
    state = fields.Char(readonly=True)
    public_jwk = fields.Json("Public key", readonly=True)
    has_certificates = fields.Boolean(readonly=True)
    created_at = fields.Datetime("Created", readonly=True)
    activated_at = fields.Datetime("In use since", readonly=True)
    retired_at = fields.Datetime("Retired", readonly=True)
    destroyed_at = fields.Datetime("Destroyed", readonly=True)
    published_until = fields.Datetime(readonly=True)

    @api.model
    def _view_query(self):
        return """
            SELECT k.id, k.kid, k.issuer_id, k.alg, k.state, k.public_jwk,
                   k.x5c IS NOT NULL AS has_certificates,
                   k.created_at AT TIME ZONE 'UTC' AS created_at,
                   k.activated_at AT TIME ZONE 'UTC' AS activated_at,
                   k.retired_at AT TIME ZONE 'UTC' AS retired_at,
                   k.destroyed_at AT TIME ZONE 'UTC' AS destroyed_at,
                   k.published_until AT TIME ZONE 'UTC' AS published_until
            FROM openid4vci.vci_key_info k"""


class VciKeyService(models.AbstractModel):
    _name = "vci.key.service"
    _description = "Making of signing keys"
