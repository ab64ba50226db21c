# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Campaigns as Odoo shows and runs them, and the funnel."""

from unittest.mock import patch

import psycopg2

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import ISSUER, VciCase

PEOPLE = """
    SELECT 'P-' || n AS reference,
           'res.partner' AS subject_model, n::text AS subject_id,
           jsonb_build_object('entitlementId', 'E-' || n,
                              'entitlementStatus', 'approved') AS claims
    FROM generate_series(1, %s) AS n"""


class CampaignCase(VciCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.officer = cls.create_user("campaign officer", "group_offerer")
        cls.desk = cls.create_user("campaign desk", "group_help_desk")

    def create_campaign(self, name="Spring", people=PEOPLE % 3, **options):
        number = self.sql.call(
            "vci_create_campaign",
            name,
            ["EntitlementCredential"],
            people,
            options,
            issuer=ISSUER,
        )
        return self.env["vci.campaign"].browse(number)

    def offers_of(self, campaign):
        return self.env["vci.offer"].search([("campaign_id", "=", campaign.id)])

    def run_cron(self):
        """Its commits are left out: the test's transaction has them all."""
        with patch.object(
            type(self.env["ir.cron"]), "_commit_progress", return_value=60
        ) as commit:
            self.env["vci.campaign"]._cron_run()
        return commit


@tagged("post_install", "-at_install")
class TestCampaign(CampaignCase):
    def test_step_by_step(self):
        campaign = self.create_campaign(tx_code={"length": 6}, pace=600)
        self.assertEqual((campaign.state, campaign.people), ("draft", 0))
        self.assertTrue(campaign.pin)
        told = campaign.with_user(self.officer).action_step()
        self.assertIn("3 people were read", told["params"]["message"])
        self.assertEqual((campaign.state, campaign.remaining), ("loaded", 3))
        campaign.action_step()
        self.assertEqual(campaign.made, 3)
        self.assertEqual(campaign.progress, 100)
        offers = self.offers_of(campaign)
        self.assertEqual(set(offers.mapped("reference")), {"P-1", "P-2", "P-3"})
        self.assertEqual(offers.mapped("campaign_id"), campaign)
        action = campaign.action_view_offers()
        self.assertEqual(self.env["vci.offer"].search(action["domain"]), offers)

    def test_scheduled_action_goes_on_with_what_was_started(self):
        started, waiting = self.create_campaign("A"), self.create_campaign("B")
        other = self.create_campaign("C", people=(PEOPLE % 2).replace("P-", "Q-"))
        started.action_step()
        other.action_step()
        self.run_cron()
        self.assertEqual(started.state, "finished")
        self.assertEqual(other.state, "finished")
        self.assertEqual((other.made, started.made), (2, 3))
        self.assertEqual(waiting.state, "draft")

    def test_scheduled_action_keeps_the_pace(self):
        campaign = self.create_campaign(people=PEOPLE % 30, pace=1)
        campaign.action_step()
        self.run_cron()
        self.assertLess(campaign.made, 30)
        self.assertEqual(campaign.state, "running")

    def test_one_that_fails_holds_up_no_other(self):
        broken = self.create_campaign("A", people="SELECT 1/0 AS reference")
        good = self.create_campaign("B")
        good.action_step()
        with self.assertRaises(UserError):
            broken.action_step()
        with (
            patch.object(type(broken), "search", return_value=broken | good),
            self.assertLogs("odoo.addons.openid4vci.models.vci_campaign", "WARNING"),
        ):
            self.run_cron()
        self.assertEqual(good.state, "finished")

    def test_somebody_else_is_faster(self):
        campaign = self.create_campaign()
        campaign.action_step()
        step, conflicts = type(campaign)._step, [1, 1]

        class Conflict(psycopg2.Error):
            pgcode = "40001"

        def slower(record):
            if conflicts:
                conflicts.pop()
                raise Conflict()
            return step(record)

        with (
            patch.object(type(campaign), "_step", slower),
            patch.object(self.env.cr, "rollback") as rollback,
        ):
            self.run_cron()
        self.assertEqual(rollback.call_count, 2)
        self.assertEqual(campaign.state, "finished")

    def test_pause_resume_cancel(self):
        campaign = self.create_campaign()
        campaign.action_step()
        campaign.with_user(self.officer).action_pause()
        self.assertEqual(campaign.state, "paused")
        self.run_cron()
        self.assertFalse(campaign.made)
        self.assertIn("Resume", campaign.action_step()["params"]["message"])
        campaign.with_user(self.officer).action_resume()
        self.run_cron()
        self.assertEqual(campaign.state, "finished")
        told = campaign.with_user(self.officer).action_cancel()
        self.assertIn("3 offers", told["params"]["message"])
        self.assertEqual(campaign.state, "cancelled")
        states = self.offers_of(campaign).mapped("state")
        self.assertEqual(set(states), {"cancelled"})

    def test_who_can_get_no_offer(self):
        people = PEOPLE % 1 + " UNION ALL SELECT 'X', 'res.partner', '9', '[]'::jsonb"
        campaign = self.create_campaign(people=people)
        campaign.action_step()
        self.run_cron()
        self.assertEqual((campaign.made, campaign.failed), (1, 1))
        self.assertRegex(campaign.failures, "^X: .+")
        campaign.action_read_again()
        self.assertNotEqual(campaign.state, "finished")

    def test_who_may(self):
        campaign = self.create_campaign()
        shown = campaign.with_user(self.desk)
        self.assertEqual(shown.name, "Spring")
        for action in ("step", "pause", "resume", "read_again", "cancel"):
            with self.assertRaises(AccessError):
                getattr(shown, f"action_{action}")()
        self.assertEqual(campaign.state, "draft")
        with self.assertRaises(UserError):
            campaign.write({"name": "Summer"})

    def test_who_sees_some_labels_sees_no_sums(self):
        campaign = self.create_campaign()
        self.desk.vci_labels = {"area": ["NCR"]}
        for model in ("vci.campaign", "vci.funnel"):
            self.assertFalse(self.env[model].with_user(self.desk).search([]))
        with self.assertRaises(AccessError):
            campaign.with_user(self.desk).read(["name"])

    def test_other_companies_have_their_own(self):
        campaign = self.create_campaign()
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.officer.write(
            {"company_ids": [(6, 0, company.ids)], "company_id": company.id}
        )
        with self.assertRaises(AccessError):
            campaign.with_user(self.officer).action_pause()


@tagged("post_install", "-at_install")
class TestFunnel(CampaignCase):
    def test_refresh(self):
        with patch.object(
            type(self.env["ir.cron"]), "_commit_progress", return_value=60
        ) as commit:
            self.env["vci.funnel"]._cron_refresh()
        self.assertTrue(commit.called)

    def test_before_there_is_an_issuer(self):
        issuers = type(self.env["vci.issuer"])
        with (
            patch.object(issuers, "search_count", return_value=0),
            patch.object(type(self.sql), "call") as call,
        ):
            self.env["vci.funnel"]._cron_refresh()
        call.assert_not_called()

    def test_groups(self):
        groups = self.env["vci.funnel"]._read_group(
            [("label", "=", "")], ["campaign_id", "day:day"], ["created:sum"]
        )
        self.assertIsInstance(groups, list)

    def test_views_of_the_menu(self):
        for xmlid in ("action_vci_funnel", "action_vci_funnel_by_label"):
            action = self.env["ir.actions.act_window"]._for_xml_id(
                f"openid4vci.{xmlid}"
            )
            self.assertIn("label", action["domain"])
