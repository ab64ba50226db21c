// The HTTP requests of OpenSPP's OpenID4VCI guide, byte for byte but for codes and tokens.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import * as jose from 'jose'
import { openSandbox } from './sandbox.mjs'
import { ask, authorize, didJwk, getJson, newClient, newHolder, prove } from './wallet.mjs'

const sandbox = openSandbox()
after(() => sandbox.close())

const base = `${sandbox.issuer}/api/v1/openid4vci`
const grantType = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'
const credentialDefinition = { type: ['VerifiableCredential', 'EntitlementCredential'] }
const claims = JSON.stringify({ entitlementId: 'ENT-1', entitlementStatus: 'approved' })

function offerOf(link) {
	return JSON.parse(decodeURIComponent(link.split('credential_offer=')[1]))
}

function codeOf(link) {
	return offerOf(link).grants[grantType]['pre-authorized_code']
}

// As the guide's curl -d options send it: colons are not escaped.
function requestToken(code, txCode) {
	const parts = [`grant_type=${grantType}`, `pre-authorized_code=${code}`]
	if (txCode) parts.push(`tx_code=${txCode}`)
	return fetch(`${base}/token`, {
		method: 'POST',
		headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
		body: parts.join('&')
	})
}

async function tokenFor(link) {
	const response = await requestToken(codeOf(link))
	assert.equal(response.status, 200)
	return response.json()
}

function requestCredential(token, body) {
	return fetch(`${base}/credential`, {
		method: 'POST',
		headers: { Authorization: `Bearer ${token.access_token}`, 'Content-Type': 'application/json' },
		body: JSON.stringify(body)
	})
}

// The payload of the guide's KB-JWT: nonce, aud and iat.
function sign(holder, token, header, changes = {}) {
	const payload = {
		nonce: token.c_nonce,
		aud: sandbox.issuer,
		iat: Math.floor(Date.now() / 1000),
		...changes
	}
	return new jose.SignJWT(payload)
		.setProtectedHeader({ alg: holder.alg, ...header })
		.sign(holder.privateKey)
}

function holderOffer(holder, configuration = 'EntitlementCredential') {
	return sandbox.createOffer(
		`ARRAY[:'configuration'], claims => :'claims', holder => :'holder'`,
		{ configuration, claims, holder: didJwk(holder) }
	).credential_offer_uri
}

async function thumbprintIn(credential) {
	return jose.calculateJwkThumbprint(jose.decodeJwt(credential.split('~')[0]).cnf.jwk)
}

test('the offer has the members of the guide', () => {
	const offer = offerOf(sandbox.offer('--tx-code', '123456'))
	assert.deepEqual(Object.keys(offer), [
		'credential_issuer',
		'credential_configuration_ids',
		'grants'
	])
	assert.equal(offer.credential_issuer, sandbox.issuer)
	assert.deepEqual(offer.credential_configuration_ids, ['EntitlementCredential'])
	assert.deepEqual(offer.grants[grantType].tx_code, { input_mode: 'numeric', length: 6 })
})

test('step 3: the token response has exactly the members and lifetimes of the guide', async () => {
	const response = await requestToken(codeOf(sandbox.offer('--tx-code', '123456')), '123456')
	assert.equal(response.status, 200)
	assert.match(response.headers.get('content-type'), /^application\/json/)
	assert.equal(response.headers.get('cache-control'), 'no-store')
	const token = await response.json()
	assert.deepEqual(Object.keys(token), [
		'access_token',
		'token_type',
		'expires_in',
		'c_nonce',
		'c_nonce_expires_in'
	])
	assert.equal(token.token_type, 'Bearer')
	assert.equal(token.expires_in, 86400)
	assert.equal(token.c_nonce_expires_in, 86400)
})

test('step 4: format, credential_definition and proof bring format and credential', async () => {
	const holder = await newHolder()
	const token = await tokenFor(sandbox.offer())
	const jwt = await sign(holder, token, { typ: 'openid4vci-proof+jwt', jwk: holder.jwk })
	const response = await requestCredential(token, {
		format: 'vc+sd-jwt',
		credential_definition: credentialDefinition,
		proof: { proof_type: 'jwt', jwt }
	})
	assert.equal(response.status, 200)
	assert.equal(response.headers.get('cache-control'), 'no-store')
	const answer = await response.json()
	assert.deepEqual(Object.keys(answer), ['format', 'credential'])
	assert.equal(answer.format, 'vc+sd-jwt')
	assert.match(answer.credential, /^eyJ[^~]+~/)
	assert.equal(jose.decodeProtectedHeader(answer.credential.split('~')[0]).typ, 'vc+sd-jwt')
	assert.equal(await thumbprintIn(answer.credential), holder.thumbprint)
})

