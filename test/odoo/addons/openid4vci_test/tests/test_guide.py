# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The examples of OpenSPP's guides to verifiable credentials, as they stand there: the
OpenID4VCI guide, the implementation guide, the pages "W3C Verifiable Credentials" and
"Verifiable Credentials". What they override in models stands in models/guide_*.py,
their data files in credential_types.xml.

Adapted, since the models that they name exist nowhere:

- spp.credential.offer, spp.credential.type, spp.credential.subject.mixin are vci.offer,
  vci.credential.configuration, vci.credential.subject.mixin; spp.token.service,
  spp.sd.jwt, spp.key.service are vci.token.service, vci.sd.jwt, vci.key.service;
  spp.credential.issue.wizard is vci.offer.wizard.
- spp.entitlement and spp.event.data are vci.test.entitlement and vci.test.event.data
  with the fields that the examples read; where OpenSPP is installed, its own models.
- spp.wallet: a field wallet_did of the contact; get_or_create_wallet(partner) is the
  partner itself. spp.wallet.credential is vci.credential, without wallet and state.
- spp.sms.service is a model of these tests. Of _send_credential_offer() the options
  "email" and "push" are left out: they call what exists nowhere, and a mail would keep
  the link in the database.
- Demo data (base.res_partner_1) is a contact that the test makes; external ids of other
  modules are those of credential_types.xml.

Adapted, since the extension decides otherwise:

- The claim status is called entitlementStatus or assessmentStatus: SD-JWT VC keeps
  "status" for status lists.
- web.base.url is not the issuer's identity: that is chosen once, by vci_create_issuer.
- issue_credential() without holder_did needs a configuration whose binding is not
  "required": the examples set it to "optional" first.
- A request for a credential without proof needs the configuration's switch
  holder_without_proof, and the document of the holder's did:web to be loaded: the
  database fetches nothing.
- A credential is a string, so that vc['type'] and vc['credentialSubject'] can't be
  looked at: its claims are.
- issue_sd_jwt_vc(always_disclosed=, selectively_disclosable=) is not offered: the
  configuration decides that.
- claim_mapping_jq is refused: get_credential_claims() or a claims source in SQL.
- action_revoke(): there is no revocation yet.
- TestClient has the issuer's URL as its base, since an issuer is told by the host.
- The metadata has vct where the guide shows credential_definition, and the guide's
  format once the configuration has it: sd_jwt_vc is dc+sd-jwt.
- The authorization request has no code_challenge: the wallet is registered as one that
  needs no PKCE, and the issuer has a function that logs people in.
"""

import json
import urllib.parse
from functools import partial
from unittest.mock import patch

from fastapi.testclient import TestClient

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import TransactionCase, tagged
from odoo.tools.convert import convert_file

from odoo.addons.openid4vci.controllers.main import ask
from odoo.addons.openid4vci_fastapi.routers.vci import (
    MAX_BODY,
    ask_vci_http,
    max_body,
)

from .wallet import Wallet

ISSUER = "https://registry.example"
SWITCHES = [
    "format_request",
    "singular_proof",
    "untyped_proof",
    "vc_sd_jwt",
    "metadata",
    "holder_without_proof",
]


class GuideCase(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        env = cls.env
        env["vci.sql"].call("vci_create_issuer", ISSUER)
        env.company.vci_issuer_url = ISSUER

        # Configure signing key
        key_service = env['vci.key.service']
        key_service.create_key(
            key_type='ES256',
            name='VC Issuer Key',
            purpose='signing'
        )
        convert_file(
            env,
            "openid4vci_test",
            "tests/credential_types.xml",
            {},
            mode="init",
            noupdate=False,
        )
        cls.wallet_app = Wallet()

    def setUp(self):
        super().setUp()
        self.credential_type = self.env.ref(
            'openid4vci_test.credential_type_entitlement'
        )
        self.partner = self.env['res.partner'].create({
            'name': 'Test Beneficiary',
            'phone': '+63 2 8000 0000',
            'wallet_did': self.wallet_app.did,
        })
        self.entitlement = self.env['vci.test.entitlement'].create({
            'partner_id': self.partner.id,
            'initial_amount': 5000.0,
            'state': 'approved',
        })

    def load_did_document(self, did):
        """The extension fetches nothing: somebody brings the document."""
        self.env["vci.sql"].call(
            "vci_load_did_document", did, self.wallet_app.did_document(did)
        )

    def app(self):
        """The FastAPI application, within the test's transaction."""
        app = self.env.ref("openid4vci_fastapi.endpoint")._get_app()
        app.dependency_overrides[ask_vci_http] = lambda: partial(ask, self.env.cr)
        app.dependency_overrides[max_body] = lambda: MAX_BODY
        return app


