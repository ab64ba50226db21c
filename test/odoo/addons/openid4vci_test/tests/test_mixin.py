# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What the mixin gives a model."""

import datetime
from decimal import Decimal
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.openid4vci.models.vci_sql import jsonb
from odoo.addons.openid4vci.tests.common import ISSUER, VciCase

HOLDER = "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv"


class SubjectCase(VciCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.person = cls.env["res.partner"].create({"name": "Maria Santos"})
        cls.entitlements = cls.env["vci.test.entitlement"].create(
            [
                {
                    "code": f"ENT-{n}",
                    "partner_id": cls.person.id,
                    "initial_amount": 1250.5,
                    "state": "approved",
                }
                for n in range(3)
            ]
        )
        cls.entitlement = cls.entitlements[0]
        # Of no key, so that a test can be the wallet.
        cls.unbound = cls.create_configuration("Unbound", binding="absent")

    def fetch(self, offer):
        """What a wallet does; the credential's claims."""
        service = self.env["vci.token.service"]
        token = service.exchange_pre_authorized_code(offer.pre_authorized_code)
        answer = self.sql.call(
            "vci_request_credential",
            token["access_token"],
            {"credential_configuration_id": offer.credential_type_id.code},
            issuer=ISSUER,
        )
        self.assertNotIn("error", answer)
        return self.claims_of(answer["credentials"][0]["credential"])

    def claims_of(self, credential):
        verdict = self.env["vci.sd.jwt"].verify_sd_jwt_vc(credential)
        self.assertTrue(verdict["valid"], verdict)
        return verdict["verified_claims"]


@tagged("post_install", "-at_install")
class TestClaims(SubjectCase):
    def test_offered_claims_are_in_the_credential(self):
        offer = self.entitlement.create_credential_offer(self.unbound)
        claims = self.fetch(offer)
        self.assertEqual(claims["entitlementId"], "ENT-0")
        self.assertEqual(claims["beneficiaryName"], "Maria Santos")
        currency = self.env.company.currency_id.name
        self.assertEqual(claims["amount"], {"value": 1250.5, "currency": currency})
        today = self.entitlement.valid_from.isoformat()
        self.assertEqual(claims["validFrom"], today)
        self.assertNotIn("validUntil", claims)
        self.assertNotIn("id", claims)

    def test_claims_are_those_of_the_moment_of_the_offer(self):
        offer = self.entitlement.create_credential_offer(self.unbound)
        self.entitlement.state = "cancelled"
        self.assertEqual(self.fetch(offer)["entitlementStatus"], "approved")

    def test_what_json_cannot_say_by_itself(self):
        told = {
            "entitlementId": "E",
            "entitlementStatus": "approved",
            "amount": Decimal("900719925474099.10"),
            "at": datetime.datetime(2026, 1, 2, 3, 4, 5),
            "nested": {"day": datetime.date(2026, 1, 2), "nothing": None},
            "nothing": None,
        }
        with patch.object(
            type(self.entitlement), "get_credential_claims", lambda self, kind: told
        ):
            claims = self.fetch(self.entitlement.create_credential_offer(self.unbound))
        self.assertEqual(claims["at"], "2026-01-02T03:04:05Z")
        self.assertEqual(claims["nested"], {"day": "2026-01-02"})
        self.assertNotIn("nothing", claims)
        self.assertEqual(claims["amount"], 900719925474099.10)

    def test_the_subjects_identifier_is_the_claim_id(self):
        with patch.object(
            type(self.entitlement), "get_credential_subject_id", lambda self: HOLDER
        ):
            claims = self.fetch(self.entitlement.create_credential_offer(self.unbound))
        self.assertEqual(claims["id"], HOLDER)

    def test_live_claims(self):
        """As docs/odoo.md shows: a function in SQL reads Odoo's table when the
        credential is issued, as the role that Odoo is."""
        self.sql.query(
            SQL(
                """CREATE FUNCTION public.vci_test_claims(model text, id text)
                   RETURNS jsonb LANGUAGE sql STABLE AS $$
                      SELECT jsonb_build_object('entitlementId', e.code,
                                                'entitlementStatus', e.state)
                      FROM public.vci_test_entitlement e WHERE e.id = $2::integer
                   $$"""
            )
        )
        self.sql.call(
            "vci_alter_configuration",
            "Unbound",
            {"claims_source": "public.vci_test_claims"},
            issuer=ISSUER,
        )
        with patch.object(type(self.entitlement), "_vci_claims_live", True):
            offer = self.entitlement.create_credential_offer(self.unbound)
        self.entitlement.state = "cancelled"
        self.env.flush_all()
        claims = self.fetch(offer)
        self.assertEqual(claims["entitlementStatus"], "cancelled")
        self.assertNotIn("beneficiaryName", claims)


@tagged("post_install", "-at_install")
class TestOffering(SubjectCase):
    def test_offers_of_many_records_are_in_their_order(self):
        records = self.entitlements[::-1]
        offers = records.create_credential_offer("EntitlementCredential")
        self.assertEqual(offers.mapped("credential_subject_id"), records.ids)
        self.assertEqual(offers[0].labels, {"company_id": self.env.company.id})
        self.assertEqual(offers.company_id, self.env.company)

    def test_one_statement_makes_them_all(self):
        """A campaign's time goes into the extension, not into statements."""
        made = []
        call = type(self.sql).query

        def count(sql, query, writes=True):
            made.append("vci_create_offer" in query.code)
            return call(sql, query, writes)

        with patch.object(type(self.sql), "query", count):
            self.entitlements.create_credential_offer(self.configuration)
        self.assertEqual(made.count(True), 1)

    def test_a_pin_for_each(self):
        offers = self.entitlements.create_credential_offer(
            self.configuration, generate_tx_code=True, tx_code_length=8
        )
        pins = offers.mapped("tx_code")
        self.assertEqual([len(pin) for pin in pins], [8, 8, 8])
        self.assertGreater(len(set(pins)), 1)

    def test_a_reference_of_the_registrys_own(self):
        def reference(record, credential_type):
            return f"{credential_type.code}/{record.code}"

        with patch.object(type(self.entitlement), "_vci_reference", reference):
            first = self.entitlements.create_credential_offer(self.configuration)
            again = self.entitlements.create_credential_offer(self.configuration)
        self.assertEqual(first, again)
        self.assertEqual(first[0].reference, "EntitlementCredential/ENT-0")
        with self.assertRaises(ValueError):
            self.entitlements.create_credential_offer(self.configuration, reference="X")

    def test_labels(self):
        with patch.object(
            type(self.entitlement),
            "get_credential_labels",
            lambda self: {"area": "NCR", "campaign": self.code},
        ):
            self.entitlements.create_credential_offer(self.configuration)
        found = self.env["vci.offer"].search([("labels", "=", '{"area": "NCR"}')])
        self.assertEqual(len(found), 3)
        found = self.env["vci.offer"].search([("labels", "=", '{"campaign": "ENT-1"}')])
        self.assertEqual(found.credential_subject_id, self.entitlements[1].id)

    def test_no_configuration(self):
        for unknown in ("NoCredential", 0):
            with self.assertRaises(UserError):
                self.entitlement.create_credential_offer(unknown)

    def test_chatter(self):
        offer = self.entitlement.create_credential_offer(self.configuration)
        notes = self.entitlement.message_ids.mapped("body")
        self.assertEqual(len([note for note in notes if offer.name in note]), 1)
        self.assertNotIn("openid-credential-offer", " ".join(notes))

    def test_no_chatter_in_a_campaign(self):
        campaign = self.entitlements.with_context(tracking_disable=True)
        offers = campaign.create_credential_offer(self.configuration)
        notes = " ".join(self.entitlements.message_ids.mapped("body"))
        self.assertFalse([name for name in offers.mapped("name") if name in notes])

    def test_the_same_checks_for_many(self):
        """One query for all records, not one each."""
        many = self.entitlements.create(
            [{"partner_id": self.person.id} for _n in range(20)]
        )
        campaign = many.with_context(tracking_disable=True)
        campaign[0].create_credential_offer(self.configuration)
        counts = []
        for records in (campaign[:2], campaign):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            records.create_credential_offer(self.configuration)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])

    def test_a_model_without_chatter(self):
        event = self.env["vci.test.event.data"].create(
            {
                "partner_id": self.person.id,
                "state": "completed",
                "event_type": "vulnerability_assessment",
            }
        )
        configuration = self.create_configuration(
            "Assessment", always_disclosed=jsonb(["assessmentId"])
        )
        offer = event.create_credential_offer(configuration)
        self.assertEqual(offer.get_credential_subject(), event)
        offer.action_cancel()


