# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The letter with the QR code."""

import base64
import re
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import VciCase

REPORT = "openid4vci.offer_letter"


@tagged("post_install", "-at_install")
class TestOfferLetter(VciCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create({"name": "Maria Santos"})
        # So that the letter's only picture is the QR code.
        cls.env.company.logo = False

    def offer_of(self, partner, **options):
        return self.create_offer_by_sql(
            subject_model="res.partner", subject_id=str(partner.id), **options
        )

    def letter(self, offers, user=None):
        reports = self.env["ir.actions.report"].with_user(user or self.env.user)
        html, _kind = reports._render_qweb_html(REPORT, offers.ids)
        return html.decode()

    def test_brings_the_qr_code_to_the_person(self):
        html = self.letter(self.offer_of(self.partner))
        self.assertIn("Dear <span>Maria Santos</span>", html)
        [picture] = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
        self.assertTrue(base64.b64decode(picture).startswith(b"\x89PNG"))
        self.assertNotIn("Type the PIN", html)

    def test_the_qr_code_is_for_the_camera_where_there_are_pages(self):
        offer = self.offer_of(self.partner)
        html = self.letter(offer)
        picture = base64.b64encode(offer.get_qr_code(scale=16, by="page")).decode()
        self.assertIn(picture, html)
        self.assertIn("Point the camera of your phone", html)
        self.assertNotIn("Scan a QR code", html)
        self.issuer.alter({"endpoints": {"landing": {"enabled": False}}})
        self.env.invalidate_all()
        html = self.letter(offer)
        self.assertIn(base64.b64encode(offer.get_qr_code(scale=16)).decode(), html)
        self.assertIn("Scan a QR code", html)

    def test_neither_link_nor_pin_stand_in_it(self):
        offer = self.offer_of(self.partner, tx_code="493536")
        html = self.letter(offer)
        self.assertIn("Type the PIN", html)
        self.assertNotIn("493536", html)
        self.assertNotIn(offer.pre_authorized_code, html)
        self.assertNotIn(offer.page_uri, html)
        self.assertNotIn("openid-credential-offer", html)
        # A report's pictures by address would put the link into access logs.
        self.assertNotIn("/report/barcode", html)

    def test_an_offer_that_is_over_has_no_qr_code(self):
        offer = self.offer_of(self.partner)
        offer.action_cancel()
        html = self.letter(offer)
        self.assertIn("cannot be used any more", html)
        self.assertNotIn("data:image/png", html)

    def test_a_page_for_each(self):
        other = self.env["res.partner"].create({"name": "Juan Cruz"})
        html = self.letter(self.offer_of(self.partner) + self.offer_of(other))
        self.assertIn("Maria Santos", html)
        self.assertIn("Juan Cruz", html)
        self.assertEqual(html.count("data:image/png"), 2)

    def test_in_the_persons_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.partner.lang = "fr_FR"
        letters = self.env["report.openid4vci.offer_letter"]
        values = letters._get_report_values(self.offer_of(self.partner).ids)
        self.assertEqual([found["lang"] for found in values["letters"]], ["fr_FR"])

    def test_the_end_is_written_as_the_person_writes_it(self):
        letters = self.env["report.openid4vci.offer_letter"]
        offer = self.env["vci.offer"].new({"expires_at": "2026-11-29 17:05:00"})
        for lang, zone, written in (
            ("en_US", "Asia/Manila", "November 30, 2026, 1:05 AM (Asia/Manila)"),
            ("de_DE", "Europe/Berlin", "29. November 2026, 18:05 (Europe/Berlin)"),
            ("zh_CN", "UTC", "2026年11月29日, 17:05 (UTC)"),
        ):
            self.env["res.lang"]._activate_lang(lang)
            with self.subTest(lang):
                said = letters._valid_until(offer, lang, zone)
                # Newer data of languages has a narrow space before AM.
                said = said.replace("\N{NARROW NO-BREAK SPACE}", " ")
                self.assertEqual(said, written)
        self.partner.write({"tz": "Asia/Manila"})
        self.assertIn("(Asia/Manila)", self.letter(self.offer_of(self.partner)))

    def test_without_a_subject(self):
        # A model that is none of Odoo's, and one that has no table.
        for model in ("demo.person", "mail.thread"):
            offer = self.create_offer_by_sql(subject_model=model, subject_id="1")
            with self.subTest(model):
                html = self.letter(offer)
                self.assertNotIn("Dear", html)
                self.assertIn("data:image/png", html)

    def test_is_for_the_help_desk_and_for_what_it_may_see(self):
        viewer = self.create_user("vci_letter_viewer", "group_reporter")
        agent = self.create_user("vci_letter_agent", "group_help_desk")
        offer = self.offer_of(self.partner)
        self.assertIn("data:image/png", self.letter(offer, agent))
        with self.assertRaises(AccessError):
            self.letter(offer, viewer)
        far = self.offer_of(self.partner, labels={"area": "NCR"})
        agent.vci_labels = {"area": ["CAR"]}
        with self.assertRaises(AccessError):
            self.letter(far, agent)

    def test_a_name_that_the_user_may_not_read_is_left_out(self):
        offer = self.offer_of(self.partner)
        with patch.object(type(self.partner), "has_access", lambda *_args: False):
            self.assertNotIn("Maria", self.letter(offer))