@tagged("post_install", "-at_install")
class TestOfferExamples(GuideCase):
    """OpenID4VCI guide: "Step-by-Step", "PIN Protection", "Are You Stuck?"."""

    def test_generate_credential_offer(self):
        env, entitlement_id = self.env, self.entitlement.id

        # In OpenSPP
        entitlement = env['vci.test.entitlement'].browse(entitlement_id)
        credential_type = env['vci.credential.configuration'].search([
            ('code', '=', 'EntitlementCredential')
        ], limit=1)
        # Create credential offer
        offer_service = env['vci.offer']
        offer = offer_service.create_offer(
            credential_subject=entitlement,
            credential_type=credential_type,
            holder_wallet_did='did:web:wallet.example:holder123'
        )
        # Generate QR code or deep link
        credential_offer_uri = offer.get_credential_offer_uri()
        # Returns: openid-credential-offer://?credential_offer=...

        self.assertTrue(
            credential_offer_uri.startswith(
                "openid-credential-offer://?credential_offer="
            )
        )
        self.assertEqual(offer.holder_wallet_did, 'did:web:wallet.example:holder123')
        self.assertEqual(offer.state, 'pending')
        self.assertEqual(offer.credential_type_id, credential_type)
        self.assertEqual(offer.credential_subject_model, 'vci.test.entitlement')
        self.assertEqual(offer.credential_subject_id, entitlement.id)
        self.assertEqual(offer.get_credential_subject(), entitlement)
        lifetime = offer.expiration_date - offer.created_at
        self.assertEqual(round(lifetime.total_seconds() / 86400), 7)

    def test_create_a_credential_offer(self):
        """Page "Verifiable Credentials"."""
        env, entitlement = self.env, self.entitlement
        credential_type = self.credential_type

        # Create offer for beneficiary wallet
        offer_service = env['vci.offer']
        offer = offer_service.create({})
        offer = offer.create_offer(
            credential_subject=entitlement,
            credential_type=credential_type,
            holder_wallet_did='did:web:wallet.example:holder123'
        )

        # Generate QR code URI
        qr_uri = offer.get_credential_offer_uri()

        self.assertTrue(qr_uri)
        self.assertTrue(offer.id)

    def test_credential_offer_format(self):
        env = self.env
        offer_id = env['vci.offer'].create_offer(
            self.entitlement, self.credential_type, tx_code='123456'
        ).id

        offer = env['vci.offer'].browse(offer_id)
        uri = offer.get_credential_offer_uri()

        # Decode and inspect
        decoded = urllib.parse.unquote(uri.split('credential_offer=')[1])
        told = json.loads(decoded)

        self.assertEqual(told['credential_issuer'], 'https://registry.example')
        self.assertEqual(
            told['credential_configuration_ids'], ['EntitlementCredential']
        )
        [(name, grant)] = told['grants'].items()
        self.assertEqual(name, 'urn:ietf:params:oauth:grant-type:pre-authorized_code')
        self.assertEqual(grant['pre-authorized_code'], offer.pre_authorized_code)
        self.assertEqual(grant['tx_code']['input_mode'], 'numeric')
        self.assertEqual(grant['tx_code']['length'], 6)

    def test_pin(self):
        entitlement, credential_type = self.entitlement, self.credential_type
        offer_service, sms_service = self.env['vci.offer'], self.env['vci.test.sms']
        sent = []
        with patch.object(
            type(sms_service), "send_pin", lambda self, *args: sent.append(args)
        ):
            offer = offer_service.create_offer(
                credential_subject=entitlement,
                credential_type=credential_type,
                holder_wallet_did='did:web:wallet.example:holder123',
                tx_code='123456'  # 6-digit PIN
            )
            # Send PIN to beneficiary via SMS
            sms_service.send_pin(entitlement.partner_id.phone, '123456')

        self.assertEqual(sent, [(self.partner.phone, '123456')])
        self.assertEqual(offer.tx_code, '123456')
        token_service = self.env['vci.token.service']
        code = offer.pre_authorized_code
        answer = token_service.exchange_pre_authorized_code(code)
        self.assertIn('error', answer)
        answer = token_service.exchange_pre_authorized_code(code, tx_code='123456')
        self.assertIn('access_token', answer)

    def test_stuck_invalid_grant(self):
        env = self.env
        made = env['vci.offer'].create_offer(self.entitlement, self.credential_type)
        your_code_here = made.pre_authorized_code
        env.invalidate_all()

        offer = env['vci.offer'].search([
            ('pre_authorized_code', '=', your_code_here)
        ])

        self.assertEqual(f"State: {offer.state}", "State: pending")
        self.assertEqual(
            f"Expires: {offer.expiration_date}", f"Expires: {made.expires_at}"
        )
        self.assertFalse(
            env['vci.offer'].search([('pre_authorized_code', '=', 'your-code-here')])
        )
        token_service = env['vci.token.service']
        token_service.exchange_pre_authorized_code(your_code_here)
        self.assertEqual(offer.state, 'redeemed')
        answer = token_service.exchange_pre_authorized_code(your_code_here)
        self.assertEqual(answer['error'], 'invalid_grant')

    def test_stuck_proof_of_possession(self):
        env = self.env
        nonce = env['vci.token.service'].generate_nonce()

        sd_jwt_service = env['vci.sd.jwt']
        result = sd_jwt_service.verify_key_binding_jwt(
            kb_jwt=self.wallet_app.prove(nonce, 'https://registry.example'),
            expected_nonce=nonce,
            expected_audience='https://registry.example'
        )
        self.assertTrue(result['valid'], result)

        result = sd_jwt_service.verify_key_binding_jwt(
            kb_jwt='eyJ...',
            expected_nonce='c-nonce-value',
            expected_audience='https://registry.example'
        )
        self.assertFalse(result['valid'])
        self.assertTrue(result['error'])

        # As the guide's router calls it.
        proof = self.wallet_app.prove(nonce, 'https://elsewhere.example')
        result = sd_jwt_service.verify_key_binding_jwt(proof, nonce)
        self.assertEqual(result['error'], 'proof_audience')

    def test_customize_credential_display(self):
        env, type_id = self.env, self.credential_type.id

        credential_type = env['vci.credential.configuration'].browse(type_id)
        credential_type.write({
            'display_name': 'My Custom Credential',
            'display_logo_uri': 'https://registry.example/logo.png',
            'background_color': '#FF5733',
            'text_color': '#FFFFFF',
        })

        [display] = credential_type.get_credential_configuration()['display']
        self.assertEqual(display['name'], 'My Custom Credential')
        self.assertEqual(display['logo']['uri'], 'https://registry.example/logo.png')
        self.assertEqual(display['background_color'], '#FF5733')
        self.assertEqual(display['text_color'], '#FFFFFF')
        self.assertEqual(display['locale'], 'en-US')