@tagged("post_install", "-at_install")
class TestIssuing(SubjectCase):
    def test_to_a_holder(self):
        credential = self.entitlement.issue_credential(self.configuration.id, HOLDER)
        claims = self.claims_of(credential)
        self.assertEqual(claims["entitlementId"], "ENT-0")
        key = self.sql.call("vci_holder_jwk", HOLDER)
        self.assertEqual(claims["cnf"]["jwk"]["x"], key["x"])
        recorded = self.env["vci.credential"].search(
            [("credential_subject_model", "=", "vci.test.entitlement")]
        )
        self.assertEqual(recorded.credential_subject_id, self.entitlement.id)
        self.assertEqual(recorded.credential_type_id, self.configuration)

    def test_a_bound_credential_needs_its_holder(self):
        with self.assertRaisesRegex(UserError, "Make an offer"):
            self.entitlement.issue_credential(self.configuration.id)
        self.assertTrue(self.entitlement.issue_credential(self.unbound.id))

    def test_an_unknown_holder(self):
        with self.assertRaises(UserError):
            self.entitlement.issue_credential(self.configuration.id, "did:key:z6")

    def test_who_may(self):
        officer = self.create_user("mixin-officer", "group_offerer")
        viewer = self.create_user("mixin-viewer", "group_reporter")
        record = self.entitlement.with_user(officer)
        self.assertTrue(record.issue_credential(self.configuration.id, HOLDER))
        self.assertTrue(record.create_credential_offer(self.configuration))
        record = self.entitlement.with_user(viewer)
        with self.assertRaises(AccessError):
            record.issue_credential(self.configuration.id, HOLDER)
        with self.assertRaises(AccessError):
            record.create_credential_offer(self.configuration)


