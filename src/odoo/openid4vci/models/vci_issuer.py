# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Issuers: vci_issuer_info."""

from odoo import api, fields, models


class VciIssuer(models.Model):
    _name = "vci.issuer"
    _description = "Credential issuer"
    _inherit = ["vci.view.mixin"]
    _auto = False
    _log_access = False
    _rec_name = "url"
    _order = "url"

    url = fields.Char("URL", readonly=True)
    base_path = fields.Char(readonly=True)
    profile = fields.Selection(
        [("openspp", "OpenSPP's guide"), ("final", "OpenID4VCI 1.0")], readonly=True
    )
    issuance_paused = fields.Boolean("Paused", readonly=True)
    retired_at = fields.Datetime(readonly=True)
    active = fields.Boolean(readonly=True)
    created_at = fields.Datetime(readonly=True)
    # NULL in the extension, 0 here: the profile's default.
    offer_lifetime = fields.Integer(help="Seconds", readonly=True, aggregator=None)
    access_token_lifetime = fields.Integer(
        help="Seconds", readonly=True, aggregator=None
    )
    c_nonce_lifetime = fields.Integer(help="Seconds", readonly=True, aggregator=None)
    tx_code_max_failures = fields.Integer(
        "PIN tries", readonly=True, aggregator=None
    )
    tx_code_retry_delay = fields.Integer(
        "PIN delay", help="Seconds", readonly=True, aggregator=None
    )
    dpop = fields.Selection(
        [("off", "Off"), ("optional", "Optional"), ("required", "Required")],
        "DPoP",
        readonly=True,
    )
    endpoints = fields.Json(readonly=True)
    display = fields.Json(readonly=True)
    company_ids = fields.Many2many("res.company", compute="_compute_company_ids")
    configuration_ids = fields.One2many("vci.credential.configuration", "issuer_id")
    key_ids = fields.One2many("vci.key", "issuer_id")
    configuration_count = fields.Integer(compute="_compute_configuration_count")
    offer_count = fields.Integer(compute="_compute_offer_count")

    @api.model
    def _view_query(self):
        return """
            SELECT i.id, i.url, i.base_path, i.profile, i.issuance_paused,
                   i.retired_at AT TIME ZONE 'UTC' AS retired_at,
                   i.retired_at IS NULL AS active,
                   i.created_at AT TIME ZONE 'UTC' AS created_at,
                   i.offer_lifetime, i.access_token_lifetime, i.c_nonce_lifetime,
                   i.tx_code_max_failures, i.tx_code_retry_delay, i.dpop, i.endpoints,
                   i.display
            FROM openid4vci.vci_issuer_info i"""

    @api.depends("url")
    def _compute_company_ids(self):
        companies = self.env["res.company"].sudo().search(
            [("vci_issuer_url", "in", self.mapped("url"))]
        )
        for issuer in self:
            issuer.company_ids = companies.filtered(
                lambda company, url=issuer.url: company.vci_issuer_url == url
            )

    def _compute_configuration_count(self):
        self._compute_count("vci.credential.configuration", "configuration_count")

    def _compute_offer_count(self):
        self._compute_count("vci.offer", "offer_count")

    def _compute_count(self, model, field):
        counts = dict(
            self.env[model]._read_group(
                [("issuer_id", "in", self.ids)], ["issuer_id"], ["__count"]
            )
        )
        for issuer in self:
            issuer[field] = counts.get(issuer, 0)

    @api.model
    def _for_company(self, company):
        """The issuer of a company; without one, the only one there is; else none."""
        if company.vci_issuer_url:
            return self.search([("url", "=", company.vci_issuer_url)])
        issuers = self.search([], limit=2)
        return issuers if len(issuers) == 1 else self.browse()