@tagged("post_install", "-at_install")
class TestOpenID4VCI(GuideCase):
    """OpenID4VCI guide: "Testing", and its requests by curl."""

    def setUp(self):
        super().setUp()
        self.load_did_document('did:web:wallet.test:holder1')
        self.env["vci.sql"].call(
            "vci_alter_configuration",
            self.credential_type.code,
            {"older": SWITCHES},
            issuer=ISSUER,
        )

    def test_pre_authorized_code_flow(self):
        """Test complete pre-authorized code flow"""
        app = self.app()
        # 1. Create offer
        offer_service = self.env['vci.offer']
        offer = offer_service.create({
            'credential_type_id': self.credential_type.id,
        })
        offer = offer.create_offer(
            self.entitlement,
            self.credential_type,
            holder_wallet_did='did:web:wallet.test:holder1'
        )
        pre_auth_code = offer.pre_authorized_code
        self.assertTrue(pre_auth_code)
        # 2. Exchange for access token
        token_service = self.env['vci.token.service']
        token_response = token_service.exchange_pre_authorized_code(
            pre_auth_code,
            tx_code=None
        )
        self.assertIn('access_token', token_response)
        self.assertIn('c_nonce', token_response)
        # 3. Request credential
        client = TestClient(app, base_url=ISSUER)  # FastAPI app
        response = client.post(
            '/api/v1/openid4vci/credential',
            headers={
                'Authorization': f"Bearer {token_response['access_token']}"
            },
            json={
                'format': 'vc+sd-jwt',
                'credential_definition': {
                    'type': ['VerifiableCredential', 'EntitlementCredential']
                }
            }
        )
        self.assertEqual(response.status_code, 200)
        credential = response.json()['credential']
        self.assertTrue(credential.startswith('eyJ'))  # JWT format

        claims = self.env['vci.sd.jwt'].verify_sd_jwt_vc(credential)['verified_claims']
        self.assertEqual(claims['cnf']['jwk']['x'], self.wallet_app.jwk['x'])

    def test_issuer_metadata(self):
        """Test well-known metadata endpoint"""
        app = self.app()
        self.credential_type.write({'format': 'vc+sd-jwt'})
        client = TestClient(app, base_url=ISSUER)
        response = client.get('/.well-known/openid-credential-issuer')
        self.assertEqual(response.status_code, 200)
        metadata = response.json()
        self.assertIn('credential_issuer', metadata)
        self.assertIn('credential_configurations_supported', metadata)
        self.assertIn(
            'EntitlementCredential', metadata['credential_configurations_supported']
        )
        self.assertEqual(
            metadata['credential_endpoint'],
            'https://registry.example/api/v1/openid4vci/credential',
        )
        self.assertEqual(
            metadata['batch_credential_endpoint'],
            'https://registry.example/api/v1/openid4vci/batch_credential',
        )
        self.assertEqual(
            metadata['deferred_credential_endpoint'],
            'https://registry.example/api/v1/openid4vci/deferred_credential',
        )
        described = metadata['credential_configurations_supported'][
            'EntitlementCredential'
        ]
        self.assertEqual(described['format'], 'vc+sd-jwt')
        self.assertEqual(described['scope'], 'EntitlementCredential')
        self.assertIn('jwk', described['cryptographic_binding_methods_supported'])
        self.assertEqual(described['cryptographic_suites_supported'], ['ES256'])
        self.assertEqual(
            described['vct'], 'https://registry.example/credentials/EntitlementCredential'
        )

    def test_authorization_request(self):
        """"Authorization Code Flow": the person is asked to log in and to consent."""
        self.env.cr.execute("CREATE SCHEMA guide")
        self.env.cr.execute(
            "CREATE FUNCTION guide.login(answers jsonb) RETURNS jsonb LANGUAGE sql"
            " STABLE RETURN NULL::jsonb"
        )
        sql = self.env["vci.sql"]
        sql.call("vci_alter_issuer", {"authenticate": "guide.login"}, ISSUER)
        sql.call(
            "vci_create_client",
            'wallet.example',
            ['https://wallet.example/callback'],
            options={"pkce_required": False},
            issuer=ISSUER,
        )
        client = TestClient(self.app(), base_url=ISSUER)
        response = client.get(
            'https://registry.example/api/v1/openid4vci/authorize'
            '?response_type=code'
            '&client_id=wallet.example'
            '&redirect_uri=https://wallet.example/callback'
            '&scope=EntitlementCredential'
            '&state=random-state-value'
        )
        self.assertEqual(response.status_code, 200, response.text)
        self.assertIn("<form", response.text)

    def test_requests_of_a_wallet(self):
        """The requests that the guide shows by curl, with a proof of the key."""
        offer = self.env['vci.offer'].create_offer(
            self.entitlement, self.credential_type, tx_code='123456'
        )
        client = TestClient(self.app(), base_url=ISSUER)
        response = client.post(
            '/api/v1/openid4vci/token',
            data={
                'grant_type': 'urn:ietf:params:oauth:grant-type:pre-authorized_code',
                'pre-authorized_code': offer.pre_authorized_code,
                'tx_code': '123456',
            },
        )
        self.assertEqual(response.status_code, 200)
        token = response.json()
        self.assertEqual(token['token_type'], 'Bearer')
        self.assertEqual(token['expires_in'], 86400)
        self.assertEqual(token['c_nonce_expires_in'], 86400)
        response = client.post(
            '/api/v1/openid4vci/credential',
            headers={'Authorization': f"Bearer {token['access_token']}"},
            json={
                'format': 'vc+sd-jwt',
                'credential_definition': {
                    'type': ['VerifiableCredential', 'EntitlementCredential']
                },
                'proof': {
                    'proof_type': 'jwt',
                    'jwt': self.wallet_app.prove(token['c_nonce'], ISSUER),
                },
            },
        )
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json()['format'], 'vc+sd-jwt')
        self.assertTrue(response.json()['credential'].startswith('eyJ'))
        self.env.invalidate_all()
        self.assertTrue(offer.issued_at)


