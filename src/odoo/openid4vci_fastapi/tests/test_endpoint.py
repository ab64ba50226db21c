# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The application of the FastAPI addon."""

import asyncio
from functools import partial
from types import SimpleNamespace
from unittest.mock import patch

import psycopg2
from fastapi.testclient import TestClient
from werkzeug.test import Client

from odoo.http import root
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.openid4vci.controllers.main import ask
from odoo.addons.openid4vci.tests.common import ISSUER, VciCase

from ..models.fastapi_endpoint import ask_in_odoo
from ..routers.vci import MAX_BODY, ask_vci_http, body_of_request, max_body

METADATA = "/.well-known/openid-credential-issuer"
TOKEN = "/api/v1/openid4vci/token"


@tagged("post_install", "-at_install")
class TestEndpoint(VciCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.endpoint = cls.env.ref("openid4vci_fastapi.endpoint")

    def setUp(self):
        super().setUp()
        self.application = self.endpoint._get_app()
        self.asked_with(partial(ask, self.env.cr))
        self.application.dependency_overrides[max_body] = lambda: MAX_BODY
        self.wallet = TestClient(self.application, base_url=ISSUER)

    def asked_with(self, function):
        self.application.dependency_overrides[ask_vci_http] = lambda: function

    def test_the_application_type(self):
        """OpenSPP's module documents this value and this label."""
        labels = dict(self.endpoint._fields["app"].selection)
        self.assertEqual(labels["vci"], "VCI Endpoint")

    def test_off_until_an_administrator_publishes_it(self):
        for name in ("endpoint", "endpoint_well_known"):
            record = self.env.ref(f"openid4vci_fastapi.{name}")
            self.assertFalse(record.registry_sync)
            self.assertFalse(record.save_http_session)

    def test_metadata(self):
        answer = self.wallet.get(METADATA)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.json()["credential_issuer"], ISSUER)
        head = self.wallet.head(METADATA)
        self.assertEqual(head.headers["content-length"], str(len(answer.content)))

    def test_no_page_about_the_api(self):
        for path in ("/docs", "/redoc", "/openapi.json"):
            self.assertEqual(self.wallet.get(path).json()["error"], "not_found")

    def test_requests_go_on_as_they_came(self):
        seen = []

        def remember(*request):
            seen.append(request)
            return 200, [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")], b"\x00"

        self.asked_with(remember)
        body = b"a=%00&b=\x00\xff"
        answer = self.wallet.post(
            f"{TOKEN}?a=%2B+%61&b",
            content=body,
            headers=[
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("DPoP", "one"),
                ("DPoP", "two"),
            ],
        )
        [(method, target, headers, content)] = seen
        self.assertEqual(
            (method, target, content), ("POST", f"{TOKEN}?a=%2B+%61&b", body)
        )
        pairs = list(zip(headers[::2], headers[1::2], strict=True))
        self.assertEqual(
            [value for name, value in pairs if name.lower() == "dpop"], ["one", "two"]
        )
        self.assertEqual(answer.content, b"\x00")
        self.assertEqual(answer.headers.get_list("set-cookie"), ["a=1", "b=2"])

    def test_body_too_large(self):
        self.asked_with(None)
        del self.application.dependency_overrides[body_of_request]
        for limit in (MAX_BODY, 2048):
            self.application.dependency_overrides[max_body] = lambda limit=limit: limit
            for content in (b"x" * (limit + 1), iter([b"x" * limit, b"x"])):
                answer = self.wallet.post(TOKEN, content=content)
                self.assertEqual(answer.status_code, 413)
                self.assertEqual(answer.json()["error"], "invalid_request")
                description = f"the body has more than {limit // 1024} kB"
                self.assertEqual(answer.json()["error_description"], description)

    def test_a_body_that_does_not_tell_its_length(self):
        """It would not get through Odoo: better refused than taken for none."""
        self.asked_with(None)
        answer = self.wallet.post(TOKEN, content=iter([b"grant_type=x"]))
        self.assertEqual(answer.status_code, 411)
        self.assertEqual(answer.json()["error"], "invalid_request")

    def test_a_length_over_the_limit_is_refused_at_once(self):
        """Nobody waits for that body, nor whether it comes."""
        self.asked_with(None)
        announced = {"Content-Length": "9" * 5000}
        answer = self.wallet.post(TOKEN, content=b"x", headers=announced)
        self.assertEqual(answer.status_code, 413)

    def test_who_goes_away_in_the_middle_of_a_body_asked_nothing(self):
        self.asked_with(None)
        scope = {"type": "http", "method": "POST", "path": TOKEN, "root_path": ""}
        scope |= {"query_string": b"", "headers": [], "http_version": "1.1"}

        async def receive():
            return {"type": "http.disconnect"}

        async def send(message):
            pass

        asyncio.run(self.application(scope, receive, send))

    def test_answers_tell_their_length(self):
        answer = self.wallet.post(TOKEN)
        self.assertEqual(answer.headers["content-length"], str(len(answer.content)))
        head = self.wallet.head(METADATA)
        self.assertEqual(len(head.headers.get_list("content-length")), 1)
        self.assertNotIn("content-length", self.wallet.options(TOKEN).headers)

    def test_what_a_wallet_did_wrong_is_an_answer(self):
        answer = self.wallet.post(TOKEN, data={"grant_type": "unheard-of"})
        self.assertEqual(answer.status_code, 400)
        self.assertEqual(answer.json()["error"], "unsupported_grant_type")
        self.assertEqual(self.wallet.options(TOKEN).status_code, 204)

    @mute_logger("odoo.addons.openid4vci.controllers.main")
    def test_faults_of_the_server_are_told(self):
        """By the addon itself they would come without Retry-After."""
        rolled_back = []

        class LostCursor:
            def execute(self, *args, **options):
                raise psycopg2.OperationalError("server closed the connection")

            def rollback(self):
                rolled_back.append(True)
                raise psycopg2.InterfaceError("connection already closed")

        self.asked_with(ask_in_odoo(SimpleNamespace(cr=LostCursor())))
        answer = self.wallet.post(TOKEN)
        self.assertEqual(answer.status_code, 503)
        self.assertTrue(answer.headers["Retry-After"])
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertTrue(rolled_back)

    @mute_logger("odoo.http")
    def test_the_database_is_away(self):
        self.endpoint.write({"root_path": "/elsewhere", "registry_sync": True})
        self.env["ir.http"]._vci_prepare_applications()
        with patch("odoo.http.Registry", side_effect=psycopg2.OperationalError):
            answer = Client(root).post("/elsewhere/token", base_url=ISSUER)
        self.assertEqual(answer.status_code, 503)
        self.assertTrue(answer.headers["Retry-After"])

    def test_conflicts_are_odoos_to_handle(self):
        """They must come out of the application, else nothing runs again."""

        class Conflict(Exception):
            pass

        def fail(*request):
            raise Conflict()

        self.asked_with(fail)
        with self.assertRaises(Conflict):
            self.wallet.post(TOKEN)
