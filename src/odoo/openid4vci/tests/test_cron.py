# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The scheduled purge."""

import contextlib
from unittest.mock import patch

import psycopg2

from odoo.tests import tagged
from odoo.tools import SQL

from ..models.vci_issuer import PURGE_BATCH, PURGE_CONFLICTS
from .common import VciCase

FASTER = SQL("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$")


@tagged("post_install", "-at_install")
class TestCron(VciCase):
    @contextlib.contextmanager
    def batches(self, *results):
        """The purge's batches have these results; None: somebody was faster."""
        pending = list(results)

        def batch(issuers):
            result = pending.pop(0)
            if result is None:
                issuers.env["vci.sql"].query(FASTER)
            return result

        issuers = type(self.env["vci.issuer"])
        with (
            self.enter_registry_test_mode(),
            patch.object(issuers, "_purge_batch", batch),
            self.registry.cursor() as cr,
        ):
            self.left = pending
            yield self.env(cr=cr)["vci.issuer"]

    def test_the_scheduled_action_runs(self):
        with self.enter_registry_test_mode():
            self.env.ref("openid4vci.cron_purge").method_direct_trigger()

    def test_a_batch_is_the_extension_s(self):
        rows = [
            {"kind": "nonce", "purged": 3, "remaining": 4},
            {"kind": "token", "purged": 2, "remaining": 0},
        ]
        with patch.object(type(self.sql), "rows", return_value=rows) as call:
            self.assertEqual(self.issuer._purge_batch(), (5, 4))
        call.assert_called_once_with("vci_purge", PURGE_BATCH)

    def test_batch_after_batch(self):
        with self.batches((10000, 12000), (0, 9000), (9000, 0), "none") as issuers:
            with patch.object(
                type(self.env["ir.cron"]), "_commit_progress", return_value=60
            ) as commit:
                issuers._cron_purge()
        self.assertEqual(self.left, ["none"])
        self.assertEqual(
            [(call.args, call.kwargs) for call in commit.call_args_list],
            [
                ((10000,), {"remaining": 12000}),
                ((0,), {"remaining": 9000}),
                ((9000,), {"remaining": 0}),
            ],
        )

    def test_it_ends_with_its_time(self):
        with self.batches((10000, 12000), "none") as issuers:
            with patch.object(
                type(self.env["ir.cron"]), "_commit_progress", return_value=0
            ):
                issuers._cron_purge()
        self.assertEqual(self.left, ["none"])

    def test_it_ends_when_nothing_moves(self):
        """Rows that somebody holds for long must not keep a worker busy for good."""
        with self.batches((5, 10), (0, 10), "none") as issuers:
            issuers._cron_purge()
        self.assertEqual(self.left, ["none"])

    def test_it_begins_anew_when_a_wallet_was_faster(self):
        with self.batches(None, (10, 5), None, None, (5, 0), "none") as issuers:
            issuers._cron_purge()
        self.assertEqual(self.left, ["none"])

    def test_it_gives_up_when_wallets_are_always_faster(self):
        results = [None] * (PURGE_CONFLICTS + 1)
        with (
            self.assertRaises(psycopg2.errors.SerializationFailure),
            self.batches(*results, "none") as issuers,
        ):
            issuers._cron_purge()
        self.assertEqual(self.left, ["none"])

    def test_without_the_extension_it_does_nothing(self):
        with self.batches("none") as issuers:
            with patch.object(type(self.sql), "available", return_value=False):
                issuers._cron_purge()
        self.assertEqual(self.left, ["none"])

    def test_the_button(self):
        batch = patch.object(type(self.issuer), "_purge_batch", return_value=(12, 0))
        with batch:
            told = self.issuer.action_purge()["params"]["message"]
        self.assertIn("12 records", told)
        batch = patch.object(type(self.issuer), "_purge_batch", return_value=(9999, 5))
        with batch:
            told = self.issuer.action_purge()["params"]["message"]
        self.assertIn("More are due", told)
        self.assertTrue(self.issuer.action_purge())
