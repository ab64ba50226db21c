# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The endpoints that Odoo serves, through all of its HTTP layer but the socket."""

import json
import logging
import threading
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import psycopg2
from werkzeug.test import Client

from odoo.http import root
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..controllers import main
from ..controllers.access_log import SecretFilter
from ..controllers.fault import Fault
from ..controllers.routes import WELL_KNOWN
from .common import ISSUER, VciCase

METADATA = "/.well-known/openid-credential-issuer"
TOKEN = "/api/v1/openid4vci/token"
PRE_AUTHORIZED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"


class ConflictingCursor:
    """A cursor whose statement meets others at the same row, so many times."""

    def __init__(self, cr, times):
        self.cr, self.times = cr, times

    def execute(self, *args, **options):
        if self.times:
            self.times -= 1
            self.cr.execute(
                "DO $$ BEGIN RAISE serialization_failure; END $$", log_exceptions=False
            )
        self.cr.execute(*args, **options)

    def fetchone(self):
        return self.cr.fetchone()


class HttpCase(VciCase):
    def setUp(self):
        super().setUp()
        self.switch("True")
        self.addCleanup(self.env.registry.clear_cache, "routing")
        self.http_request_allow_all = True
        self.env.flush_all()
        self.registry_enter_test_mode()
        self.wallet = Client(root)

    def switch(self, value):
        self.env["ir.config_parameter"].set_param("openid4vci.http", value)

    def ask(self, path, **options):
        self.env.flush_all()
        answer = self.wallet.open(path, base_url=ISSUER, **options)
        self.env.invalidate_all()
        return answer

    def code_of(self, offer):
        link = self.sql.call("vci_offer_uri", offer.id, "value")
        [text] = parse_qs(urlsplit(link).query)["credential_offer"]
        return json.loads(text)["grants"][PRE_AUTHORIZED]["pre-authorized_code"]

    def redeem(self, offer, **form):
        return self.ask(
            TOKEN,
            method="POST",
            data={
                "grant_type": PRE_AUTHORIZED,
                "pre-authorized_code": self.code_of(offer),
                **form,
            },
        )

    def conflicts(self, times):
        """Let the next calls of vci_http fail, and nobody wait for the next try."""
        cursor = []

        def ask(cr, *request):
            cursor[:] = cursor or [ConflictingCursor(cr, times)]
            return real_ask(cursor[0], *request)

        real_ask = main.ask
        self.startPatcher(patch.object(main, "ask", ask))
        self.startPatcher(patch("odoo.service.model.time.sleep"))


