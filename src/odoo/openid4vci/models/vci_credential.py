# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Issued credentials: vci_credential_info."""

from odoo import api, fields, models

from .vci_labelled_mixin import label_columns, subject_columns


class VciCredential(models.Model):
    _name = "vci.credential"
    _description = "Issued credential"
    _inherit = ["vci.view.mixin", "vci.labelled.mixin"]
    _auto = False
    _log_access = False
    _rec_name = "name"
    _order = "id desc"

    name = fields.Char(readonly=True)
    issuer_id = fields.Many2one("vci.issuer", readonly=True)
    configuration_code = fields.Char("Configuration", readonly=True)
    credential_type_id = fields.Many2one("vci.credential.configuration", readonly=True)
    format = fields.Char(readonly=True)
    offer_id = fields.Many2one("vci.offer", readonly=True)
    holder_thumbprint = fields.Char("Holder's key", readonly=True)
    kid = fields.Char("Signing key", readonly=True)
    issued_at = fields.Datetime("Issued", readonly=True)
    expires_at = fields.Datetime("Expires", readonly=True)
    issued_by = fields.Char("Issued by role", readonly=True)
    notification = fields.Char("Wallet says", readonly=True)
    notification_description = fields.Char("Wallet's words", readonly=True)
    notified_at = fields.Datetime("Wallet said on", readonly=True)
    status = fields.Selection(
        [
            ("valid", "Valid"),
            ("suspended", "Suspended"),
            ("revoked", "Revoked"),
            ("expired", "Expired"),
            ("none", "Not in a status list"),
        ],
        readonly=True,
        help="What verifiers see. Only what has a place in a status list can be"
        " revoked.",
    )
    status_bits = fields.Integer(
        "Status bits",
        readonly=True,
        aggregator=None,
        help="Of the kind of credential: with one bit it is revoked or not, with two it"
        " can be suspended, too",
    )
    status_changed_at = fields.Datetime("Status changed", readonly=True)
    status_changed_by = fields.Char("Status changed by role", readonly=True)
    status_reason = fields.Char("Reason", readonly=True)

    @api.model
    def _view_query(self):
        # LIMIT makes PostgreSQL look each credential's offer up by its id. As a plain
        # join it would read all offers to show one person's credentials, since the
        # extension's views let no condition of a join in.
        return f"""
            SELECT c.id, c.configuration_id || ' #' || c.id AS name, c.issuer_id,
                   c.configuration_id AS configuration_code,
                   n.number AS credential_type_id, c.format, c.offer_id,
                   {subject_columns("c")},
                   c.holder_thumbprint, c.kid,
                   c.issued_at AT TIME ZONE 'UTC' AS issued_at,
                   c.expires_at AT TIME ZONE 'UTC' AS expires_at,
                   c.issued_by::text AS issued_by, c.notification,
                   c.notification_description,
                   c.notified_at AT TIME ZONE 'UTC' AS notified_at,
                   c.status, n.status_bits,
                   c.status_changed_at AT TIME ZONE 'UTC' AS status_changed_at,
                   c.status_changed_by::text AS status_changed_by, c.status_reason,
                   {label_columns("o")}
            FROM openid4vci.vci_credential_info c
                 LEFT JOIN openid4vci.vci_configuration_info n
                    ON n.issuer_id = c.issuer_id AND n.id = c.configuration_id
                 LEFT JOIN LATERAL (
                    SELECT i.labels FROM openid4vci.vci_offer_info i
                    WHERE i.id = c.offer_id LIMIT 1
                 ) o ON true"""