@tagged("post_install", "-at_install")
class TestScreens(SubjectCase):
    def test_counts(self):
        self.entitlement.create_credential_offer(self.configuration)
        self.entitlement.create_credential_offer(self.configuration)
        self.entitlements[1].issue_credential(self.unbound.id)
        self.assertEqual(
            self.entitlements.mapped("credential_offer_count"), [2, 0, 0]
        )
        self.assertEqual(self.entitlements.mapped("credential_count"), [0, 1, 0])

    def test_counts_take_two_statements(self):
        """However many records a list has."""
        self.entitlements.create_credential_offer(self.configuration)
        self.env.invalidate_all()
        self.env.user.has_group("base.group_user")
        with self.assertQueryCount(2):
            self.entitlements.mapped("credential_offer_count")

    def test_the_form_is_everybodys(self):
        """Who sees no offers sees no number, and no error."""
        self.entitlement.create_credential_offer(self.configuration)
        self.assertEqual(self.entitlement.credential_offer_count, 1)
        clerk = self.create_user("mixin-clerk")
        record = self.entitlement.with_user(clerk)
        self.assertEqual(record.credential_offer_count, 0)
        self.assertEqual(record.credential_count, 0)

    def test_smart_button(self):
        offer = self.entitlement.create_credential_offer(self.configuration)
        self.entitlements[1].create_credential_offer(self.configuration)
        action = self.entitlement.action_view_credential_offers()
        self.assertEqual(self.env[action["res_model"]].search(action["domain"]), offer)
        self.entitlement.issue_credential(self.unbound.id)
        action = self.entitlement.action_view_credentials()
        self.assertEqual(len(self.env[action["res_model"]].search(action["domain"])), 1)

    def test_wizard(self):
        action = self.entitlement.action_create_credential_offer()
        wizard = self.env[action["res_model"]].with_context(action["context"]).new()
        self.assertEqual(wizard.credential_subject_model, "vci.test.entitlement")
        self.assertEqual(wizard.credential_subject_id, self.entitlement.id)

    def test_help_desk(self):
        action = self.entitlement.action_help_desk()
        page = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(page.partner_id, self.person)


