# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What redeems an offer: link, QR code, code, PIN. The extension computes them when
they are asked for, and they are kept nowhere."""

import base64
import json
from urllib.parse import parse_qs, urlsplit

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

PRE_AUTHORIZED_GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"


class VciOffer(models.Model):
    _inherit = "vci.offer"

    # Empty when the offer cannot be redeemed now.
    pre_authorized_code = fields.Char(
        compute="_compute_links",
        search="_search_pre_authorized_code",
        groups="openid4vci.group_offerer",
        exportable=False,
    )
    credential_offer_uri = fields.Char(
        "Link",
        compute="_compute_links",
        groups="openid4vci.group_offerer",
        exportable=False,
    )
    page_uri = fields.Char(
        "Link for people",
        compute="_compute_page_uri",
        groups="openid4vci.group_offerer",
        exportable=False,
        help="An https link to a page that opens the wallet, and says what to do without"
        " one: for messages. Empty where the issuer serves no such pages.",
    )
    qr_code = fields.Binary(
        "QR code",
        compute="_compute_qr_code",
        groups="openid4vci.group_help_desk",
        exportable=False,
    )
    # Of the offers that the call has made which returned these records.
    tx_code = fields.Char(
        "PIN",
        compute="_compute_tx_code",
        groups="openid4vci.group_offerer",
        exportable=False,
    )

    @api.depends("possible_actions")
    def _compute_links(self):
        uris = self._redeemable()._vci_for_each("vci_offer_uri", "value")
        for offer in self:
            uri = uris.get(offer.id)
            offer.credential_offer_uri = uri
            offer.pre_authorized_code = uri and self._code_of(uri)

    @api.depends("possible_actions")
    def _compute_page_uri(self):
        offers = self._redeemable()
        shown = offers.filtered("issuer_id.has_landing_pages")
        uris = shown._vci_for_each("vci_offer_uri", "page")
        for offer in self:
            offer.page_uri = uris.get(offer.id)

    @api.depends("possible_actions")
    def _compute_qr_code(self):
        pictures = self._redeemable()._vci_for_each("vci_offer_qr_png", scale=6)
        for offer in self:
            picture = pictures.get(offer.id)
            offer.qr_code = picture and base64.b64encode(picture)

    @api.depends_context("vci_tx_codes")
    def _compute_tx_code(self):
        tx_codes = dict(self.env.context.get("vci_tx_codes", ()))
        for offer in self:
            offer.tx_code = tx_codes.get(offer.id)

    def _redeemable(self):
        return self.filtered(
            lambda offer: "show" in (offer.possible_actions or "").split()
        )

    @api.model
    def _code_of(self, uri):
        """The pre-authorized code in a link by value; None when the offer is for
        another grant."""
        [offer] = parse_qs(urlsplit(uri).query)["credential_offer"]
        grant = json.loads(offer)["grants"].get(PRE_AUTHORIZED_GRANT, {})
        return grant.get("pre-authorized_code")

    def _search_pre_authorized_code(self, operator, value):
        """A code finds its offer, also one that was replaced, or a whole link."""
        if operator != "in":
            return NotImplemented
        # The ORM asks a field's groups for reading alone.
        self._vci_require("group_offerer")
        sql = self.env["vci.sql"]
        found = [sql.call("vci_find_offer", code) for code in value if code]
        return Domain("id", "in", [number for number in found if number])

    def _vci_for_each(self, function, /, *args, **named):
        """What a function of the extension returns for each of these offers, by their
        ids: one statement."""
        if not self:
            return {}
        sql = self.env["vci.sql"]
        rows = sql.query(
            SQL(
                """SELECT offer.id, called.result
                   FROM unnest(%s::bigint[]) WITH ORDINALITY AS offer (id, position),
                        LATERAL %s AS called (result)
                   ORDER BY offer.position""",
                list(self.ids),
                sql.function_call(function, SQL("offer.id"), *args, **named),
            ),
            writes=sql._is_volatile(function),
        )
        return {row["id"]: row["result"] for row in rows}

    def get_credential_offer_uri(self, by="value"):
        """The link, which the wallet's device opens. by="reference": a short one,
        from which the wallet fetches the offer. by="page": https, for people."""
        self.ensure_one()
        self._vci_require("group_offerer")
        return self.env["vci.sql"].call("vci_offer_uri", self.id, by)

    @api.private
    def get_qr_code(self, scale=6, by="reference"):
        """The QR code as a PNG file, scale pixels a module. By reference it is for the
        scanner of a wallet, by page for the camera of any phone."""
        self.ensure_one()
        self._vci_require("group_help_desk")
        return self.env["vci.sql"].call(
            "vci_offer_qr_png", self.id, by=by, scale=scale
        )