@tagged("post_install", "-at_install")
class TestIssueExamples(GuideCase):
    """Implementation guide and "W3C Verifiable Credentials": issuing without an
    offer."""

    def setUp(self):
        super().setUp()
        self.credential_type.write({'binding': 'optional'})

    def test_issue_your_first_credential(self):
        env, entitlement_id = self.env, self.entitlement.id

        # Get credential type
        credential_type = env['vci.credential.configuration'].search([
            ('code', '=', 'EntitlementCredential')
        ], limit=1)

        # Get subject (e.g., entitlement)
        entitlement = env['vci.test.entitlement'].browse(entitlement_id)

        # Issue credential
        vc = entitlement.issue_credential(credential_type.id)

        self.assertTrue(vc.startswith('eyJ'))  # SD-JWT VC string
        self.assertIn('~', vc)

    def test_issue_entitlement_credential(self):
        """Test issuing an entitlement credential"""
        entitlement = self.env['vci.test.entitlement'].create({
            'partner_id': self.partner.id,
            'initial_amount': 5000.0,
            'state': 'approved',
        })

        # Issue credential
        vc = entitlement.issue_credential(self.credential_type.id)

        # Verify structure
        vc = self.env['vci.sd.jwt'].verify_sd_jwt_vc(vc)['verified_claims']
        self.assertTrue(vc['vct'].endswith('/EntitlementCredential'))
        self.assertEqual(vc['entitlementId'], entitlement.code)

    def test_selective_disclosure(self):
        """Test SD-JWT selective disclosure"""
        entitlement = self.env['vci.test.entitlement'].create({
            'partner_id': self.partner.id,
            'initial_amount': 5000.0,
        })

        # Issue SD-JWT VC
        sd_jwt_service = self.env['vci.sd.jwt']
        sd_jwt = entitlement.issue_credential(self.credential_type.id)

        # Parse and verify
        parsed = sd_jwt_service.parse_sd_jwt(sd_jwt)
        self.assertIn('_sd', parsed['jwt_payload'])
        self.assertEqual(len(parsed['disclosures']), 2)

    def test_verify_a_credential(self):
        """Page "Verifiable Credentials"."""
        env, nonce = self.env, 'random-challenge-string'
        credential = self.entitlement.issue_credential(
            self.credential_type.id, holder_did=self.wallet_app.did
        )
        credential_string = self.wallet_app.present(
            credential, nonce, 'https://verifier.example'
        )

        # Parse and verify SD-JWT VC
        sd_jwt_service = env['vci.sd.jwt']
        result = sd_jwt_service.verify_sd_jwt_vc(
            sd_jwt=credential_string,
            expected_nonce=nonce,
            expected_audience='https://verifier.example'
        )

        self.assertTrue(result['valid'], result)
        claims = result['verified_claims']
        self.assertEqual(claims['entitlementId'], 'ENT-2024-001234')
        self.assertEqual(claims['amount']['value'], 5000)

        # Another verifier's question is not answered by it.
        result = sd_jwt_service.verify_sd_jwt_vc(
            credential_string, 'another', 'https://verifier.example'
        )
        if not result['valid']:
            self.assertTrue(result['error'])
        self.assertFalse(result['valid'])
        self.assertFalse(result['verified_claims'])
        # The credential of somebody else is none of ours.
        self.assertFalse(sd_jwt_service.verify_sd_jwt_vc('eyJ...')['valid'])
        nested = f"e30.{'W1tb' * 50_000}.~"
        for text in ('eyJ...', 'eyJ...~', 'e30.WzFd.~', 'e30.e30.~e~', nested, None):
            with self.assertRaises(UserError):
                sd_jwt_service.parse_sd_jwt(text)

    def test_revoke_a_credential(self):
        """Page "Verifiable Credentials". The kind of credential is one that can be
        revoked: that is said before it is issued."""
        env, entitlement = self.env, self.entitlement
        self.credential_type.status_bits = '1'
        entitlement.issue_credential(self.credential_type.id)

        # Find wallet credential
        wallet_credential = env['vci.credential'].search([
            ('credential_subject_id', '=', entitlement.id),
            ('credential_subject_model', '=', 'vci.test.entitlement'),
        ])

        self.assertEqual(len(wallet_credential), 1)

        # Revoke with reason
        wallet_credential.action_revoke(reason="Entitlement cancelled")

        self.assertEqual(wallet_credential.status, 'revoked')
        self.assertEqual(wallet_credential.status_reason, 'Entitlement cancelled')

    def test_claim_mapping(self):
        """Implementation guide, step 4."""
        with self.assertRaises(UserError):
            self.credential_type.write({
                'claim_mapping_jq': '{"assessmentId": .name}'
            })


