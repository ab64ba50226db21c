# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Making an offer, and showing it: QR code, link, and once the PIN."""

from odoo import api, fields, models
from odoo.exceptions import UserError

SUBJECT_MIXIN = "vci.credential.subject.mixin"


class VciOfferWizard(models.TransientModel):
    """The first page makes an offer, the second shows one: that of the action's
    context. Nothing that redeems an offer is kept in the wizard's table."""

    _name = "vci.offer.wizard"
    _description = "Offer a credential"

    # First page: what is offered ----------------------------------------------------

    credential_subject_model = fields.Char()
    credential_subject_id = fields.Integer()
    subject = fields.Reference(
        selection="_selection_subject",
        string="For",
        compute="_compute_subject",
        inverse="_inverse_subject",
        readonly=False,
        help="Whom or what the credential is about",
    )
    allowed_type_ids = fields.Many2many(
        "vci.credential.configuration", compute="_compute_allowed_type_ids"
    )
    credential_type_id = fields.Many2one(
        "vci.credential.configuration",
        "Credential",
        compute="_compute_credential_type_id",
        store=True,
        readonly=False,
    )
    pin = fields.Selection(
        [("none", "No PIN"), ("generate", "A PIN is made")],
        "PIN",
        required=True,
        default=lambda self: self._default_pin(),
        help="The person types it into the wallet. Tell it by another way than the"
        " link.",
    )
    lifetime = fields.Selection(
        [
            ("default", "As long as the settings say"),
            ("1", "1 day"),
            ("3", "3 days"),
            ("7", "1 week"),
            ("30", "30 days"),
            ("90", "90 days"),
        ],
        "Valid for",
        required=True,
        default="default",
        help="How long the offer can be redeemed",
    )
    holder_wallet_did = fields.Char(
        "Only for the wallet",
        help="The DID of the one wallet that may get the credential. Empty: of whoever"
        " scans the QR code first.",
    )

    # Second page: the offer ---------------------------------------------------------

    offer_id = fields.Many2one("vci.offer", compute="_compute_offer")
    situation = fields.Text(compute="_compute_offer")
    obstacle = fields.Text(compute="_compute_offer")
    expires_at = fields.Datetime("Valid until", compute="_compute_offer")
    offered_type_id = fields.Many2one(
        "vci.credential.configuration", "Credential offered", compute="_compute_offer"
    )
    qr_code = fields.Binary("QR code", compute="_compute_offer", exportable=False)
    credential_offer_uri = fields.Char(
        "Link",
        compute="_compute_credential_offer_uri",
        groups="openid4vci.group_offerer",
        exportable=False,
    )
    is_page_link = fields.Boolean(
        compute="_compute_credential_offer_uri", groups="openid4vci.group_offerer"
    )
    needs_pin = fields.Boolean(compute="_compute_offer")
    tx_code = fields.Char("PIN to tell", compute="_compute_tx_code", exportable=False)

    # Defaults -----------------------------------------------------------------------

    @api.model
    def _default_pin(self):
        parameters = self.env["ir.config_parameter"].sudo()
        return parameters.get_param("openid4vci.pin") or "none"

    @api.model
    def _selection_subject(self):
        """Models whose records can be the subject of a credential."""
        names = self.env.registry.descendants([SUBJECT_MIXIN], "_inherit")
        subjects = [name for name in names if not self.env[name]._abstract]
        found = self.env["ir.model"].sudo().search([("model", "in", subjects)])
        return [(model.model, model.name) for model in found]

    # Computing ----------------------------------------------------------------------

    @api.depends("credential_subject_model", "credential_subject_id")
    def _compute_subject(self):
        for wizard in self:
            wizard.subject = wizard._subject() or False

    def _inverse_subject(self):
        for wizard in self:
            # Kept: it is computed anew as soon as one of the two is written.
            subject = wizard.subject
            wizard.credential_subject_model = subject and subject._name
            wizard.credential_subject_id = subject and subject.id

    @api.onchange("subject")
    def _onchange_subject(self):
        self._inverse_subject()

    def _subject(self):
        """The record, or None."""
        model, number = self.credential_subject_model, self.credential_subject_id
        if model not in dict(self._selection_subject()) or not number:
            return None
        return self.env[model].browse(number).exists() or None

    @api.depends("credential_subject_model")
    def _compute_allowed_type_ids(self):
        issuer = self.env["vci.issuer"]._for_company(self.env.company)
        types = self.env["vci.credential.configuration"].search(
            [("issuer_id", "=", issuer.id), ("active", "=", True)]
        )
        for wizard in self:
            wizard.allowed_type_ids = types.filtered(
                lambda found, model=wizard.credential_subject_model: (
                    not found.source_model or found.source_model == model
                )
            )

    @api.depends("allowed_type_ids")
    def _compute_credential_type_id(self):
        """Where there is nothing to choose, it is chosen."""
        for wizard in self:
            allowed = wizard.allowed_type_ids
            chosen = wizard.credential_type_id & allowed
            if not chosen:
                wizard.credential_type_id = allowed if len(allowed) == 1 else False

    @api.depends_context("active_model", "active_id")
    def _compute_offer(self):
        offer = self._shown_offer()
        if offer:
            # Whoever may not see the offer gets an error, not a wizard without it.
            offer._vci_require("group_help_desk")
        for wizard in self:
            wizard.offer_id = offer
            wizard.situation = offer.situation
            wizard.obstacle = offer.obstacle
            wizard.expires_at = offer.expires_at
            wizard.offered_type_id = offer.credential_type_id
            wizard.needs_pin = offer.tx_code_required
            wizard.qr_code = offer.qr_code

    @api.depends_context("active_model", "active_id")
    def _compute_credential_offer_uri(self):
        offer = self._shown_offer()
        if offer:
            offer._vci_require("group_offerer")
        self.credential_offer_uri = offer.page_uri or offer.credential_offer_uri
        self.is_page_link = bool(offer.page_uri)

    @api.depends_context("default_tx_code")
    def _compute_tx_code(self):
        self.tx_code = self.env.context.get("default_tx_code")

    @api.model
    def _shown_offer(self):
        """The offer that the action was opened on; none while one is being made."""
        offers, context = self.env["vci.offer"], self.env.context
        if context.get("active_model") != offers._name or not context.get("active_id"):
            return offers
        return offers.browse(context["active_id"]).exists()

    # Buttons ------------------------------------------------------------------------

    def action_create_offer(self):
        """Make the offer, and go on to the page that shows it."""
        self.ensure_one()
        offers = self.env["vci.offer"]
        offers._vci_require("group_offerer")
        subject = self._subject()
        if not subject:
            raise UserError(
                self.env._("Choose whom or what the credential is about first.")
            )
        if not self.credential_type_id:
            raise UserError(self.env._("Choose the credential first."))
        offer = subject.create_credential_offer(
            self.credential_type_id, **self._offer_options()
        )
        return offer._open_wizard(default_tx_code=offer.tx_code)

    def _offer_options(self):
        options = {"holder_wallet_did": self.holder_wallet_did or None}
        if self.pin == "generate":
            parameters = self.env["ir.config_parameter"].sudo()
            length = parameters.get_param("openid4vci.pin_length")
            options["generate_tx_code"] = True
            options["tx_code_length"] = int(length or 6)
        if self.lifetime != "default":
            options["expires_in"] = f"{self.lifetime} days"
        return options

    def action_print_letter(self):
        """The letter with the QR code. The PIN does not go along: it is in neither
        the letter nor the report's address."""
        offer = self.offer_id
        offer._vci_require("group_help_desk")
        plain = {
            name: value
            for name, value in self.env.context.items()
            if not name.startswith("default_") and not name.startswith("active_")
        }
        report = self.env.ref("openid4vci.report_offer_letter").sudo()
        if report.get_wkhtmltopdf_state() not in ("ok", "upgrade"):
            # Without a PDF the letter would come up in place of this page, and the PIN
            # would be gone.
            return {
                "type": "ir.actions.act_url",
                "url": f"/report/html/{report.report_name}/{offer.id}",
                "target": "new",
            }
        return report.with_context(plain).report_action(offer.ids, config=False)
