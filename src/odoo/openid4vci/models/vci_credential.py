# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Issued credentials: vci_credential_info."""

from odoo import api, fields, models

from .vci_offer import RECORD_ID, record_of_subject


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
    credential_subject_model = fields.Char("Subject model", readonly=True)
    subject_ref = fields.Char("Subject number", readonly=True)
    credential_subject_id = fields.Integer(
        "Subject ID", readonly=True, aggregator=None
    )
    res_id = fields.Many2oneReference(
        "Subject",
        model_field="credential_subject_model",
        readonly=True,
        aggregator=None,
    )
    holder_thumbprint = fields.Char("Holder's key", readonly=True)
    kid = fields.Char("Signing key", readonly=True)
    issued_at = fields.Datetime("Issued", readonly=True)
    expires_at = fields.Datetime("Expires", readonly=True)
    issued_by = fields.Char("Issued by role", readonly=True)
    notification = fields.Char("Wallet says", readonly=True)
    notification_description = fields.Char("Wallet's words", readonly=True)
    notified_at = fields.Datetime("Wallet said on", readonly=True)

    @api.model
    def _view_query(self):
        # LIMIT makes PostgreSQL look each credential's offer up by its id. As a plain
        # join it would read all offers to show one person's credentials, since the
        # extension's views let no condition of a join in.
        return f"""
            SELECT c.id, c.configuration_id || ' #' || c.id AS name, c.issuer_id,
                   c.configuration_id AS configuration_code,
                   n.number AS credential_type_id, c.format, c.offer_id,
                   c.subject_model AS credential_subject_model,
                   c.subject_id AS subject_ref,
                   CASE WHEN c.subject_id ~ '{RECORD_ID}'
                        THEN c.subject_id::integer END AS credential_subject_id,
                   {record_of_subject("c")} AS res_id,
                   c.holder_thumbprint, c.kid,
                   c.issued_at AT TIME ZONE 'UTC' AS issued_at,
                   c.expires_at AT TIME ZONE 'UTC' AS expires_at,
                   c.issued_by::text AS issued_by, c.notification,
                   c.notification_description,
                   c.notified_at AT TIME ZONE 'UTC' AS notified_at,
                   o.labels, o.labels::text AS label_text,
                   CASE WHEN o.labels ->> 'company_id' ~ '{RECORD_ID}'
                        THEN (o.labels ->> 'company_id')::integer END AS company_id
            FROM openid4vci.vci_credential_info c
                 LEFT JOIN openid4vci.vci_configuration_info n
                    ON n.issuer_id = c.issuer_id AND n.id = c.configuration_id
                 LEFT JOIN LATERAL (
                    SELECT i.labels FROM openid4vci.vci_offer_info i
                    WHERE i.id = c.offer_id LIMIT 1
                 ) o ON true"""
