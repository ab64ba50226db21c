# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Credential offers: vci_offer_info."""

from odoo import api, fields, models
from odoo.fields import Domain

from .vci_labelled_mixin import label_columns, subject_columns


class VciOffer(models.Model):
    _name = "vci.offer"
    _description = "Credential offer"
    _inherit = ["vci.view.mixin", "vci.labelled.mixin"]
    _auto = False
    _log_access = False
    _rec_name = "name"
    _order = "id desc"

    name = fields.Char(readonly=True, help="The reference, else the number")
    issuer_id = fields.Many2one("vci.issuer", readonly=True)
    state = fields.Selection(
        [
            ("pending", "Pending"),
            ("redeemed", "Redeemed"),
            ("expired", "Expired"),
            ("cancelled", "Cancelled"),
        ],
        readonly=True,
        group_expand=True,
    )
    configuration_codes = fields.Char("Configurations", readonly=True)
    credential_type_id = fields.Many2one("vci.credential.configuration")
    credential_subject_model = fields.Char(readonly=False)
    credential_subject_id = fields.Integer(readonly=False)
    reference = fields.Char(
        copy=False,
        help="A key of the registry's own: asked for again, it is the same offer",
    )
    holder_wallet_did = fields.Char("Holder", help="Whose wallet alone may redeem it")
    grants = fields.Char(readonly=True)
    datasets = fields.Integer("Named credentials", readonly=True, aggregator=None)
    tx_code_required = fields.Boolean("PIN required", readonly=True)
    tx_code_failures = fields.Integer("Wrong PINs", readonly=True, aggregator="sum")
    locked = fields.Boolean(readonly=True)
    created_at = fields.Datetime("Created", readonly=True)
    created_by = fields.Char("Created by role", readonly=True)
    expires_at = fields.Datetime("Expires", readonly=True)
    expiration_date = fields.Datetime(readonly=True)
    redeemed_at = fields.Datetime("Redeemed on", readonly=True)
    issued_at = fields.Datetime("Issued", readonly=True)
    cancelled_at = fields.Datetime("Cancelled on", readonly=True)
    ends_at = fields.Datetime("Ends", readonly=True)
    opened_at = fields.Datetime(
        "Link opened on",
        readonly=True,
        help="When the button of the page behind the link was pressed first",
    )
    campaign_id = fields.Many2one("vci.campaign", readonly=True)
    credential_ids = fields.One2many(
        "vci.credential",
        "offer_id",
        compute="_compute_credential_ids",
        search="_search_credential_ids",
    )
    deferred_ids = fields.One2many("vci.deferred", "offer_id")

    @api.model
    def _view_query(self):
        return f"""
            SELECT o.id, COALESCE(o.reference, '#' || o.id) AS name, o.issuer_id,
                   o.state, array_to_string(o.configuration_ids, ', ')
                      AS configuration_codes,
                   (SELECT c.number FROM openid4vci.vci_configuration_info c
                    WHERE c.issuer_id = o.issuer_id AND c.id = o.configuration_ids[1]
                   ) AS credential_type_id,
                   {subject_columns("o")},
                   o.reference, o.holder_did AS holder_wallet_did,
                   array_to_string(o.grants, ', ') AS grants, o.datasets,
                   {label_columns("o")},
                   o.tx_code_required, o.tx_code_failures, o.locked,
                   o.created_at AT TIME ZONE 'UTC' AS created_at,
                   o.created_by::text AS created_by,
                   o.expires_at AT TIME ZONE 'UTC' AS expires_at,
                   o.expires_at AT TIME ZONE 'UTC' AS expiration_date,
                   o.redeemed_at AT TIME ZONE 'UTC' AS redeemed_at,
                   o.issued_at AT TIME ZONE 'UTC' AS issued_at,
                   o.cancelled_at AT TIME ZONE 'UTC' AS cancelled_at,
                   o.ends_at AT TIME ZONE 'UTC' AS ends_at,
                   o.opened_at AT TIME ZONE 'UTC' AS opened_at, o.campaign_id
            FROM openid4vci.vci_offer_info o"""

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_credential_ids(self):
        found = self.env["vci.credential"].search(self._issued_of_these())
        for offer in self:
            offer.credential_ids = found.filtered(
                lambda credential, offer=offer: credential.offer_id == offer
            )

    def _issued_of_these(self):
        """By the subjects, of which there is an index, unlike of offers. Named
        credentials may have subjects of their own."""
        domain = Domain("offer_id", "in", self.ids)
        if any(offer.datasets or not offer.subject_ref for offer in self):
            return domain
        return domain & Domain("subject_ref", "in", self.mapped("subject_ref"))

    def _search_credential_ids(self, operator, value):
        if operator != "any":
            return NotImplemented
        issued = self.env["vci.credential"].search(value)
        return Domain("id", "in", issued.mapped("offer_id").ids)