@tagged("post_install", "-at_install")
class TestHttp(HttpCase):
    # Routes ---------------------------------------------------------------------

    def test_switched_off_nothing_is_there(self):
        self.switch("False")
        for path in (METADATA, TOKEN):
            answer = self.ask(path)
            self.assertEqual(answer.status_code, 404)
            self.assertNotIn("not_found", answer.text, "that is Odoo's own 404")

    def test_metadata(self):
        answer = self.ask(METADATA)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.json["credential_issuer"], ISSUER)
        self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "*")

    def test_all_well_known_paths(self):
        for name in WELL_KNOWN:
            answer = self.ask(f"/.well-known/{name}")
            self.assertEqual(answer.status_code, 200, name)
            for path in (f"/.well-known/{name}/a/b", f"/a/b/.well-known/{name}"):
                answer = self.ask(path)
                self.assertEqual(answer.json["error"], "not_found", path)
        self.assertEqual(self.ask("/a/did.json").json["error"], "not_found")

    def test_issuer_below_a_path(self):
        url = f"{ISSUER}/schools"
        self.sql.call("vci_create_issuer", url)
        self.env.registry.clear_cache("routing")
        for path in (f"{METADATA}/schools", f"/schools{METADATA}"):
            self.assertEqual(self.ask(path).json["credential_issuer"], url)
        answer = self.ask("/schools/api/v1/openid4vci/nonce", method="POST")
        self.assertIn("c_nonce", answer.json)

    def test_paths_that_the_issuer_chose(self):
        self.sql.call(
            "vci_alter_issuer",
            {"base_path": "/vci", "endpoints": {"token": {"path": "/oauth/token"}}},
            issuer=ISSUER,
        )
        self.env.registry.clear_cache("routing")
        self.assertIn("c_nonce", self.ask("/vci/nonce", method="POST").json)
        answer = self.ask("/oauth/token", method="POST")
        self.assertEqual(answer.json["error"], "invalid_request")
        self.assertEqual(self.ask(TOKEN, method="POST").status_code, 404)

    def test_landing_page(self):
        offer = self.create_offer_by_sql()
        path = urlsplit(offer.page_uri).path
        self.assertTrue(path.startswith("/o/"))
        page = self.ask(path, headers={"Accept-Language": "es"})
        self.assertEqual(page.status_code, 200)
        self.assertTrue(page.headers["Content-Type"].startswith("text/html"))
        self.assertIn("no-store", page.headers["Cache-Control"])
        self.assertIn('lang="es"', page.text)
        pressed = self.ask(path, method="POST", data={})
        self.assertEqual(pressed.status_code, 303)
        self.assertIn("openid-credential-offer://", pressed.headers["Location"])
        self.assertEqual(offer.state, "pending")
        self.assertEqual(self.ask("/o/BwAAAAAAAA").status_code, 404)

    def test_landing_page_where_the_issuer_chose(self):
        self.sql.call(
            "vci_alter_issuer",
            {"endpoints": {"landing": {"path": "/get"}}},
            issuer=ISSUER,
        )
        self.env.registry.clear_cache("routing")
        path = urlsplit(self.create_offer_by_sql().page_uri).path
        self.assertTrue(path.startswith("/get/"))
        self.assertEqual(self.ask(path).status_code, 200)

    def test_status_lists(self):
        self.create_configuration(
            "Permit", options={"status_bits": 2}, binding="absent"
        )
        issued = self.sql.call(
            "vci_issue_and_record",
            "Permit",
            {"entitlementId": "E-1", "entitlementStatus": "approved"},
            issuer=ISSUER,
        )
        uri = self.sql.call("vci_credential_status", issued["credential_id"])["uri"]
        answer = self.ask(urlsplit(uri).path)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.headers["Content-Type"], "application/statuslist+jwt")
        self.assertIn("public", answer.headers["Cache-Control"])
        self.assertNotIn("Set-Cookie", answer.headers)
        again = self.ask(
            urlsplit(uri).path, headers={"If-None-Match": answer.headers["ETag"]}
        )
        self.assertEqual(again.status_code, 304)
        answer = self.ask(urlsplit(uri).path + "/revocation")
        self.assertEqual(answer.headers["Content-Type"], "application/vc+jwt")
        aggregation = self.ask(urlsplit(uri).path.rpartition("/")[0])
        self.assertIn(uri, aggregation.json["status_lists"])

    def test_status_lists_where_the_issuer_chose(self):
        self.sql.call(
            "vci_alter_issuer",
            {"endpoints": {"status_list": {"path": "/lists"}}},
            issuer=ISSUER,
        )
        self.env.registry.clear_cache("routing")
        self.assertEqual(self.ask("/lists").json, {"status_lists": []})
        self.assertEqual(self.ask("/lists/unknown").json["error"], "not_found")

    def test_types_of_credentials(self):
        """A vct may lie anywhere on the issuer's host, and is served from the moment
        on when somebody sets it."""
        vct = f"{ISSUER}/types/pass/1"
        kind = self.env["vci.credential.configuration"].create(
            {"code": "Pass", "vct": vct, "issuer_id": self.issuer.id}
        )
        for path in ("/types/pass/1", "/.well-known/vct/types/pass/1"):
            self.assertEqual(self.ask(path).json["vct"], vct)
        kind.vct = f"{ISSUER}/types/pass/2"
        self.assertEqual(self.ask("/types/pass/2").json["vct"], kind.vct)
        self.assertNotIn("/types/pass/1", self.env["ir.http"]._vci_type_routes())

    def test_types_take_nothing_away_from_odoo(self):
        kinds = self.env["vci.credential.configuration"]
        paths = {"Login": "/web/login", "Root": "/", "Odd": "/a/<int:b>"}
        for code, path in paths.items():
            kinds.create(
                {
                    "code": code,
                    "vct": f"{ISSUER}{path}",
                    "issuer_id": self.issuer.id,
                }
            )
        kinds.create(
            {
                "code": "Elsewhere",
                "vct": "https://elsewhere.example/types/x",
                "issuer_id": self.issuer.id,
            }
        )
        self.assertIn("<form", self.ask("/web/login").text)
        routes = self.env["ir.http"]._vci_type_routes()
        self.assertFalse(routes & {"/", "/a/<int:b>", "/types/x"})

    def test_the_host_is_not_all_the_issuers(self):
        """An issuer at the host's root with no base path would take every path."""
        self.sql.call("vci_alter_issuer", {"base_path": ""}, issuer=ISSUER)
        with self.assertLogs("odoo.addons.openid4vci.models.ir_http", "WARNING"):
            routes = self.env["ir.http"]._vci_routes()
        self.assertNotIn("/<path:below>", routes)

    def test_odoo_goes_on_without_the_extension(self):
        self.env.cr.execute("DROP VIEW vci_issuer CASCADE")
        with mute_logger("odoo.sql_db"), self.assertLogs(
            "odoo.addons.openid4vci.models.ir_http", "ERROR"
        ):
            self.assertEqual(self.env["ir.http"]._vci_routes(), [])
        self.env.cr.execute("SELECT 1")

    # Requests -------------------------------------------------------------------

    def test_form(self):
        offer = self.create_offer_by_sql()
        answer = self.redeem(offer)
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertTrue(answer.json["access_token"])
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertEqual(offer.state, "redeemed")

    def test_requests_go_on_as_they_came(self):
        seen = []

        def ask(cr, *request):
            seen.append(request)
            return 200, [("Content-Type", "text/plain")], b""

        self.startPatcher(patch.object(main, "ask", ask))
        target = f"{TOKEN}?a=%2B+%61&a=&b"
        body = b"a=%00&file=\x00\xff"
        self.ask(
            target,
            method="POST",
            data=body,
            content_type="application/x-www-form-urlencoded",
            headers=[("DPoP", "one"), ("X-Nul", "a\0b")],
        )
        [(method, to, headers, content)] = seen
        self.assertEqual((method, to, content), ("POST", target, body))
        pairs = dict(zip(headers[::2], headers[1::2], strict=True))
        self.assertEqual(pairs["Dpop"], "one")
        self.assertEqual(pairs["X-Nul"], "a b")
        self.assertEqual(pairs["Content-Type"], "application/x-www-form-urlencoded")

    def test_what_is_malformed_is_400(self):
        for path in (f"{METADATA}/a%00", f"{METADATA}/a%2Fb", f"{METADATA}/%ff"):
            self.assertEqual(self.ask(path).status_code, 400, path)

    def post_bytes(self, count, **options):
        with patch.object(main, "ask") as ask:
            ask.return_value = 200, [], b""
            answer = self.ask(TOKEN, method="POST", data=b"x" * count, **options)
        if answer.status_code == 413:
            ask.assert_not_called()
            self.assertEqual(answer.json["error"], "invalid_request")
            self.assertNotIn("Set-Cookie", answer.headers)
        else:
            self.assertEqual(len(ask.call_args.args[-1]), count)
        return answer.status_code

    def test_body_too_large(self):
        self.assertEqual(self.post_bytes(main.USUAL_BODY), 200)
        self.assertEqual(self.post_bytes(main.USUAL_BODY + 1), 413)

    def test_the_extension_says_what_is_too_large(self):
        with patch.object(main, "limit_of_extension", return_value=main.USUAL_BODY + 9):
            self.assertEqual(self.post_bytes(main.USUAL_BODY + 9), 200)
            self.assertEqual(self.post_bytes(main.USUAL_BODY + 10), 413)
        self.assertEqual(main.limit_of_extension(self.env.cr), 1024 * 1024)

    def test_a_body_that_does_not_tell_its_length(self):
        """It is refused as well, and not taken for what fits."""
        chunked = {
            "headers": {"Transfer-Encoding": "chunked"},
            "environ_overrides": {
                "CONTENT_LENGTH": "",
                "wsgi.input_terminated": True,
            },
        }
        self.assertEqual(self.post_bytes(5, **chunked), 200)
        self.assertEqual(self.post_bytes(main.USUAL_BODY, **chunked), 200)
        self.assertEqual(self.post_bytes(main.USUAL_BODY + 1, **chunked), 413)
        self.assertEqual(self.post_bytes(2 * main.USUAL_BODY, **chunked), 413)

    # Answers --------------------------------------------------------------------

    def test_head_and_not_modified(self):
        whole = self.ask(METADATA)
        head = self.ask(METADATA, method="HEAD")
        self.assertEqual(head.data, b"")
        self.assertEqual(head.headers["Content-Length"], str(len(whole.data)))
        again = self.ask(METADATA, headers={"If-None-Match": whole.headers["ETag"]})
        self.assertEqual((again.status_code, again.data), (304, b""))

    def test_preflight(self):
        answer = self.ask(
            TOKEN,
            method="OPTIONS",
            headers={
                "Origin": "https://wallet.example",
                "Access-Control-Request-Method": "POST",
            },
        )
        self.assertEqual((answer.status_code, answer.data), (204, b""))
        self.assertNotIn("Content-Type", answer.headers)
        self.assertIn("POST", answer.headers["Access-Control-Allow-Methods"])

    def test_no_cookie_is_needed_or_set(self):
        self.assertNotIn("Set-Cookie", self.ask(METADATA).headers)
        stranger = {"Cookie": "session_id=" + "x" * 84}
        answer = self.ask(METADATA, headers=stranger)
        self.assertEqual(answer.status_code, 200)
        self.assertNotIn("Set-Cookie", answer.headers)

    def test_a_tls_server_names_the_database(self):
        """Where Odoo serves several, wallets cannot."""
        answer = self.ask(METADATA, headers={"X-Odoo-Database": self.env.cr.dbname})
        self.assertEqual(answer.status_code, 200)
        self.assertNotIn("Set-Cookie", answer.headers)

    def test_wrong_pins_count(self):
        offer = self.create_offer_by_sql(tx_code="493536")
        for count in range(1, 6):
            answer = self.redeem(offer, tx_code="111111")
            self.assertEqual(answer.status_code, 400)
            self.assertEqual(offer.tx_code_failures, count)
        self.assertTrue(offer.locked)
        self.assertEqual(self.redeem(offer, tx_code="493536").status_code, 400)
        self.assertEqual(offer.state, "pending")

    # Conflicts and faults -------------------------------------------------------

    def test_after_a_conflict_the_request_runs_again_body_and_all(self):
        offer = self.create_offer_by_sql()
        self.conflicts(times=2)
        answer = self.redeem(offer)
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertEqual(offer.state, "redeemed")

    @mute_logger("odoo.http")
    def test_conflicts_without_end(self):
        offer = self.create_offer_by_sql()
        self.conflicts(times=100)
        answer = self.redeem(offer)
        self.assertEqual(answer.status_code, 503)
        self.assertTrue(answer.headers["Retry-After"])
        self.assertIn("Nothing was changed", answer.text)
        self.assertEqual(offer.state, "pending")

    @mute_logger("odoo.http")
    def test_the_database_is_away(self):
        """Odoo's own answer is 404, which a wallet takes for the end of its offer."""
        self.ask(METADATA)
        gone = patch("odoo.http.Registry", side_effect=psycopg2.OperationalError)
        with gone:
            for path in (METADATA, TOKEN):
                answer = self.ask(path, method="POST", data={"code": "secret"})
                self.assertEqual(answer.status_code, 503, path)
                self.assertTrue(answer.headers["Retry-After"])
                self.assertNotIn("Set-Cookie", answer.headers)
            self.assertEqual(self.ask("/a/b").status_code, 404)
        self.assertEqual(self.ask(METADATA).status_code, 200)

    @mute_logger("odoo.http", "odoo.addons.openid4vci.controllers.main")
    def test_the_connection_is_lost(self):
        """Only who was about to commit does not know what has become of it."""

        def lose(*args, **options):
            raise psycopg2.OperationalError("server closed the connection")

        class LostCursor:
            execute = lose

        def retrying(func, env):
            func()
            lose()

        def ask(cr, *request):
            return real_ask(LostCursor(), *request)

        real_ask = main.ask
        with patch.object(main, "ask", ask):
            answer = self.ask(TOKEN, method="POST")
            self.assertEqual(answer.status_code, 503)
            self.assertTrue(answer.headers["Retry-After"])
        with patch("odoo.http.service_model.retrying", retrying):
            answer = self.ask(TOKEN, method="POST")
            self.assertEqual(answer.status_code, 503)
            self.assertIn("may or may not", answer.text)
            self.assertNotIn("Retry-After", answer.headers)
            self.assertTrue(self.ask(METADATA).headers["Retry-After"])

    def test_faults_quote_nothing(self):
        """PostgreSQL's message shows the statement where it found fault with it."""

        class FailingCursor:
            def execute(failing, query, params, log_exceptions):
                self.assertFalse(log_exceptions)
                with self.env.cr.savepoint(flush=False):
                    self.env.cr.execute(
                        "SELECT nowhere(%s)", ["secret"], log_exceptions=False
                    )

        with (
            self.assertRaises(psycopg2.Error) as unmasked,
        ):
            FailingCursor().execute("", (), False)
        self.assertIn("secret", str(unmasked.exception))
        with (
            self.assertLogs("odoo.addons.openid4vci.controllers.main") as logs,
            self.assertRaises(Fault) as raised,
        ):
            main.ask(FailingCursor(), "GET", "/secret", [], b"")
        self.assertEqual(raised.exception.code, 500)
        self.assertIsNone(raised.exception.__context__)
        self.assertNotIn("secret", raised.exception.get_body() + str(logs.output))
        self.assertIn("42883", str(logs.output))

    def logged(self, line, *args):
        record = logging.makeLogRecord({"msg": line, "args": args})
        self.assertTrue(SecretFilter().filter(record))
        return record.getMessage()

    def test_odoos_profiler_records_no_request(self):
        """It would keep what a person sent in a session that is profiled."""
        recorded = []
        thread = threading.current_thread()
        thread.query_hooks = [lambda cr, query, params, *_more: recorded.append(query)]
        self.addCleanup(delattr, thread, "query_hooks")
        main.ask(self.env.cr, "POST", TOKEN, [], b"code=secret")
        self.env.cr.execute("SELECT 1")
        self.assertEqual(recorded, ["SELECT 1"])

    def test_access_log(self):
        secret = "BQAAAAAAAABhAAAAAcMvgt_kie11NSf_KTGbUhqu"
        for line, masked in {
            f'"GET /api/v1/openid4vci/offer/{secret} HTTP/1.1" 200': "/offer/* HTTP",
            f'"GET /schools/vci/offers/{secret}?a HTTP/1.1" 200': "/offers/*?a HTTP",
            f'"GET /x/authorize?a=b&request={secret} HTTP/1.1" 303': "&request=* HTTP",
            f'"GET /x?request_uri=urn:a:{secret}&b HTTP/1.1" 303': "=urn:a:*&b HTTP",
            f'"GET /x?request_uri=urn%3Aa%3A{secret} HTTP/1.1" 303': "uri=* HTTP",
            f'"GET /schools/o/{secret[:12]} HTTP/1.1" 200': "/schools/o/* HTTP",
            f'"GET /o/{secret[:12]}?lang=tl HTTP/1.1" 200': "/o/*?lang=tl HTTP",
            f"Bad request syntax ('GET /o/{secret[:12]} ')": "'GET /o/* ')",
            '"POST /x/token?a&tx_code=BQAA12&b HTTP/1.1" 400': "?a&tx_code=*&b HTTP",
        }.items():
            told = self.logged("%s", line)
            self.assertNotIn("BQAA", told)
            self.assertIn(masked, told)
        for plain in ("/odoo/offer/12", "/web/o", "/web/assets/1a2b3c4/web.assets.js"):
            self.assertEqual(self.logged("GET %s", plain), f"GET {plain}")

    def test_each_of_odoos_servers_has_an_access_log(self):
        """gevent's writes to another one than the workers'."""
        for name in ("werkzeug", "longpolling"):
            self.assertTrue(
                any(type(f) is SecretFilter for f in logging.getLogger(name).filters),
                name,
            )