@tagged("post_install", "-at_install")
class TestAssessmentCredentials(GuideCase):
    """Implementation guide: "Unit Tests"."""

    def setUp(self):
        super().setUp()
        self.credential_type = self.env['vci.credential.configuration'].create({
            'name': 'Test Assessment Credential',
            'code': 'TestAssessmentCredential',
            'source_model': 'vci.test.event.data',
            'format': 'sd_jwt_vc',
            'validity_days': 180,
            'always_disclosed_claims': 'assessmentId,date',
            'selectively_disclosable_claims': 'score,recommendations',
        })
        self.credential_type.write({'binding': 'optional'})
        self.partner = self.env['res.partner'].create({
            'name': 'Test Beneficiary',
        })
        self.assessment = self.env['vci.test.event.data'].create({
            'partner_id': self.partner.id,
            'event_type': 'vulnerability_assessment',
            'state': 'completed',
            'score': 0.75,
        })

    def test_get_credential_claims(self):
        """Test assessment claim generation"""
        claims = self.assessment.get_credential_claims(self.credential_type)

        self.assertIn('assessmentId', claims)
        self.assertIn('score', claims)
        self.assertEqual(claims['score'], 0.75)
        self.assertIn('recommendations', claims)
        self.assertIsInstance(claims['recommendations'], list)

    def test_issue_credential(self):
        """Test issuing assessment credential"""
        vc = self.assessment.issue_credential(self.credential_type.id)

        # Verify it's a valid SD-JWT
        self.assertTrue(isinstance(vc, str))
        self.assertTrue('~' in vc)  # SD-JWT contains tildes

        # Parse and verify structure
        sd_jwt_service = self.env['vci.sd.jwt']
        parsed = sd_jwt_service.parse_sd_jwt(vc)

        self.assertIn('iss', parsed['jwt_payload'])
        self.assertIn('vct', parsed['jwt_payload'])
        self.assertEqual(
            parsed['jwt_payload']['vct'],
            'https://registry.example/credentials/TestAssessmentCredential'
        )

    def test_cannot_issue_for_incomplete_assessment(self):
        """Test that incomplete assessments cannot be credentialed"""
        incomplete = self.env['vci.test.event.data'].create({
            'partner_id': self.partner.id,
            'event_type': 'vulnerability_assessment',
            'state': 'draft',
        })

        self.assertFalse(incomplete.can_issue_credential)
        with self.assertRaises(UserError):
            incomplete.issue_credential(self.credential_type.id)
        with self.assertRaises(UserError):
            incomplete.create_credential_offer(self.credential_type)

    def test_selective_disclosure(self):
        """Test selective disclosure configuration"""
        vc = self.assessment.issue_credential(self.credential_type.id)

        sd_jwt_service = self.env['vci.sd.jwt']
        parsed = sd_jwt_service.parse_sd_jwt(vc)

        # Always disclosed claims should be in JWT payload
        self.assertIn('assessmentId', parsed['revealed_claims'])

        # Selectively disclosable claims should be in disclosures
        disclosure_names = [d[1] for d in parsed['disclosures']]
        self.assertIn('score', disclosure_names)
        self.assertIn('recommendations', disclosure_names)

    def test_custom_validation(self):
        """"How do I add custom validation before issuance?\""""
        self.assessment.score = -1
        with self.assertRaisesRegex(UserError, "Resolve pending issues"):
            self.assessment.issue_credential(self.credential_type.id)

    def test_types(self):
        """"Getting 'Credential type not found' error?\""""
        env = self.env

        types = env['vci.credential.configuration'].search([])
        told = [f"{t.code}: {t.name}" for t in types]

        self.assertIn("TestAssessmentCredential: Test Assessment Credential", told)
        self.assertIn("EntitlementCredential: Entitlement Credential", told)

    def test_add_ui_actions(self):
        """Step 3: the wizard knows what the credential is about."""
        action = self.assessment.action_issue_credential()
        wizards = self.env[action['res_model']].with_context(action['context'])
        wizard = wizards.create({})
        self.assertEqual(wizard.credential_type_id.code, 'AssessmentCredential')
        wizard.action_create_offer()
        offer = self.env['vci.offer'].search([], limit=1)
        self.assertEqual(offer.get_credential_subject(), self.assessment)


