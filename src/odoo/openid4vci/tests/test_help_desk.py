# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""One person's offers and credentials at the help desk."""

from lxml import etree

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..models.vci_sql import jsonb
from .common import ISSUER, VciCase


@tagged("post_install", "-at_install")
class TestHelpDesk(VciCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create(
            {"name": "Maria Santos", "email": "maria@example.org"}
        )
        cls.agent = cls.create_user("vci_agent", "group_help_desk")

    @classmethod
    def create_offer_of(cls, record, **options):
        return cls.create_offer_by_sql(
            subject_model=record._name, subject_id=str(record.id), **options
        )

    def page(self, partner=None, user=None):
        """The page that the button of the contact opens."""
        partner = (partner or self.partner).with_user(user or self.agent)
        action = partner.action_help_desk()
        self.assertEqual(action["res_model"], "vci.help.desk")
        return self.env["vci.help.desk"].with_user(user or self.agent).browse(
            action["res_id"]
        )

    def fetch(self, offer, code):
        link = self.sql.call("vci_offer_uri", offer.id)
        token = self.sql.call(
            "vci_exchange_code", self.env["vci.offer"]._code_of(link), issuer=ISSUER
        )["access_token"]
        answer = self.sql.call(
            "vci_request_credential",
            token,
            {"credential_configuration_id": code},
            issuer=ISSUER,
        )
        return token, answer

    # Whose offers -------------------------------------------------------------------

    def test_offers_of_the_person_alone(self):
        other = self.env["res.partner"].create({"name": "Juan Cruz"})
        mine = self.create_offer_of(self.partner)
        self.create_offer_of(other)
        # The same number, of another model that has nothing to do with the person.
        self.create_offer_by_sql(
            subject_model="res.country", subject_id=str(self.partner.id)
        )
        page = self.page()
        self.assertEqual(page.offer_ids, mine)
        self.assertEqual(page.display_name, "Credentials of Maria Santos")
        self.assertEqual(self.partner.with_user(self.agent).vci_help_desk_count, 1)

    def test_newest_first(self):
        offers = [self.create_offer_of(self.partner) for _number in range(3)]
        self.assertEqual(list(self.page().offer_ids), offers[::-1])

    def test_a_person_without_offers(self):
        page = self.page()
        self.assertFalse(page.offer_ids)
        self.assertFalse(page.credential_ids)
        self.assertEqual(self.partner.with_user(self.agent).vci_help_desk_count, 0)

    def test_offers_that_the_agent_may_not_see(self):
        self.agent.vci_labels = {"area": ["NCR"]}
        seen = self.create_offer_of(self.partner, labels={"area": "NCR"})
        self.create_offer_of(self.partner, labels={"area": "BARMM"})
        self.assertEqual(self.page().offer_ids, seen)
        self.assertEqual(self.partner.with_user(self.agent).vci_help_desk_count, 1)

    def test_a_person_whom_the_agent_may_not_see(self):
        company = self.env["res.company"].create({"name": "Another ministry"})
        self.partner.company_id = company
        self.create_offer_of(self.partner, labels=None)
        pages = self.env["vci.help.desk"].with_user(self.agent)
        with mute_logger("odoo.addons.base.models.ir_rule"):
            # Not even the name.
            with self.assertRaises(AccessError):
                pages.create({"partner_id": self.partner.id})
            with self.assertRaises(AccessError):
                pages.new({"partner_id": self.partner.id}).offer_ids.ids

    def test_the_person_may_be_chosen_on_the_page(self):
        offer = self.create_offer_of(self.partner)
        form = Form(
            self.env["vci.help.desk"].with_user(self.agent),
            "openid4vci.view_vci_help_desk_form",
        )
        form.partner_id = self.partner
        self.assertEqual(form.offer_ids.ids, offer.ids)

    def test_a_page_is_its_opener_s_alone(self):
        page = self.page()
        other = self.create_user("vci_other_agent", "group_help_desk")
        with self.assertRaises(AccessError):
            page.with_user(other).read(["partner_id"])

    # What is said -------------------------------------------------------------------

    def test_each_offer_says_what_helps(self):
        pending = self.create_offer_of(self.partner)
        cancelled = self.create_offer_of(self.partner)
        self.sql.call("vci_cancel_offer", cancelled.id)
        locked = self.create_offer_of(self.partner, tx_code="123456")
        link = self.sql.call("vci_offer_uri", locked.id)
        for _attempt in range(5):
            self.sql.call(
                "vci_exchange_code",
                self.env["vci.offer"]._code_of(link),
                "000000",
                issuer=ISSUER,
            )
        self.env.invalidate_all()
        offers = self.page().offer_ids
        self.assertTrue(all(offer.situation for offer in offers))
        self.assertEqual(
            {offer.id: offer.next_action for offer in offers},
            {pending.id: "show", cancelled.id: "none", locked.id: "new_pin"},
        )

    def test_what_keeps_wallets_from_it(self):
        self.create_offer_of(self.partner)
        self.create_offer_of(self.partner)
        self.assertFalse(self.page().obstacles)
        self.issuer.action_pause()
        self.env.invalidate_all()
        # Once, however many offers there are.
        [line] = self.page().obstacles.splitlines()
        self.assertIn("Entitlement: ", line)
        self.assertIn("paused", line)

    def test_each_action_has_its_buttons(self):
        # What helps most stands out; what else is possible is beside it. Decisions and
        # new offers are not the help desk's.
        buttons = {}
        for button in self.arch().xpath("//button"):
            buttons.setdefault(button.get("name"), []).append(button.get("invisible"))
        actions = dict(self.env["vci.offer"]._fields["next_action"].selection)
        for action in set(actions) - {"new_offer", "decide", "none"}:
            with self.subTest(action):
                hidden = " ".join(buttons[f"action_{action}"])
                self.assertIn(f"next_action != '{action}'", hidden)
        for name in ("new_link", "new_pin", "extend", "reopen", "cancel"):
            with self.subTest(name):
                hidden = " ".join(buttons[f"action_{name}"])
                self.assertIn(f"'{name}' not in (possible_actions or '')", hidden)
        for name in buttons:
            self.assertTrue(callable(getattr(self.env["vci.offer"], name)))

    def arch(self):
        pages = self.env["vci.help.desk"].with_user(self.agent)
        view = self.env.ref("openid4vci.view_vci_help_desk_form")
        return etree.fromstring(pages.get_view(view.id, "form")["arch"])

    def test_a_person_is_chosen_on_the_page(self):
        self.create_offer_of(self.partner)
        page = self.env["vci.help.desk"].new({"partner_id": self.partner.id})
        [offer] = page.offer_ids
        self.assertIn("not used yet", offer.situation)
        self.assertEqual(offer.next_action, "show")

    def test_no_secret_on_the_page(self):
        offer = self.create_offer_of(self.partner, tx_code="123456")
        page = self.page()
        shown = {field.get("name") for field in self.arch().xpath("//field")}
        secrets = {"qr_code", "credential_offer_uri", "pre_authorized_code", "tx_code"}
        secrets.add("page_uri")
        self.assertFalse(shown & secrets)
        self.assertEqual(
            set(page._fields) & secrets, set(), "nothing is kept in the page's table"
        )
        code = self.env["vci.offer"]._code_of(
            self.sql.call("vci_offer_uri", offer.id)
        )
        values = page.offer_ids.read(sorted(shown & set(page.offer_ids._fields)))
        self.assertNotIn(code, str(values))

    def test_buttons_of_the_page(self):
        offer = self.create_offer_of(self.partner, tx_code="123456")
        [line] = self.page().offer_ids
        line.action_cancel()
        self.assertEqual(offer.state, "cancelled")
        [line] = self.page().offer_ids
        self.assertIn("reopen", line.possible_actions)
        action = line.action_reopen()
        self.assertEqual(offer.state, "pending")
        self.assertEqual(action["res_model"], "vci.offer.wizard")

    def test_the_agent_sees_the_qr_code_of_an_offer(self):
        self.create_offer_of(self.partner)
        action = self.page().offer_ids.action_show()
        self.assertNotIn("credential_offer", str(action["context"]))
        wizard = Form(
            self.env[action["res_model"]]
            .with_user(self.agent)
            .with_context(**action["context"])
        )
        self.assertTrue(wizard.qr_code)

    def test_an_offer_about_what_can_be_no_record(self):
        offer = self.create_offer_by_sql(subject_model="mail.thread", subject_id="1")
        offer = offer.with_user(self.agent)
        with self.assertRaises(UserError):
            offer.action_open_subject()
        offer.action_cancel()
        self.assertEqual(offer.state, "cancelled")

    # Credentials --------------------------------------------------------------------

    def test_credentials(self):
        self.create_configuration("Badge", binding="absent")
        offer = self.create_offer_of(self.partner, code="Badge")
        token, answer = self.fetch(offer, "Badge")
        [credential] = self.page().credential_ids
        self.assertEqual(credential.credential_type_id.code, "Badge")
        self.assertIn("has not said", credential.situation)
        for event, words in {
            "credential_failure": "could not keep it",
            "credential_deleted": "removed it",
            "credential_accepted": "In the wallet, valid until",
        }.items():
            with self.subTest(event):
                self.sql.call(
                    "vci_record_notification",
                    token,
                    answer["notification_id"],
                    event,
                    issuer=ISSUER,
                )
                self.assertIn(words, credential.situation)

    def test_a_credential_that_is_over(self):
        credential = self.env["vci.credential"].new(
            {"expires_at": "2020-01-31 12:00:00", "issued_at": "2019-01-31 12:00:00"}
        )
        self.assertIn("Expired on 01/31/2020", credential.situation)

    # The contact --------------------------------------------------------------------

    def test_claims_that_the_configuration_names(self):
        configuration = self.create_configuration(
            "Contact",
            always_disclosed=jsonb(["name"]),
            selectively_disclosable=jsonb(["email"]),
        )
        self.partner.phone = "+63 2 8888 0000"
        self.assertEqual(
            self.partner.get_credential_claims(configuration),
            {"name": "Maria Santos", "email": "maria@example.org"},
        )
        self.partner.email = False
        self.assertEqual(
            self.partner.get_credential_claims(configuration), {"name": "Maria Santos"}
        )

    def test_labels(self):
        company = self.env.company
        self.assertEqual(
            self.partner.get_credential_labels(), {"company_id": company.id}
        )
        other = self.env["res.company"].create({"name": "Another ministry"})
        self.partner.company_id = other
        self.assertEqual(self.partner.get_credential_labels(), {"company_id": other.id})

    def test_deleting_the_person_cancels_the_offers(self):
        offer = self.create_offer_of(self.partner)
        manager = self.create_user("vci_contact_manager")
        manager.group_ids += self.env.ref("base.group_partner_manager")
        self.partner.with_user(manager).unlink()
        self.assertEqual(offer.state, "cancelled")

    def test_everybody_opens_contacts(self):
        # Fields of this addon are in the form of users who have none of its groups.
        employee = self.create_user("vci_employee")
        self.create_offer_of(self.partner)
        with Form(self.partner.with_user(employee)) as form:
            self.assertEqual(form.name, "Maria Santos")
        counts = ["credential_offer_count", "credential_count"]
        [values] = self.partner.with_user(employee).read(counts)
        self.assertEqual([values[name] for name in counts], [0, 0])

    def test_officers_offer_from_the_contact_s_menu(self):
        action = self.env.ref("openid4vci.action_partner_create_credential_offer")
        context = {"active_model": "res.partner", "active_id": self.partner.id}
        officer = self.create_user("vci_officer", "group_offerer")
        opened = action.with_user(officer).with_context(**context).run()
        self.assertEqual(opened["res_model"], "vci.offer.wizard")
        self.assertEqual(
            opened["context"]["default_credential_subject_id"], self.partner.id
        )
        with self.assertRaises(AccessError):
            action.with_user(self.agent).with_context(**context).run()

    def test_who_has_which_button(self):
        buttons = {"action_help_desk", "action_view_credential_offers"}
        wanted = {
            self.create_user("vci_employee"): set(),
            self.create_user("vci_viewer", "group_reporter"): {
                "action_view_credential_offers"
            },
            self.agent: {"action_help_desk"},
            self.create_user("vci_officer", "group_offerer"): {"action_help_desk"},
        }
        for user, names in wanted.items():
            with self.subTest(user.login):
                arch = self.env["res.partner"].with_user(user).get_view()["arch"]
                shown = set(etree.fromstring(arch).xpath("//button/@name"))
                self.assertEqual(shown & buttons, names)
