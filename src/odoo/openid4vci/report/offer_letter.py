# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The letter that brings an offer's QR code to a person."""

import base64

from odoo import api, models
from odoo.tools import babel_locale_parse, format_datetime


class OfferLetter(models.AbstractModel):
    _name = "report.openid4vci.offer_letter"
    _description = "Letter with the QR code of a credential offer"

    @api.model
    def _get_report_values(self, docids, data=None):
        offers = self.env["vci.offer"].browse(docids).exists()
        offers._vci_require("group_help_desk")
        return {
            "doc_ids": offers.ids,
            "doc_model": offers._name,
            "docs": offers,
            "letters": [self._letter(offer) for offer in offers],
        }

    @api.model
    def _letter(self, offer):
        person = self._person(offer)
        lang = person.lang or self.env.lang
        return {
            "offer": offer,
            "person": person,
            "company": offer.company_id or self.env.company,
            "lang": lang,
            "qr_code": self._qr_code(offer),
            "for_cameras": offer.issuer_id.has_landing_pages,
            "valid_until": self._valid_until(offer, lang, person.tz),
        }

    @api.model
    def _valid_until(self, offer, lang, zone):
        """As the person writes a date and a time, with the zone where it is that
        time: the letter may be read elsewhere."""
        locale = babel_locale_parse(lang)
        date, time = locale.date_formats["long"], locale.time_formats["short"]
        zone = zone or self.env.context.get("tz") or self.env.user.tz or "UTC"
        written = format_datetime(
            self.env,
            offer.expires_at,
            tz=zone,
            dt_format=f"{date.pattern}, {time.pattern}",
            lang_code=lang,
        )
        return f"{written} ({zone})"

    @api.model
    def _qr_code(self, offer):
        """Large enough for a printer; empty when the offer cannot be redeemed. Where
        there are landing pages it leads to one: a phone's camera opens it, wallet or
        not."""
        if not offer.qr_code:
            return ""
        by = "page" if offer.issuer_id.has_landing_pages else "reference"
        return base64.b64encode(offer.get_qr_code(scale=16, by=by)).decode()

    @api.model
    def _person(self, offer):
        """To whom the letter goes: the subject, or the person to whom it belongs.
        Nobody where the user may not read that."""
        nobody = self.env["res.partner"]
        subject = offer._subjects(
            offer.credential_subject_model, [offer.credential_subject_id]
        )
        if not subject or not subject.has_access("read"):
            return nobody
        person = subject._mail_get_partners()[subject.id][:1]
        return person if person.has_access("read") else nobody
