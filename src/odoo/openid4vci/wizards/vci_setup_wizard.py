# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Setting up the issuer of a company's credentials."""

from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..models.vci_sql import jsonb


class VciSetupWizard(models.TransientModel):
    """Makes the issuer and its first key. An issuer that is there already, made in SQL
    or for another company, becomes this company's too."""

    _name = "vci.setup.wizard"
    _description = "Set up the issuer of credentials"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    url = fields.Char(
        "Issuer URL", required=True, default=lambda self: self._default_url()
    )
    name = fields.Char(required=True, default=lambda self: self.env.company.name)
    profile = fields.Selection(
        [
            ("openspp", "OpenSPP's guide: for older wallets, too"),
            ("final", "OpenID4VCI 1.0: strict, short lifetimes"),
        ],
        required=True,
        default="openspp",
    )
    with_key = fields.Boolean(
        "Make a signing key", default=lambda self: self._may_make_keys()
    )
    may_make_keys = fields.Boolean(compute="_compute_may_make_keys")
    is_known = fields.Boolean(compute="_compute_is_known")

    @api.model
    def _default_url(self):
        """Odoo's own address, once: the issuer's does not follow it."""
        parameters = self.env["ir.config_parameter"].sudo()
        address = (parameters.get_param("web.base.url") or "").rstrip("/")
        parts = urlsplit(address)
        is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        return address if parts.scheme == "https" or is_local else False

    @api.model
    def _may_make_keys(self):
        """As a user of Odoo, and as Odoo's database role."""
        return self.env.user.has_group("openid4vci.group_key_admin") and bool(
            self.env["vci.sql"].call("vci_duty_issuers", "key_admin")
        )

    def _compute_may_make_keys(self):
        self.may_make_keys = self._may_make_keys()

    @api.depends("url")
    def _compute_is_known(self):
        for wizard in self:
            wizard.is_known = bool(wizard._issuer())

    def _issuer(self):
        """One that the user may see in any company of his."""
        url = (self.url or "").strip().rstrip("/")
        companies = self.env.user.company_ids.ids
        issuers = self.env["vci.issuer"].with_context(allowed_company_ids=companies)
        return issuers.search([("url", "=", url)])

    def action_set_up(self):
        self.ensure_one()
        if not self.env.user.has_group("openid4vci.group_issuer_admin"):
            raise AccessError(
                self.env._(
                    "Only an administrator of credentials sets up an issuer. Ask one"
                    " to do it, or to give you the access right."
                )
            )
        self.company_id.check_access("read")
        issuer = self._issuer() or self._create_issuer()
        self.company_id.sudo().vci_issuer_url = issuer.url
        if self.with_key and not issuer.key_ids.filtered(
            lambda key: key.state == "active"
        ):
            self.env["vci.key.service"].create_key(issuer=issuer)
        self.env.registry.clear_cache("routing")
        return {"type": "ir.actions.client", "tag": "reload"}

    def _create_issuer(self):
        language = (self.env.lang or "en_US").split("_")[0]
        number = self.env["vci.sql"].call(
            "vci_create_issuer",
            self.url.strip().rstrip("/"),
            display=jsonb([{"name": self.name, "locale": language}]),
            profile=self.profile,
        )
        return self.env["vci.issuer"].browse(number)