test('the KB-JWT of the guide, without a key in it, works for the holder DID of the offer', async () => {
	const holder = await newHolder()
	const token = await tokenFor(holderOffer(holder))
	const jwt = await sign(holder, token, { typ: 'kb+jwt' })
	const response = await requestCredential(token, {
		format: 'vc+sd-jwt',
		credential_definition: credentialDefinition,
		proof: { proof_type: 'jwt', jwt }
	})
	assert.equal(response.status, 200)
	assert.equal(await thumbprintIn((await response.json()).credential), holder.thumbprint)
})

test('the KB-JWT of the guide by another key than the holder DID is invalid_proof', async () => {
	const token = await tokenFor(holderOffer(await newHolder()))
	const jwt = await sign(await newHolder(), token, { typ: 'kb+jwt' })
	const response = await requestCredential(token, {
		format: 'vc+sd-jwt',
		credential_definition: credentialDefinition,
		proof: { proof_type: 'jwt', jwt }
	})
	assert.equal(response.status, 400)
	assert.equal((await response.json()).error, 'invalid_proof')
})

test('without a holder DID in the offer, a KB-JWT without a key proves nothing', async () => {
	const holder = await newHolder()
	const token = await tokenFor(sandbox.offer())
	const jwt = await sign(holder, token, { typ: 'kb+jwt' })
	const response = await requestCredential(token, {
		format: 'vc+sd-jwt',
		credential_definition: credentialDefinition,
		proof: { proof_type: 'jwt', jwt }
	})
	assert.equal(response.status, 400)
	assert.equal((await response.json()).error, 'invalid_proof')
})

test('a JWT with sd_hash is a presentation, never a proof', async () => {
	const holder = await newHolder()
	const token = await tokenFor(holderOffer(holder))
	const jwt = await sign(holder, token, { typ: 'kb+jwt' }, { sd_hash: 'x'.repeat(43) })
	const response = await requestCredential(token, {
		format: 'vc+sd-jwt',
		credential_definition: credentialDefinition,
		proof: { proof_type: 'jwt', jwt }
	})
	assert.equal(response.status, 400)
	assert.equal((await response.json()).error, 'invalid_proof')
})

test('leniency follows the shape: a 1.0 request with the KB-JWT of the guide is refused', async () => {
	const holder = await newHolder()
	const token = await tokenFor(holderOffer(holder))
	const jwt = await sign(holder, token, { typ: 'kb+jwt' })
	const response = await requestCredential(token, {
		credential_configuration_id: 'EntitlementCredential',
		proofs: { jwt: [jwt] }
	})
	assert.equal(response.status, 400)
	assert.equal((await response.json()).error, 'invalid_proof')
})

test("the guide's own test, without a proof, works where the configuration allows it", async () => {
	const id = `GuideCredential-${process.pid}`
	sandbox.sql(
		`SELECT openid4vci.vci_create_configuration(id => :'id', vct => 'urn:test:guide',
		     always_disclosed => '["entitlementId", "entitlementStatus"]',
		     options => '{"older": ["format_request", "singular_proof", "vc_sd_jwt",
		                            "holder_without_proof"]}')`,
		{ id }
	)
	const holder = await newHolder()
	const request = (type) => ({
		format: 'vc+sd-jwt',
		credential_definition: { type: ['VerifiableCredential', type] }
	})
	const allowed = await requestCredential(await tokenFor(holderOffer(holder, id)), request(id))
	assert.equal(allowed.status, 200)
	const { credential } = await allowed.json()
	assert.ok(credential.startsWith('eyJ'))
	assert.equal(await thumbprintIn(credential), holder.thumbprint)

	const refused = await requestCredential(
		await tokenFor(holderOffer(holder)),
		request('EntitlementCredential')
	)
	assert.equal(refused.status, 400, 'where it is not switched on a proof is needed')
	assert.equal((await refused.json()).error, 'invalid_proof')
	sandbox.sql(`SELECT openid4vci.vci_retire_configuration(:'id')`, { id })
})

test('a wrong code and a wrong PIN are invalid_grant with a description and no secret', async () => {
	const code = codeOf(sandbox.offer('--tx-code', '123456'))
	for (const [given, pin] of [
		['eyJhbGciOiJFUzI1NiJ9...', undefined],
		[code, '654321']
	]) {
		const response = await requestToken(given, pin)
		assert.equal(response.status, 400)
		const answer = await response.json()
		assert.equal(answer.error, 'invalid_grant')
		assert.ok(answer.error_description.length > 10)
		assert.ok(!JSON.stringify(answer).includes('123456'))
		assert.ok(!JSON.stringify(answer).includes(code))
	}
})

