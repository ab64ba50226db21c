# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Records that belong to a person, at the help desk."""

from odoo.tests import tagged

from .test_mixin import SubjectCase


@tagged("post_install", "-at_install")
class TestPerson(SubjectCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agent = cls.create_user("vci_agent", "group_help_desk")
        cls.offers = cls.entitlements.create_credential_offer(cls.configuration)

    def page(self, partner):
        action = partner.with_user(self.agent).action_help_desk()
        return self.env["vci.help.desk"].with_user(self.agent).browse(action["res_id"])

    def test_offers_about_what_belongs_to_the_person(self):
        other = self.env["res.partner"].create({"name": "Juan Cruz"})
        theirs = self.env["vci.test.entitlement"].create({"partner_id": other.id})
        theirs.create_credential_offer(self.configuration)
        own = self.person.create_credential_offer(self.configuration, claims={})
        seen = self.page(self.person).offer_ids
        self.assertEqual(set(seen.ids), {*self.offers.ids, *own.ids})
        self.assertEqual(self.person.with_user(self.agent).vci_help_desk_count, 4)

    def test_credentials_about_what_belongs_to_the_person(self):
        offer = self.entitlement.create_credential_offer(self.unbound)
        self.fetch(offer)
        [credential] = self.page(self.person).credential_ids
        self.assertEqual(credential.credential_type_id, self.unbound)
        self.assertEqual(credential.credential_subject_id, self.entitlement.id)

    def test_the_agent_need_not_read_the_records(self):
        # The offers' own rules say what is seen at the help desk.
        rights = self.env["ir.model.access"].search(
            [("model_id.model", "=", "vci.test.entitlement")]
        )
        rights.perm_read = False
        self.assertFalse(self.entitlement.with_user(self.agent).has_access("read"))
        self.assertEqual(self.page(self.person).offer_ids.ids, self.offers.ids[::-1])

    def test_a_contact_has_the_company_of_who_offers(self):
        offer = self.person.create_credential_offer(self.configuration, claims={})
        self.assertEqual(offer.company_id, self.env.company)
