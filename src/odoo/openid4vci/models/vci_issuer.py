# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Issuers: vci_issuer_info."""

import logging

import psycopg2
from markupsafe import Markup

from odoo import api, fields, models
from odoo.fields import Domain

from .vci_sql import LEFT_TO_ODOO

_logger = logging.getLogger(__name__)

SETTINGS_IN_FORCE = (
    "offer_lifetime",
    "access_token_lifetime",
    "c_nonce_lifetime",
    "tx_code_max_failures",
    "tx_code_retry_delay",
    "dpop",
    "status_list_ttl",
)

# Rows that one transaction of the purge forgets at most.
PURGE_BATCH = 10000
# How often in a row it may find that somebody was faster.
PURGE_CONFLICTS = 5


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
    # In force, be they the issuer's own or the profile's defaults.
    offer_lifetime = fields.Integer(
        help="Seconds", compute="_compute_settings_in_force"
    )
    access_token_lifetime = fields.Integer(
        help="Seconds", compute="_compute_settings_in_force"
    )
    c_nonce_lifetime = fields.Integer(
        help="Seconds", compute="_compute_settings_in_force"
    )
    tx_code_max_failures = fields.Integer(
        "PIN tries", compute="_compute_settings_in_force"
    )
    tx_code_retry_delay = fields.Integer(
        "PIN delay", help="Seconds", compute="_compute_settings_in_force"
    )
    dpop = fields.Selection(
        [("off", "Off"), ("optional", "Optional"), ("required", "Required")],
        "DPoP",
        compute="_compute_settings_in_force",
    )
    status_list_ttl = fields.Integer(
        "Changes of status seen within",
        help="Seconds",
        compute="_compute_settings_in_force",
    )
    has_landing_pages = fields.Boolean(compute="_compute_settings_in_force")
    endpoints = fields.Json(readonly=True)
    display = fields.Json(readonly=True)
    company_ids = fields.Many2many(
        "res.company",
        compute="_compute_company_ids",
        search="_search_company_ids",
        compute_sudo=True,
    )
    configuration_ids = fields.One2many("vci.credential.configuration", "issuer_id")
    key_ids = fields.One2many("vci.key", "issuer_id")
    configuration_count = fields.Integer(compute="_compute_configuration_count")
    offer_count = fields.Integer(compute="_compute_offer_count")
    health = fields.Html(
        compute="_compute_health",
        sanitize=False,
        groups="openid4vci.group_issuer_admin",
        help="Of the whole database, not of one issuer",
    )

    @api.model
    def _view_query(self):
        return """
            SELECT i.id, i.url, i.base_path, i.profile, i.issuance_paused,
                   i.retired_at AT TIME ZONE 'UTC' AS retired_at,
                   i.retired_at IS NULL AS active,
                   i.created_at AT TIME ZONE 'UTC' AS created_at,
                   i.endpoints, i.display
            FROM openid4vci.vci_issuer_info i"""

    @api.depends("url")
    def _compute_company_ids(self):
        companies = self._companies_with_issuer()
        for issuer in self:
            issuer.company_ids = companies.filtered(
                lambda company, url=issuer.url: company.vci_issuer_url == url
            )

    def _search_company_ids(self, operator, value):
        """Of some companies; False: an issuer that no company has."""
        if operator != "in":
            return NotImplemented
        companies = self._companies_with_issuer()
        theirs = companies.filtered(lambda company: company.id in value)
        found = Domain("url", "in", theirs.mapped("vci_issuer_url"))
        if False in value:
            found |= Domain("url", "not in", companies.mapped("vci_issuer_url"))
        return found

    @api.model
    def _companies_with_issuer(self):
        # An archived company keeps its issuer.
        companies = self.env["res.company"].sudo().with_context(active_test=False)
        return companies.search([("vci_issuer_url", "!=", False)])

    def _compute_settings_in_force(self):
        for issuer in self:
            # A retired one has none.
            settings = {}
            if issuer.active:
                settings = self.env["vci.sql"].call("vci_issuer_settings", issuer.url)
            for name in SETTINGS_IN_FORCE:
                issuer[name] = settings.get(name)
            landing = settings.get("endpoints", {}).get("landing", {})
            issuer.has_landing_pages = landing.get("enabled", False)

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

    @api.depends_context("lang")
    def _compute_health(self):
        self.health = self._health_table()

    @api.model
    def _health_table(self):
        """What vci_health finds, as a table."""
        labels = self._health_labels()
        return Markup("<table class='table table-sm'>%s</table>") % Markup().join(
            Markup(
                "<tr><td><i class='fa %s'></i></td><td>%s</td><td>%s</td></tr>"
            )
            % (
                "fa-check text-success" if row["ok"] else "fa-times text-danger",
                labels.get(row["check"], row["check"]),
                row["detail"] or "",
            )
            for row in self.env["vci.sql"].rows("vci_health")
        )

    @api.model
    def _health_labels(self):
        return {
            "root_key": self.env._("Root key"),
            "database": self.env._("This database issues"),
            "keys": self.env._("Signing keys"),
            "certificates": self.env._("Certificates of signing keys"),
            "issuance": self.env._("Issuance"),
            "authorization_servers": self.env._("External authorization servers"),
            "duties": self.env._("Duties of database roles"),
            "clock": self.env._("Clock"),
            "writable": self.env._("Writable"),
            "durability": self.env._("Durability"),
            "nonces": self.env._("Purge"),
            "events": self.env._("Seals of events"),
        }

    # Changing ---------------------------------------------------------------------

    @api.private
    def alter(self, settings):
        """Change settings of issuers, named as vci_alter_issuer names them; None goes
        back to the profile's default."""
        self._vci_require("group_issuer_admin")
        for url in self.mapped("url"):
            self.env["vci.sql"].call("vci_alter_issuer", settings, url)
        self.env.registry.clear_cache("routing")

    def action_pause(self):
        self._vci_require("group_issuer_admin")
        for url in self.mapped("url"):
            self.env["vci.sql"].call("vci_pause_issuance", url)
        return self._vci_notification(
            self.env._(
                "No credential is issued until issuance is resumed. Wallets are told"
                " to try again later; offers stay valid."
            ),
            "warning",
        )

    def action_resume(self):
        self._vci_require("group_issuer_admin")
        for url in self.mapped("url"):
            self.env["vci.sql"].call("vci_resume_issuance", url)
        return self._vci_notification(self.env._("Credentials are issued again."))

    def action_rotate_key(self):
        self.ensure_one()
        return self.env["vci.key"]._rotate(self)

    # Purging ----------------------------------------------------------------------

    def action_purge(self):
        self._vci_require("group_issuer_admin")
        purged, remaining = self._purge_batch()
        if remaining:
            message = self.env._(
                "%s records that nobody needs any more were removed. More are due: the"
                " scheduled action goes on with them.",
                purged,
            )
        else:
            message = self.env._(
                "%s records that nobody needs any more were removed.", purged
            )
        return self._vci_notification(message)

    @api.model
    def _purge_batch(self):
        """How many rows went, and about how many are left."""
        rows = self.env["vci.sql"].rows("vci_purge", PURGE_BATCH)
        return (
            sum(row["purged"] for row in rows),
            sum(row["remaining"] for row in rows),
        )

    @api.model
    def _cron_purge(self):
        """Forget what is due, batch by batch, until nothing is left or the time of
        the scheduled action is over."""
        if not self.env["vci.sql"].available():
            _logger.info("Nothing to purge: the extension openid4vci is not there")
            return
        conflicts, left_before = 0, None
        while True:
            try:
                purged, remaining = self._purge_batch()
            except psycopg2.Error as error:
                # A wallet changed a row after the snapshot was taken: a new one.
                if error.pgcode not in LEFT_TO_ODOO or conflicts == PURGE_CONFLICTS:
                    raise
                conflicts += 1
                self.env.cr.rollback()
                continue
            conflicts = 0
            seconds = self.env["ir.cron"]._commit_progress(purged, remaining=remaining)
            stuck = not purged and left_before is not None and remaining >= left_before
            if not remaining or not seconds or stuck:
                return
            left_before = remaining

    # Finding ----------------------------------------------------------------------

    @api.model
    def _for_company(self, company):
        """The issuer of a company; without one, the only one there is; else none."""
        if company.vci_issuer_url:
            return self.search([("url", "=", company.vci_issuer_url)])
        issuers = self.search([], limit=2)
        return issuers if len(issuers) == 1 else self.browse()