test('without a token the credential endpoint answers 401 with a Bearer challenge', async () => {
	const response = await fetch(`${base}/credential`, {
		method: 'POST',
		headers: { 'Content-Type': 'application/json' },
		body: JSON.stringify({ format: 'vc+sd-jwt', credential_definition: credentialDefinition })
	})
	assert.equal(response.status, 401)
	assert.match(response.headers.get('www-authenticate'), /^Bearer/)
})

test('the demo issuer has the members of the guide beside those of 1.0', async () => {
	const metadata = await getJson(`${sandbox.issuer}/.well-known/openid-credential-issuer`)
	assert.equal(metadata.credential_issuer, sandbox.issuer)
	for (const name of ['credential', 'batch_credential', 'deferred_credential'])
		assert.equal(metadata[`${name}_endpoint`], `${base}/${name}`)
	assert.equal(metadata.display[0].name, 'OpenSPP Social Registry')
	assert.equal(metadata.display[0].locale, 'en-US')
	const configuration = metadata.credential_configurations_supported.EntitlementCredential
	assert.equal(configuration.scope, 'EntitlementCredential')
	assert.ok(configuration.cryptographic_binding_methods_supported.includes('jwk'))
	assert.deepEqual(configuration.cryptographic_suites_supported, ['ES256'])
	assert.equal(configuration.display[0].background_color, '#12107c')
	assert.match(configuration.display[0].text_color, /^#ffffff$/i)
	for (const one of Object.values(metadata.credential_configurations_supported))
		assert.ok(!('vct' in one && 'credential_definition' in one), 'libraries refuse both at once')
})

// The sandbox's second issuer stands for https://registry.example.
const { guide } = sandbox
const guideBase = `${guide.issuer}/api/v1/openid4vci`

test("the second issuer's metadata is the guide's, member by member", async () => {
	const { origin, pathname } = new URL(guide.issuer)
	const url = `${origin}/.well-known/openid-credential-issuer${pathname}`
	const metadata = await getJson(url)
	assert.deepEqual(metadata, {
		credential_issuer: guide.issuer,
		credential_endpoint: `${guideBase}/credential`,
		batch_credential_endpoint: `${guideBase}/batch_credential`,
		deferred_credential_endpoint: `${guideBase}/deferred_credential`,
		display: [
			{
				name: 'OpenSPP Social Registry',
				locale: 'en-US',
				logo: {
					uri: 'https://registry.example/logo.png',
					alt_text: 'OpenSPP Logo'
				}
			}
		],
		credential_configurations_supported: {
			EntitlementCredential: {
				format: 'vc+sd-jwt',
				scope: 'EntitlementCredential',
				cryptographic_binding_methods_supported: ['jwk'],
				cryptographic_suites_supported: ['ES256'],
				display: [
					{
						name: 'Entitlement Credential',
						locale: 'en-US',
						logo: {
							uri: 'https://registry.example/credentials/entitlement.png'
						},
						background_color: '#12107c',
						text_color: '#FFFFFF'
					}
				],
				credential_definition: {
					type: ['VerifiableCredential', 'EntitlementCredential'],
					credentialSubject: {
						entitlementId: {
							mandatory: true,
							display: [{ name: 'Entitlement ID', locale: 'en-US' }]
						},
						amount: {
							mandatory: false,
							display: [{ name: 'Amount', locale: 'en-US' }]
						}
					}
				}
			}
		}
	})
})

// The authorization request of the guide, parameter by parameter: no PKCE, nothing escaped.
function authorizationUrl(issuerBase) {
	return (
		`${issuerBase}/authorize` +
		'?response_type=code' +
		'&client_id=wallet.example' +
		'&redirect_uri=https://wallet.example/callback' +
		'&scope=EntitlementCredential' +
		'&state=random-state-value'
	)
}

function exchangeCode(issuerBase, code) {
	return fetch(`${issuerBase}/token`, {
		method: 'POST',
		headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
		body: [
			'grant_type=authorization_code',
			`code=${code}`,
			'redirect_uri=https://wallet.example/callback',
			'client_id=wallet.example'
		].join('&')
	})
}

for (const [name, registry, issuerBase] of [
	['the demo issuer', sandbox, base],
	['the second issuer', guide, guideBase]
])
	test(`the authorization code flow of the guide at ${name}`, async () => {
		const redirect = new URL(registry.approve(authorizationUrl(issuerBase)))
		assert.equal(redirect.origin + redirect.pathname, 'https://wallet.example/callback')
		assert.equal(redirect.searchParams.get('state'), 'random-state-value')
		const code = redirect.searchParams.get('code')

		const response = await exchangeCode(issuerBase, code)
		assert.equal(response.status, 200)
		assert.equal(response.headers.get('cache-control'), 'no-store')
		const token = await response.json()
		assert.deepEqual(Object.keys(token), [
			'access_token',
			'token_type',
			'expires_in',
			'c_nonce',
			'c_nonce_expires_in'
		])
		assert.equal(token.token_type, 'Bearer')

		const holder = await newHolder()
		const jwt = await sign(
			holder,
			token,
			{ typ: 'openid4vci-proof+jwt', jwk: holder.jwk },
			{ aud: registry.issuer }
		)
		const answer = await fetch(`${issuerBase}/credential`, {
			method: 'POST',
			headers: {
				Authorization: `Bearer ${token.access_token}`,
				'Content-Type': 'application/json'
			},
			body: JSON.stringify({
				format: 'vc+sd-jwt',
				credential_definition: credentialDefinition,
				proof: { proof_type: 'jwt', jwt }
			})
		})
		assert.equal(answer.status, 200)
		const issued = await answer.json()
		assert.deepEqual(Object.keys(issued), ['format', 'credential'])
		assert.equal(issued.format, 'vc+sd-jwt')
		assert.equal(await thumbprintIn(issued.credential), holder.thumbprint)
		assert.equal(jose.decodeJwt(issued.credential.split('~')[0]).iss, registry.issuer)

		const again = await exchangeCode(issuerBase, code)
		assert.equal(again.status, 400, 'a code works once')
		assert.equal((await again.json()).error, 'invalid_grant')
	})

test('the pre-authorized flow of the guide works at the second issuer, too', async () => {
	const offer = offerOf(sandbox.offer('--issuer', 'guide', '--tx-code', '123456'))
	assert.equal(offer.credential_issuer, guide.issuer)
	const response = await fetch(`${guideBase}/token`, {
		method: 'POST',
		headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
		body: [
			`grant_type=${grantType}`,
			`pre-authorized_code=${offer.grants[grantType]['pre-authorized_code']}`,
			'tx_code=123456'
		].join('&')
	})
	assert.equal(response.status, 200)
	assert.equal((await response.json()).expires_in, 86400)
})

test('a wallet library takes that metadata as draft 14, and redeems an offer by it', async () => {
	const holder = await newHolder()
	const client = newClient(holder)
	const authorized = await authorize(client, sandbox.offer('--issuer', 'guide'))
	assert.equal(authorized.issuerMetadata.originalDraftVersion, 'Draft14')
	const jwt = await prove(client, holder, authorized, authorized.token.c_nonce)
	const { format, credential } = await ask(client, authorized, { proof: { proof_type: 'jwt', jwt } })
	assert.equal(format, 'vc+sd-jwt')
	assert.equal(await thumbprintIn(credential), holder.thumbprint)
})

test('the batch endpoint that the guide advertises takes several requests at once', async () => {
	const holder = await newHolder()
	const ids = ['EntitlementCredential', 'EntitlementCredentialVc']
	const { credential_offer_uri: link } = sandbox.createOffer(
		`ARRAY['EntitlementCredential', 'EntitlementCredentialVc'], claims => :'claims'`,
		{ claims }
	)
	const token = await tokenFor(link)
	const jwt = await sign(holder, token, { typ: 'openid4vci-proof+jwt', jwk: holder.jwk })
	const response = await fetch(`${base}/batch_credential`, {
		method: 'POST',
		headers: { Authorization: `Bearer ${token.access_token}`, 'Content-Type': 'application/json' },
		body: JSON.stringify({
			credential_requests: ids.map((id) => ({
				format: 'vc+sd-jwt',
				credential_definition: { type: ['VerifiableCredential', id] },
				proof: { proof_type: 'jwt', jwt }
			}))
		})
	})
	assert.equal(response.status, 200)
	const { credential_responses: answers } = await response.json()
	assert.equal(answers.length, ids.length)
	for (const { format, credential } of answers) {
		assert.equal(format, 'vc+sd-jwt')
		assert.equal(await thumbprintIn(credential), holder.thumbprint)
	}
})

test('a client that needs PKCE is not let off it by asking as the guide does', async () => {
	const url = authorizationUrl(base)
		.replace('wallet.example&', 'demo-wallet&')
		.replace('https://wallet.example/callback', 'http://127.0.0.1/callback')
	const response = await fetch(url, { redirect: 'manual' })
	assert.equal(response.status, 303)
	const redirect = new URL(response.headers.get('location'))
	assert.equal(redirect.pathname, '/callback')
	assert.equal(redirect.searchParams.get('error'), 'invalid_request')
	assert.equal(redirect.searchParams.get('state'), 'random-state-value')
})