@tagged("post_install", "-at_install")
class TestCredentialIssuanceFlow(GuideCase):
    """Implementation guide: "Integration Tests", "Push Model", "Batch Credential
    Issuance"."""

    def test_end_to_end_issuance(self):
        """Test complete credential issuance flow"""
        # 1. Create assessment
        assessment = self.env['vci.test.event.data'].create({
            'partner_id': self.partner.id,
            'event_type': 'vulnerability_assessment',
            'state': 'completed',
            'score': 0.85,
        })

        # 2. Get wallet for beneficiary
        wallet = self.partner
        self.assertTrue(wallet)

        # 3. Create credential offer
        credential_type = self.env.ref('openid4vci_test.credential_type_assessment')
        offer = self.env['vci.offer'].create({})
        offer = offer.create_offer(
            credential_subject=assessment,
            credential_type=credential_type,
            holder_wallet_did=wallet.wallet_did
        )

        self.assertEqual(offer.state, 'pending')
        self.assertTrue(offer.pre_authorized_code)

        # 4. Simulate wallet redeeming offer
        token_service = self.env['vci.token.service']
        token_data = token_service.exchange_pre_authorized_code(
            offer.pre_authorized_code
        )

        self.assertIn('access_token', token_data)
        self.assertIn('c_nonce', token_data)

        # 5. Issue credential
        credential_subject = offer.get_credential_subject()
        vc = credential_subject.issue_credential(
            credential_type.id,
            holder_did=wallet.wallet_did
        )

        self.assertTrue(vc)
        self.assertEqual(offer.state, 'redeemed')

        # 6. Verify credential stored in wallet
        wallet_credential = self.env['vci.credential'].search([
            ('credential_subject_model', '=', assessment._name),
            ('credential_subject_id', '=', assessment.id),
        ])
        self.assertEqual(len(wallet_credential), 1)
        self.assertGreater(wallet_credential.expires_at, fields.Datetime.now())

    def test_approval_makes_an_offer(self):
        entitlement = self.env['vci.test.entitlement'].create({
            'partner_id': self.partner.id,
            'initial_amount': 5000.0,
        })
        sent = []
        with patch.object(
            type(self.env['vci.test.sms']),
            "send_sms",
            lambda self, *args: sent.append(args),
        ):
            entitlement.action_approve()
        offer = self.env['vci.offer'].search([
            ('credential_subject_model', '=', 'vci.test.entitlement'),
            ('credential_subject_id', '=', entitlement.id),
        ])
        uri = offer.get_credential_offer_uri()
        self.assertEqual(
            sent,
            [(self.partner.phone, f"Your entitlement credential is ready: {uri}")],
        )
        notes = " ".join(entitlement.message_ids.mapped('body'))
        self.assertIn(f"Credential offer created: {offer.id}", notes)
        self.assertNotIn(uri, notes)

    def batch_issue_credentials(self, entitlements):
        """Issue credentials for multiple entitlements efficiently"""
        credential_type = self.env['vci.credential.configuration'].search([
            ('code', '=', 'EntitlementCredential')
        ], limit=1)

        # Pre-fetch related data
        entitlements = entitlements.with_context(prefetch_fields=True)
        partners = entitlements.mapped('partner_id')
        wallets = {partner.id: partner for partner in partners}

        # Create offers in batch
        offer_vals = []
        for entitlement in entitlements:
            wallet = wallets.get(entitlement.partner_id.id)
            if wallet:
                offer_vals.append({
                    'credential_type_id': credential_type.id,
                    'credential_subject_model': 'vci.test.entitlement',
                    'credential_subject_id': entitlement.id,
                    'holder_wallet_did': wallet.wallet_did,
                })

        offers = self.env['vci.offer'].create(offer_vals)

        # Generate pre-authorized codes
        for offer in offers:
            offer.create_offer(
                offer.get_credential_subject(),
                credential_type,
                offer.holder_wallet_did
            )

        return offers

    def test_batch(self):
        entitlements = self.env['vci.test.entitlement'].create([
            {'partner_id': self.partner.id, 'code': f"ENT-{n}", 'state': 'approved'}
            for n in range(5)
        ])
        before = self.env['vci.offer'].search_count([])
        offers = self.batch_issue_credentials(entitlements)
        self.assertEqual(self.env['vci.offer'].search_count([]), before + 5)
        self.assertEqual(offers.mapped('credential_subject_id'), entitlements.ids)
        self.assertEqual(len(set(offers.mapped('pre_authorized_code'))), 5)
