# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The settings page: what is in force is asked of the extension when the page opens,
and what somebody changes is written there when it is saved."""

from urllib.parse import urlsplit

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_datetime

# Settings that are a time in seconds, shown as a number and a unit.
TIMES = (
    "offer_lifetime",
    "access_token_lifetime",
    "c_nonce_lifetime",
    "status_list_ttl",
    "status_list_lifetime",
)
NUMBERS = ("tx_code_max_failures", "tx_code_retry_delay")
UNITS = [("days", "days"), ("hours", "hours"), ("minutes", "minutes")]
UNITS.append(("seconds", "seconds"))
SECONDS = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
ENDPOINTS = (
    "token",
    "credential",
    "nonce",
    "offer",
    "deferred_credential",
    "batch_credential",
    "notification",
    "authorize",
    "par",
    "consent",
    "jwks",
    "landing",
    "status_list",
)


def in_largest_unit(seconds):
    """The number and the unit in which a time is a whole number."""
    for unit, size in SECONDS.items():
        if seconds % size == 0:
            return seconds // size, unit
    return seconds, "seconds"


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    # What is there ------------------------------------------------------------------

    vci_ready = fields.Boolean(compute="_compute_vci_missing")
    vci_missing = fields.Text(compute="_compute_vci_missing")
    vci_missing_lines = fields.Text(compute="_compute_vci_missing")
    vci_issuer_id = fields.Many2one("vci.issuer", compute="_compute_vci_issuer")
    vci_issuer_url = fields.Char("Issuer URL", compute="_compute_vci_issuer")
    vci_issuance_paused = fields.Boolean(compute="_compute_vci_issuer")
    vci_web_base_url = fields.Char(compute="_compute_vci_issuer")
    vci_address_differs = fields.Boolean(compute="_compute_vci_issuer")
    vci_has_key = fields.Boolean(compute="_compute_vci_key")
    vci_key_text = fields.Text(compute="_compute_vci_key")
    vci_status = fields.Html(compute="_compute_vci_status", sanitize=False)

    # What can be set ----------------------------------------------------------------

    vci_http = fields.Boolean(
        "Serve wallets from Odoo", config_parameter="openid4vci.http"
    )
    vci_pin = fields.Selection(
        [("none", "No PIN"), ("generate", "A PIN is made")],
        "PIN for new offers",
        config_parameter="openid4vci.pin",
        default="none",
    )
    vci_pin_length = fields.Integer(
        "Digits of a PIN", config_parameter="openid4vci.pin_length", default=6
    )
    vci_offer_lifetime = fields.Integer()
    vci_offer_lifetime_unit = fields.Selection(UNITS)
    vci_access_token_lifetime = fields.Integer()
    vci_access_token_lifetime_unit = fields.Selection(UNITS)
    vci_c_nonce_lifetime = fields.Integer()
    vci_c_nonce_lifetime_unit = fields.Selection(UNITS)
    vci_status_list_ttl = fields.Integer()
    vci_status_list_ttl_unit = fields.Selection(UNITS)
    vci_status_list_lifetime = fields.Integer()
    vci_status_list_lifetime_unit = fields.Selection(UNITS)
    vci_wallet_url = fields.Char("Where to get a wallet")
    vci_tx_code_max_failures = fields.Integer()
    vci_tx_code_retry_delay = fields.Integer()
    vci_endpoint_token = fields.Boolean("Token")
    vci_endpoint_credential = fields.Boolean("Credential")
    vci_endpoint_nonce = fields.Boolean("Nonce")
    vci_endpoint_offer = fields.Boolean("Offers by a short link")
    vci_endpoint_deferred_credential = fields.Boolean("Credential, later")
    vci_endpoint_batch_credential = fields.Boolean("Several at once (older wallets)")
    vci_endpoint_notification = fields.Boolean("What the wallet says of a credential")
    vci_endpoint_authorize = fields.Boolean("Authorization")
    vci_endpoint_par = fields.Boolean("Pushed authorization requests")
    vci_endpoint_consent = fields.Boolean("Login and consent page")
    vci_endpoint_jwks = fields.Boolean("Public keys (JWKS)")
    vci_endpoint_landing = fields.Boolean("Pages for people (links in messages)")
    vci_endpoint_status_list = fields.Boolean("Status lists, for verifiers")

    # Computing ----------------------------------------------------------------------

    @api.depends("company_id")
    def _compute_vci_missing(self):
        sql = self.env["vci.sql"]
        topic = sql.missing()
        self.vci_ready = not topic
        self.vci_missing = topic and self._vci_missing_text(topic)
        self.vci_missing_lines = topic and sql.dba_lines(topic)

    @api.model
    def _vci_missing_text(self, topic):
        reasons = {
            "install": self.env._(
                "This database does not have the extension openid4vci yet."
            ),
            "restore": self.env._(
                "This database was restored from a backup, without what the extension"
                " openid4vci keeps: Odoo's database role may not create extensions."
            ),
            "upgrade": self.env._("The extension openid4vci is too old."),
            "duties": self.env._(
                "Odoo's database role may not use the extension openid4vci yet."
            ),
        }
        told = self.env._(
            "%s Ask the database administrator to run these lines, then check again:",
            reasons[topic],
        )
        if topic == "restore":
            told = self.env._(
                "%s (DUMP.zip stands for the backup's file, TIME OF THE DUMP for when"
                " it was made, such as 2026-11-22 04:00+00.)",
                told,
            )
        return told

    @api.depends("company_id")
    def _compute_vci_issuer(self):
        address = self.env["ir.config_parameter"].sudo().get_param("web.base.url")
        for page in self:
            issuer = self._vci_issuer()
            page.vci_issuer_id = issuer
            page.vci_issuer_url = issuer.url
            page.vci_issuance_paused = issuer.issuance_paused
            page.vci_web_base_url = address
            page.vci_address_differs = (
                issuer and urlsplit(issuer.url)[:2] != urlsplit(address or "")[:2]
            )

    @api.model
    def _vci_issuer(self):
        """The company's issuer. None where the extension cannot be asked, which this
        page must be able to tell."""
        issuers = self.env["vci.issuer"]
        if self.env["vci.sql"].missing():
            return issuers
        return issuers._for_company(self.env.company)

    @api.depends("company_id")
    def _compute_vci_key(self):
        keys = self._vci_issuer().key_ids
        signing = keys.filtered(lambda key: key.state == "active").sorted(
            "activated_at", reverse=True
        )[:1]
        following = keys.filtered(lambda key: key.state == "next")[:1]
        self.vci_has_key = bool(signing)
        self.vci_key_text = self._vci_key_text(signing, following)

    @api.model
    def _vci_key_text(self, signing, following):
        if not signing:
            return self.env._("There is none yet, so nothing can be offered or issued.")
        text = self.env._(
            "%(algorithm)s, in use since %(time)s.",
            algorithm=signing.alg,
            time=format_datetime(self.env, signing.activated_at, dt_format="short"),
        )
        if following:
            text += "\n" + self.env._("The next key is published already.")
        return text

    @api.depends("company_id")
    def _compute_vci_status(self):
        self.vci_status = self._vci_status() if self._vci_issuer() else False

    @api.model
    def _vci_status(self):
        """The health of the database, and what its administrator should run."""
        try:
            status = self.env["vci.issuer"]._health_table()
            topics = self._vci_topics()
        except UserError as error:
            return Markup("<p class='text-danger'>%s</p>") % error
        about = {"create_key": [self._vci_issuer().url]}
        return status + Markup().join(
            Markup("<p class='mb-1'>%s</p><pre class='p-2 border'>%s</pre>")
            % (text, self.env["vci.sql"].dba_lines(topic, *about.get(topic, [])))
            for topic, text in topics.items()
        )

    @api.model
    def _vci_topics(self):
        """Topics of vci.sql.dba_lines(), and why."""
        sql = self.env["vci.sql"]
        topics = {}
        failed = {
            row["check"] for row in sql.rows("vci_health") if not row["ok"]
        }
        if "root_key" in failed:
            topics["root_key"] = self.env._(
                "Nothing can be signed without the root key. If there was one before,"
                " the database administrator brings its file back, since no other opens"
                " what it sealed. The first one is made on the database's server by:"
            )
        elif not self._vci_issuer_signs() and not sql.call(
            "vci_duty_issuers", "key_admin"
        ):
            topics["create_key"] = self.env._(
                "The issuer has no signing key, and Odoo's database role may not make"
                " one. The database administrator runs:"
            )
        if "database" in failed:
            topics["adopt"] = self.env._(
                "This database is a copy, and issues nothing. If it takes the place of"
                " the original, which must not go on, the database administrator runs,"
                " with the time at which it was copied or dumped:"
            )
        if sql.lacks_duties():
            topics["duties"] = self.env._(
                "Odoo's database role lacks duties that this addon needs. The database"
                " administrator runs:"
            )
        if self._vci_others_stay_connected():
            topics["duplicate"] = self.env._(
                "Other database roles than Odoo's, such as the proxy's, are connected"
                " to this database. Odoo can neither duplicate nor rename nor delete it"
                " before the database administrator has run:"
            )
        if self._vci_statements_are_logged():
            topics["logs"] = self.env._(
                "PostgreSQL may write statements of Odoo into its log, and with them"
                " PINs and codes. The database administrator switches that off, and"
                " Odoo is started again:"
            )
        return topics

    @api.model
    def _vci_others_stay_connected(self):
        """Odoo's database manager ends all connections first, if it may."""
        return self.env["vci.sql"].query(
            SQL(
                """SELECT NOT pg_has_role('pg_signal_backend', 'USAGE')
                          AND EXISTS (SELECT FROM pg_stat_activity
                                      WHERE datname = current_database()
                                            AND NOT pg_has_role(usesysid, 'USAGE'))
                          AS stay"""
            ),
            writes=False,
        )[0]["stay"]

    @api.model
    def _vci_issuer_signs(self):
        return "active" in self._vci_issuer().key_ids.mapped("state")

    @api.model
    def _vci_statements_are_logged(self):
        return self.env["vci.sql"].query(
            SQL(
                """SELECT current_setting('log_min_error_statement')
                             NOT IN ('fatal', 'panic')
                          OR current_setting('log_statement') <> 'none'
                          OR current_setting('log_min_duration_statement') <> '-1'
                          AS logged"""
            ),
            writes=False,
        )[0]["logged"]

    # Reading and writing ------------------------------------------------------------

    @api.model
    def get_values(self):
        values = super().get_values()
        issuer = self._vci_issuer()
        if issuer:
            values.update(self._vci_values(issuer))
        return values

    @api.model
    def _vci_values(self, issuer):
        """What is in force for an issuer, as the fields of the page have it."""
        settings = self.env["vci.sql"].call("vci_issuer_settings", issuer.url)
        values = {f"vci_{name}": settings[name] for name in NUMBERS}
        values["vci_wallet_url"] = settings["wallet_url"] or False
        for name in TIMES:
            number, unit = in_largest_unit(settings[name])
            values[f"vci_{name}"] = number
            values[f"vci_{name}_unit"] = unit
        for name in ENDPOINTS:
            values[f"vci_endpoint_{name}"] = settings["endpoints"][name]["enabled"]
        return values

    def set_values(self):
        result = super().set_values()
        issuer = self._vci_issuer()
        # Others who may save settings have not seen ours, so have not changed them.
        if issuer and self.env.user.has_group("openid4vci.group_issuer_admin"):
            changes = self._vci_changes(issuer)
            if changes:
                issuer.alter(changes)
        return result

    def _vci_changes(self, issuer):
        """What differs on the page from what is in force, as vci_alter_issuer has it.
        A time of 0 stands for the profile's default."""
        in_force = self._vci_values(issuer)
        changes = {}
        for name in TIMES:
            field, unit = f"vci_{name}", f"vci_{name}_unit"
            if (self[field], self[unit]) != (in_force[field], in_force[unit]):
                changes[name] = self[field] * SECONDS[self[unit] or "days"] or None
        if self.vci_tx_code_max_failures != in_force["vci_tx_code_max_failures"]:
            changes["tx_code_max_failures"] = self.vci_tx_code_max_failures or None
        if self.vci_tx_code_retry_delay != in_force["vci_tx_code_retry_delay"]:
            changes["tx_code_retry_delay"] = self.vci_tx_code_retry_delay
        wallet_url = (self.vci_wallet_url or "").strip() or None
        if wallet_url != (in_force["vci_wallet_url"] or None):
            changes["wallet_url"] = wallet_url
        endpoints = {
            name: {**self._vci_endpoint(issuer, name), "enabled": self[field]}
            for name in ENDPOINTS
            if self[field := f"vci_endpoint_{name}"] != in_force[field]
        }
        if endpoints:
            changes["endpoints"] = endpoints
        return changes

    @api.model
    def _vci_endpoint(self, issuer, name):
        """What was set of an endpoint before: where it lies stays as it is."""
        return (issuer.endpoints or {}).get(name) or {}

    # Buttons ------------------------------------------------------------------------

    def action_vci_check(self):
        """Look again: after the database administrator's lines."""
        self.check_access("write")
        self.env["vci.sql"].check()
        return {"type": "ir.actions.client", "tag": "reload"}

    def action_vci_open_issuer(self):
        issuer = self._vci_issuer()
        return {
            "type": "ir.actions.act_window",
            "res_model": issuer._name,
            "res_id": issuer.id,
            "views": [[False, "form"]],
        }

    def action_vci_pause(self):
        return self._vci_issuer().action_pause()

    def action_vci_resume(self):
        return self._vci_issuer().action_resume()

    def action_vci_create_key(self):
        self.env["vci.key.service"].create_key(issuer=self._vci_issuer())
        return {"type": "ir.actions.client", "tag": "reload"}

    def action_vci_rotate_key(self):
        return self._vci_issuer().action_rotate_key()