@tagged("post_install", "-at_install")
class TestEndOfARecord(SubjectCase):
    def test_offers_are_cancelled(self):
        offers = self.entitlements.create_credential_offer(self.configuration)
        code = offers[0].pre_authorized_code
        self.entitlement.unlink()
        self.env.invalidate_all()
        self.assertEqual(offers.mapped("state"), ["cancelled", "pending", "pending"])
        answer = self.env["vci.token.service"].exchange_pre_authorized_code(code)
        self.assertEqual(answer["error"], "invalid_grant")

    def test_offers_of_the_same_number_in_another_model_stay(self):
        offer = self.create_offer_by_sql(
            subject_model="vci.test.event.data", subject_id=str(self.entitlement.id)
        )
        self.entitlement.unlink()
        self.assertEqual(offer.state, "pending")

    def test_by_somebody_who_sees_no_offers(self):
        """The offers go with the record, whoever deletes it."""
        offer = self.entitlement.create_credential_offer(self.configuration)
        clerk = self.create_user("mixin-clerk")
        self.entitlement.with_user(clerk).unlink()
        self.env.invalidate_all()
        self.assertEqual(offer.state, "cancelled")

    def test_a_deletion_that_fails_cancels_nothing(self):
        offer = self.entitlement.create_credential_offer(self.configuration)
        self.env["ir.rule"].create(
            {
                "name": "Nobody deletes",
                "model_id": self.env["ir.model"]._get_id("vci.test.entitlement"),
                "groups": [Command.link(self.env.ref("base.group_user").id)],
                "domain_force": "[(0, '=', 1)]",
                "perm_read": False,
                "perm_write": False,
                "perm_create": False,
            }
        )
        clerk = self.create_user("mixin-clerk")
        with (
            self.assertRaises(AccessError),
            mute_logger("odoo.addons.base.models.ir_rule"),
            self.env.cr.savepoint(),
        ):
            self.entitlement.with_user(clerk).unlink()
        self.env.invalidate_all()
        self.assertEqual(offer.state, "pending")

    def test_a_redeemed_offer_is_dead_too(self):
        """The wallet has an access token, and gets nothing for it any more."""
        offer = self.entitlement.create_credential_offer(self.unbound)
        token = self.env["vci.token.service"].exchange_pre_authorized_code(
            offer.pre_authorized_code
        )
        self.entitlement.unlink()
        answer = self.sql.call(
            "vci_request_credential",
            token["access_token"],
            {"credential_configuration_id": "Unbound"},
            issuer=ISSUER,
        )
        self.assertIn("error", answer)

    def test_a_record_that_goes_with_another_one(self):
        """The database deletes it, by ON DELETE CASCADE: no unlink() is called."""
        registrant = self.env["res.partner"].create({"name": "Juan Cruz"})
        assessments = self.env["vci.test.event.data"].create(
            [{"partner_id": registrant.id}, {"partner_id": self.person.id}]
        )
        gone, stays = [
            self.create_offer_by_sql(
                subject_model=assessment._name, subject_id=str(assessment.id)
            )
            for assessment in assessments
        ]
        registrant.unlink()
        self.env.invalidate_all()
        self.assertFalse(assessments[0].exists())
        self.assertEqual((gone.state, stays.state), ("cancelled", "pending"))

    def test_a_record_deleted_in_sql(self):
        offers = self.entitlements.create_credential_offer(self.unbound)
        self.env.cr.execute(
            "DELETE FROM vci_test_entitlement WHERE id IN %s",
            (self.entitlements[:2]._ids,),
        )
        self.env.invalidate_all()
        self.assertEqual(
            offers.mapped("state"), ["cancelled", "cancelled", "pending"]
        )
