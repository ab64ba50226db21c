# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Revoking, suspending and reinstating: who may, what changes, what people read."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import ISSUER, VciCase

CLAIMS = {"entitlementId": "E-1", "entitlementStatus": "approved"}


@tagged("post_install", "-at_install")
class TestStatus(VciCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kind = cls.create_configuration(
            "Permit", options={"status_bits": 2}, binding="absent"
        )
        cls.plain = cls.create_configuration("Plain", binding="absent")
        cls.once = cls.create_configuration(
            "Once", options={"status_bits": 1}, binding="absent"
        )
        cls.person = cls.env["res.partner"].create({"name": "Maria Santos"})
        cls.credential = cls.issue("Permit")
        cls.officer = cls.create_user("status officer", "group_offerer")
        cls.desk = cls.create_user("status desk", "group_help_desk")

    @classmethod
    def issue(cls, code, person=None):
        issued = cls.sql.call(
            "vci_issue_and_record",
            code,
            CLAIMS,
            subject_model="res.partner",
            subject_id=str((person or cls.person).id),
            issuer=ISSUER,
        )
        return cls.env["vci.credential"].browse(issued["credential_id"])

    def status_of(self, credential):
        return self.sql.call("vci_credential_status", credential.id)

    def wizard(self, credentials, change, user=None):
        action = getattr(credentials, f"action_{change}")()
        model = self.env[action["res_model"]].with_user(user or self.env.user)
        return model.with_context(**action["context"]).create({})

    # Models ---------------------------------------------------------------------

    def test_revoke(self):
        changed = self.credential.revoke("moved away")
        self.assertEqual(changed, self.credential)
        told = self.status_of(self.credential)
        self.assertEqual((told["status"], told["reason"]), ("revoked", "moved away"))
        self.assertEqual(self.credential.status, "revoked")
        self.assertEqual(self.credential.status_reason, "moved away")
        self.assertTrue(self.credential.status_changed_at)

    def test_suspended_for_a_time(self):
        self.credential.suspend("papers are being checked")
        self.assertEqual(self.credential.status, "suspended")
        self.credential.reinstate()
        self.assertEqual(self.status_of(self.credential)["status"], "valid")
        self.assertEqual(self.credential.status, "valid")

    def test_revoked_stays_revoked(self):
        self.credential.revoke()
        self.assertFalse(self.credential.reinstate())
        self.assertFalse(self.credential.revoke())
        self.assertEqual(self.credential.status, "revoked")

    def test_without_a_status_list_nothing_changes(self):
        plain = self.issue("Plain")
        self.assertEqual(plain.status, "none")
        self.assertFalse(plain.revoke())
        with self.assertRaisesRegex(UserError, "cannot be revoked"):
            plain.action_revoke()

    def test_one_bit_is_not_suspended(self):
        once = self.issue("Once")
        with self.assertRaises(UserError):
            (once | self.credential).suspend()
        self.assertEqual(self.status_of(self.credential)["status"], "valid")

    def test_search_and_group(self):
        other = self.issue("Permit")
        other.suspend("lost phone")
        mine = [("id", "in", (other | self.credential).ids)]
        credentials = self.env["vci.credential"]
        found = credentials.search([*mine, ("status", "=", "suspended")])
        self.assertEqual(found, other)
        found = credentials.search([*mine, ("status_reason", "ilike", "phone")])
        self.assertEqual(found, other)
        groups = credentials._read_group(mine, ["status"], ["__count"])
        self.assertEqual(dict(groups), {"valid": 1, "suspended": 1})

    def test_subject_by_its_mixin(self):
        plain, once = self.issue("Plain"), self.issue("Once")
        other = self.env["res.partner"].create({"name": "Jose Cruz"})
        others = self.issue("Permit", other)
        changed = self.person.suspend("checked", configuration="Permit")
        self.assertEqual(changed, self.credential)
        self.assertEqual(self.person.reinstate(), self.credential)
        self.assertEqual(self.person.revoke("moved"), self.credential | once)
        self.assertEqual(plain.status, "none")
        self.assertEqual(others.status, "valid")

    def test_subjects_chatter_has_no_reason(self):
        self.credential.revoke("suspected of fraud")
        note = self.person.message_ids[0].body
        self.assertIn("was revoked", note)
        self.assertNotIn("fraud", note)

    # Who may --------------------------------------------------------------------

    def test_help_desk_may_not(self):
        credential = self.credential.with_user(self.desk)
        self.assertEqual(credential.status, "valid")
        for change in ("revoke", "suspend", "reinstate"):
            with self.assertRaises(AccessError):
                getattr(credential, change)()
            with self.assertRaises(AccessError):
                getattr(credential, f"action_{change}")()
            with self.assertRaises(AccessError):
                getattr(self.person.with_user(self.desk), change)()
        with self.assertRaises(AccessError):
            self.env["vci.status.wizard"].with_user(self.desk).create({})
        self.assertEqual(self.credential.status, "valid")

    def test_officer_of_another_area_may_not(self):
        self.officer.vci_labels = {"area": ["NCR"]}
        with self.assertRaises(AccessError):
            self.credential.with_user(self.officer).revoke()
        self.assertFalse(self.person.with_user(self.officer).revoke())
        with self.assertRaises(AccessError):
            self.wizard(self.credential, "revoke", self.officer).action_change()
        self.assertEqual(self.status_of(self.credential)["status"], "valid")

    # Wizard ---------------------------------------------------------------------

    def test_wizard(self):
        wizard = self.wizard(self.credential, "suspend", self.officer)
        with Form(wizard) as form:
            form.reason = "lost phone"
        told = wizard.action_change()
        self.assertEqual(told["tag"], "display_notification")
        self.assertEqual(self.credential.status_reason, "lost phone")
        wizard = self.wizard(self.credential, "reinstate", self.officer)
        wizard.action_change()
        self.assertEqual(self.credential.status, "valid")

    def test_wizard_leaves_out_what_stays(self):
        plain = self.issue("Plain")
        wizard = self.wizard(self.credential | plain, "revoke")
        self.assertEqual((wizard.count, wizard.left_out), (1, 1))
        self.assertEqual(wizard.credentials, self.credential.name)
        wizard.action_change()
        with self.assertRaisesRegex(UserError, "nothing to revoke"):
            wizard.action_change()

    # Help desk ------------------------------------------------------------------

    def test_help_desk_reads_why(self):
        action = self.person.with_user(self.desk).action_help_desk()
        page = self.env["vci.help.desk"].with_user(self.desk).browse(action["res_id"])
        self.credential.suspend("papers are being checked")
        [told] = page.credential_ids.mapped("situation")
        self.assertIn("papers are being checked", told)
        self.assertIn("until an officer reinstates it", told)
        self.credential.revoke()
        page.invalidate_recordset()
        [told] = page.credential_ids.mapped("situation")
        self.assertIn("no reason was given", told)
        self.assertIn("for good", told)

    # Kinds ----------------------------------------------------------------------

    def test_kind_says_what_can_be_done(self):
        kinds = self.env["vci.credential.configuration"]
        kind = kinds.create({"code": "Pass", "status_bits": "2", "binding": "absent"})
        self.assertEqual(kind.status_bits, "2")
        self.assertEqual(self.issue("Pass").status, "valid")
        kind.status_bits = False
        self.assertFalse(kind.status_bits)
        self.assertEqual(self.issue("Pass").status, "none")
        kind.status_bits = "1"
        self.assertEqual(self.issue("Pass").status_bits, 1)
        self.assertFalse(self.plain.status_bits)
