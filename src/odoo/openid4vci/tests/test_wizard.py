# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The wizards: offering a credential, showing an offer, setting up the issuer."""

import base64
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import SQL

from ..models.vci_sql import jsonb
from .common import ISSUER, VciCase


@tagged("post_install", "-at_install")
class TestOfferWizard(VciCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create(
            {"name": "Maria Santos", "email": "maria@example.org"}
        )
        cls.person_type = cls.create_configuration(
            "PersonCredential",
            always_disclosed=jsonb(["name"]),
            selectively_disclosable=jsonb(["email"]),
        )
        cls.configuration.source_model = "res.users"
        cls.person_type.source_model = "res.partner"

    def wizard(self, user=None, **context):
        wizards = self.env["vci.offer.wizard"].with_user(user or self.env.user)
        return Form(
            wizards.with_context(
                default_credential_subject_model="res.partner",
                default_credential_subject_id=self.partner.id,
                **context,
            )
        )

    def shown(self, action, user=None):
        """The page that an action opens, as the browser would have it."""
        self.assertEqual(action["res_model"], "vci.offer.wizard")
        wizards = self.env["vci.offer.wizard"].with_user(user or self.env.user)
        return wizards.with_context(**action["context"]).new()

    def last_offer(self):
        return self.env["vci.offer"].search(
            [("issuer_id", "=", self.issuer.id)], limit=1
        )

    def test_offers_what_is_for_such_records(self):
        """Nobody offers a credential about one kind of record for another."""
        wizard = self.wizard()
        self.assertEqual(wizard.subject, f"res.partner,{self.partner.id}")
        # The only one for partners is chosen already.
        self.assertEqual(wizard.credential_type_id, self.person_type)
        self.person_type.source_model = "res.users"
        self.assertFalse(self.wizard().credential_type_id)
        self.assertFalse(self.wizard().allowed_type_ids)

    def test_makes_an_offer_with_a_pin_that_is_shown_once(self):
        form = self.wizard()
        form.pin = "generate"
        form.lifetime = "3"
        wizard = form.save()
        page = self.shown(wizard.action_create_offer())
        offer = self.last_offer()
        self.assertEqual(page.offer_id, offer)
        self.assertRegex(page.tx_code, "^[0-9]{6}$")
        self.assertTrue(base64.b64decode(page.qr_code).startswith(b"\x89PNG"))
        self.assertEqual(page.credential_offer_uri, offer.page_uri)
        self.assertTrue(page.is_page_link)
        days = (offer.expires_at - offer.created_at).total_seconds() / 86400
        self.assertAlmostEqual(days, 3, places=2)
        self.assertTrue(offer.tx_code_required)
        # Opened once more, there is no PIN; and none in the wizard's table.
        again = self.shown(offer.action_show())
        self.assertTrue(again.needs_pin)
        self.assertFalse(again.tx_code)
        rows = self.sql.query(SQL("SELECT w::text AS row FROM vci_offer_wizard w"))
        for row in rows:
            self.assertNotIn(page.tx_code, row["row"])
            self.assertNotIn(offer.pre_authorized_code, row["row"])

    def test_as_the_settings_say(self):
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("openid4vci.pin", "generate")
        parameters.set_param("openid4vci.pin_length", "8")
        page = self.shown(self.wizard().save().action_create_offer())
        self.assertRegex(page.tx_code, "^[0-9]{8}$")

    def test_without_a_pin(self):
        page = self.shown(self.wizard().save().action_create_offer())
        self.assertFalse(page.tx_code)
        self.assertFalse(page.needs_pin)

    def test_the_subject_is_chosen_on_the_page(self):
        """As from the menu."""
        form = Form(self.env["vci.offer.wizard"])
        form.subject = f"res.partner,{self.partner.id}"
        self.assertEqual(form.subject, f"res.partner,{self.partner.id}")
        self.assertEqual(form.credential_type_id, self.person_type)
        page = self.shown(form.save().action_create_offer())
        self.assertEqual(page.offer_id.get_credential_subject(), self.partner)

    def test_needs_a_subject(self):
        wizard = self.env["vci.offer.wizard"].create(
            {"credential_type_id": self.person_type.id}
        )
        with self.assertRaisesRegex(UserError, "about first"):
            wizard.action_create_offer()
        # A model that has no credentials is no subject, whoever names it.
        wizard.credential_subject_model = "ir.config_parameter"
        wizard.credential_subject_id = 1
        with self.assertRaisesRegex(UserError, "about first"):
            wizard.action_create_offer()

    def test_the_help_desk_shows_and_does_not_offer(self):
        agent = self.create_user("vci_wizard_agent", "group_help_desk")
        wizard = self.wizard().save()
        offer = self.create_offer_by_sql()
        with self.assertRaises(AccessError):
            wizard.with_user(agent).action_create_offer()
        page = self.shown(offer.with_user(agent).action_show(), agent)
        self.assertTrue(page.qr_code)
        with self.assertRaises(AccessError):
            page.credential_offer_uri  # noqa: B018
        readable = self.env["vci.offer.wizard"].with_user(agent).fields_get()
        self.assertNotIn("credential_offer_uri", readable)

    def test_an_offer_that_the_user_may_not_see_is_not_shown(self):
        """The id is the browser's to choose."""
        offer = self.create_offer_by_sql(labels={"area": "NCR"})
        agent = self.create_user(
            "vci_wizard_far", "group_help_desk", vci_labels={"area": ["CAR"]}
        )
        context = {"active_model": "vci.offer", "active_id": offer.id}
        page = self.env["vci.offer.wizard"].with_user(agent).with_context(**context)
        with self.assertRaises(AccessError):
            page.new().qr_code  # noqa: B018

    def test_says_why_there_is_no_qr_code(self):
        offer = self.create_offer_by_sql()
        offer.action_cancel()
        page = self.shown(offer.action_show())
        self.assertFalse(page.qr_code)
        self.assertIn("cancelled", page.situation)

    def test_printing_leaves_the_pin_behind(self):
        form = self.wizard()
        form.pin = "generate"
        action = form.save().action_create_offer()
        wizards = self.env["vci.offer.wizard"].with_context(**action["context"])
        letter, pin = wizards.create({}), action["context"]["default_tx_code"]
        reports = self.env.registry["ir.actions.report"]
        with patch.object(reports, "get_wkhtmltopdf_state", lambda self: "ok"):
            report = letter.action_print_letter()
        self.assertEqual(report["report_name"], "openid4vci.offer_letter")
        self.assertEqual(report["context"]["active_ids"], self.last_offer().ids)
        self.assertNotIn(pin, repr(report))
        # Where no PDF can be made, the page with the PIN stays as well.
        with patch.object(reports, "get_wkhtmltopdf_state", lambda self: "install"):
            page = letter.action_print_letter()
        self.assertEqual(page["target"], "new")
        self.assertTrue(page["url"].endswith(f"letter/{self.last_offer().id}"))
        self.assertNotIn(pin, repr(page))


@tagged("post_install", "-at_install")
class TestSetupWizard(VciCase):
    URL = "https://setup.test.example"

    def setUp(self):
        super().setUp()
        self.company = self.env["res.company"].create({"name": "Second Ministry"})
        self.wizards = self.env["vci.setup.wizard"].with_company(self.company)

    def test_makes_issuer_and_key(self):
        form = Form(self.wizards)
        form.url = f"{self.URL}/"
        form.name = "Second Ministry"
        form.save().action_set_up()
        issuer = self.env["vci.issuer"]._for_company(self.company)
        self.assertEqual(issuer.url, self.URL)
        self.assertEqual(issuer.display, [{"name": "Second Ministry", "locale": "en"}])
        self.assertEqual(issuer.key_ids.mapped("state"), ["active"])
        # The first company keeps its own.
        self.assertEqual(self.env.company.vci_issuer_url, ISSUER)

    def test_an_issuer_that_is_there_becomes_the_companys(self):
        form = Form(self.wizards)
        form.url = ISSUER
        self.assertTrue(form.is_known)
        form.save().action_set_up()
        issuer = self.env["vci.issuer"]._for_company(self.company)
        self.assertEqual(issuer, self.issuer)
        # It had a key, and gets no second one.
        self.assertEqual(len(issuer.key_ids), 1)

    def test_odoos_address_is_proposed_where_wallets_can_use_it(self):
        parameters = self.env["ir.config_parameter"]
        for address, proposed in {
            "https://registry.example/": "https://registry.example",
            "http://localhost:8069": "http://localhost:8069",
            "http://registry.example": False,
        }.items():
            parameters.set_param("web.base.url", address)
            self.assertEqual(self.wizards.new().url, proposed)

    def test_does_not_follow_odoos_address(self):
        self.env["ir.config_parameter"].set_param("web.base.url", self.URL)
        Form(self.wizards).save().action_set_up()
        self.env["ir.config_parameter"].set_param("web.base.url", "https://x.example")
        issuer = self.env["vci.issuer"]._for_company(self.company)
        self.assertEqual(issuer.url, self.URL)

    def test_is_for_administrators(self):
        officer = self.create_user("vci_setup_officer", "group_offerer")
        with self.assertRaises(AccessError):
            self.wizards.with_user(officer).create({"url": self.URL, "name": "x"})
        wizard = self.wizards.create({"url": self.URL, "name": "x"})
        with self.assertRaises(AccessError):
            wizard.with_user(officer).action_set_up()

    def test_the_extension_says_what_is_wrong_with_a_url(self):
        wizard = self.wizards.create({"url": "http://registry.example", "name": "x"})
        with self.assertRaisesRegex(UserError, "https"):
            wizard.action_set_up()
