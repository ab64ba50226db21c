# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Calls of the extension: values, errors, what is missing."""

import datetime
import logging
import shlex
from decimal import Decimal
from unittest.mock import patch

import psycopg2

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL
from odoo.tools.profiler import Profiler

from ..models.vci_sql import LEFT_TO_ODOO, json_text, jsonb
from .common import ISSUER, VciCase

MANILA = datetime.timezone(datetime.timedelta(hours=8))


def raising(sqlstate):
    return SQL(
        f"DO $$ BEGIN RAISE EXCEPTION 'told' USING ERRCODE = '{sqlstate}',"
        " DETAIL = 'a value', HINT = 'do this'; END $$"
    )


@tagged("post_install", "-at_install")
class TestSql(VciCase):
    def pending_offer(self, **options):
        return self.sql.call(
            "vci_create_offer",
            ["EntitlementCredential"],
            issuer=ISSUER,
            claims={"entitlementId": "E-1", "entitlementStatus": "approved"},
            **options,
        )

    # Values

    def test_json_is_exact(self):
        """Claims keep every digit and every date: they are signed as they come."""
        value = {
            "amount": Decimal("1250.500000000000000001"),
            "date": datetime.date(2026, 2, 3),
            "at": datetime.datetime(2026, 2, 3, 4, 5, 6),
            "there": datetime.datetime(2026, 2, 3, 4, 5, 6, tzinfo=MANILA),
            "names": ("Ana", None, True),
            1: {},
        }
        self.assertEqual(
            json_text(value),
            '{"amount":1250.500000000000000001,"date":"2026-02-03",'
            '"at":"2026-02-03T04:05:06Z","there":"2026-02-02T20:05:06Z",'
            '"names":["Ana",null,true],"1":{}}',
        )

    def test_json_has_no_number_that_is_not_finite(self):
        for value in (float("nan"), float("inf"), Decimal("NaN"), Decimal("-Infinity")):
            with self.subTest(value=value), self.assertRaises(ValueError):
                json_text({"amount": value})

    def test_results(self):
        """One column is a value, several are a dict, no row is None; bytea is bytes,
        times are Odoo's."""
        self.assertIsInstance(self.sql.call("vci_create_nonce", ISSUER), str)
        made = self.pending_offer(expires_in=datetime.timedelta(days=2))
        self.assertEqual(made["state"], "pending")
        self.assertIsNone(made["expires_at"].tzinfo)
        ahead = made["expires_at"] - datetime.datetime.now(datetime.UTC).replace(
            tzinfo=None
        )
        self.assertAlmostEqual(ahead.total_seconds(), 2 * 86400, delta=3600)
        self.assertIsNone(self.sql.call("vci_events", 2**62))
        image = self.sql.call("vci_offer_qr_png", made["offer_id"])
        self.assertTrue(image.startswith(b"\x89PNG"))
        answer = self.sql.call(
            "vci_http", "POST", "/nowhere", ["Host", "no.example"], b"\x00\xff"
        )
        self.assertEqual(answer["status"], 404)

    def test_rows(self):
        names = {row["check"] for row in self.sql.rows("vci_health")}
        self.assertLessEqual({"root_key", "keys", "clock"}, names)

    def test_views_by_equality(self):
        offer = self.pending_offer(reference="R-1")["offer_id"]
        rows = self.sql.view("vci_offer_info", reference="R-1", issuer=ISSUER)
        self.assertEqual([row["id"] for row in rows], [offer])
        self.assertFalse(self.sql.view("vci_offer_info", reference=None, id=offer))

    def test_many_in_one_statement(self):
        rows = self.sql.query(
            SQL(
                "SELECT o.offer_id FROM unnest(%s::text[]) AS r, LATERAL %s AS o",
                ["A", "B"],
                self.sql.function_call(
                    "vci_create_offer",
                    ["EntitlementCredential"],
                    issuer=ISSUER,
                    claims=jsonb({"entitlementId": 1, "entitlementStatus": "x"}),
                    reference=SQL("r"),
                ),
            )
        )
        self.assertEqual(len({row["offer_id"] for row in rows}), 2)

    def test_names_are_the_extension_s(self):
        for name in ("pg_sleep", "vci_x(); --", "vci_offer_info"):
            with self.subTest(name=name):
                if not name.startswith("vci_offer"):
                    with self.assertRaises(ValueError):
                        self.sql.call(name)
                with self.assertRaises(ValueError):
                    self.sql.view(f"{name}s")

    # What Odoo keeps in memory

    def test_the_database_sees_what_was_written(self):
        """A claims source reads Odoo's tables: what is pending is written before."""
        partner = self.env["res.partner"].create({"name": "Ana"})
        partner.name = "Maria"
        query = SQL("SELECT name FROM res_partner WHERE id = %s", partner.id)
        self.assertEqual(self.sql.query(query), [{"name": "Maria"}])

    def test_memory_follows_the_database(self):
        offer = self.create_offer_by_sql()
        self.assertEqual(offer.state, "pending")
        self.sql.call("vci_cancel_offer", offer.id)
        self.assertEqual(offer.state, "cancelled")

    def test_reading_leaves_memory_alone(self):
        """Fields that ask the extension are computed while others are."""
        self.assertFalse(self.sql._is_volatile("vci_health"))
        self.assertTrue(self.sql._is_volatile("vci_create_offer"))
        tag = self.env["res.partner.category"].create({"name": "Ana"})
        self.env.flush_all()
        tag.name = "Maria"
        self.sql.rows("vci_health")
        self.assertIn(tag._fields["name"], self.env.transaction.field_dirty)

    # Errors

    def test_an_error_of_the_call(self):
        with self.assertRaises(UserError) as raised:
            self.sql.call("vci_create_offer", ["NoSuchCredential"], issuer=ISSUER)
        self.assertEqual(raised.exception.sqlstate, "42704")
        self.assertIn("NoSuchCredential", str(raised.exception))
        # The transaction goes on.
        self.assertEqual(self.pending_offer()["state"], "pending")

    def test_message_and_hint_are_told_but_not_the_detail(self):
        for sqlstate in ("22023", "42704", "55000", "54000", "P0001"):
            with self.subTest(sqlstate=sqlstate):
                with self.assertRaises(UserError) as raised:
                    self.sql.query(raising(sqlstate))
                self.assertEqual(str(raised.exception), "told\n\ndo this")
                self.assertEqual(raised.exception.sqlstate, sqlstate)

    def test_what_odoo_retries_and_faults_of_the_server_pass(self):
        for sqlstate in (*LEFT_TO_ODOO, "XX001", "57P03", "53200"):
            with (
                self.subTest(sqlstate=sqlstate),
                self.assertRaises(psycopg2.Error) as raised,
            ):
                self.sql.query(raising(sqlstate))
            self.assertEqual(raised.exception.pgcode, sqlstate)

    def test_secrets_stay_out_of_log_and_error(self):
        """A PIN that is refused, and claims beside it, are nowhere to be read."""
        lines = []
        handler = logging.Handler(logging.INFO)
        handler.emit = lambda record: lines.append(record.getMessage())
        logging.getLogger().addHandler(handler)
        self.addCleanup(logging.getLogger().removeHandler, handler)
        with self.assertRaises(UserError) as raised:
            self.pending_offer(tx_code="p1n" * 40, labels={"word": "s3cret"})
        self.assertIsNone(raised.exception.__context__)
        said = "\n".join([*lines, str(raised.exception)])
        self.assertIn("refused a call", said)
        for secret in ("p1n", "s3cret", "E-1"):
            self.assertNotIn(secret, said)

    def test_secrets_stay_out_of_profiles(self):
        """Odoo's profiler keeps statements in a table, with their values."""
        with Profiler(collectors=["sql"], db=None) as profiler:
            offer = self.pending_offer(tx_code="83926154")
            self.env["res.company"].search([("name", "=", "profiled")])
        told = str(profiler.collectors[0].entries)
        self.assertTrue(offer)
        self.assertFalse("83926154" in told, "the PIN is in the profile")
        # What else runs is in it.
        self.assertTrue("profiled" in told)

    # What is missing

    def test_available(self):
        self.assertIsNone(self.sql.missing())
        self.assertTrue(self.sql.available())

    def test_without_privilege_the_lines_are_told(self):
        with (
            patch.object(type(self.sql), "lacks_duties", return_value=True),
            self.assertRaises(UserError) as raised,
        ):
            self.sql.query(raising("42501"))
        self.assertIn("vci_grant('", str(raised.exception))
        with (
            patch.object(type(self.sql), "missing", return_value="restore"),
            self.assertRaises(UserError) as raised,
        ):
            self.sql.query(SQL("SELECT * FROM no_such_table"))
        self.assertIn("DROP SCHEMA openid4vci", str(raised.exception))

    def test_who_has_all_duties_needs_none(self):
        """A claims source of somebody else, say: other lines would help."""
        self.assertFalse(self.sql.lacks_duties())
        with self.assertRaises(UserError) as raised:
            self.sql.query(raising("42501"))
        self.assertNotIn("vci_grant", str(raised.exception))

    def test_a_hint_in_sql_says_whose_it_is(self):
        self.sql.call("vci_retire_key", self.kid, ISSUER)
        with self.assertRaises(UserError) as raised:
            self.pending_offer()
        self.assertIn(
            "Ask the database administrator to run:\n\nSELECT", str(raised.exception)
        )

    def test_lines_survive_the_shell(self):
        """Whatever the database is called, the lines are whole words to a shell."""
        topics = ["install", "upgrade", "duties", "restore", "adopt", "logs"]
        topics.append("duplicate")
        name = 'it\'s "my" $base'
        with patch.object(self.env.cr, "dbname", name):
            for topic in topics:
                for line in self.sql.dba_lines(topic).splitlines():
                    with self.subTest(line=line):
                        self.assertIn(name, shlex.split(line))
        [line] = self.sql.dba_lines("create_key", "https://it's.example").splitlines()
        self.assertIn("vci_create_key('https://it''s.example')", line)

    def test_statements_of_lines(self):
        words = shlex.split(self.sql._psql("SELECT 'a b'", "SELECT \"x\", '$y'"))
        self.assertEqual(words[-4:], ["-c", "SELECT 'a b'", "-c", "SELECT \"x\", '$y'"])
