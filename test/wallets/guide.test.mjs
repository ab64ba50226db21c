// The HTTP requests of OpenSPP's OpenID4VCI guide, byte for byte but for codes and tokens.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import * as jose from 'jose'
import { openSandbox } from './sandbox.mjs'
import { didJwk, getJson, newHolder } from './wallet.mjs'

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

test('the metadata has the members of the guide, and none for what does not work', async () => {
	const metadata = await getJson(`${sandbox.issuer}/.well-known/openid-credential-issuer`)
	assert.equal(metadata.credential_issuer, sandbox.issuer)
	assert.equal(metadata.credential_endpoint, `${base}/credential`)
	assert.equal(metadata.display[0].name, 'OpenSPP Social Registry')
	assert.equal(metadata.display[0].locale, 'en-US')
	const configuration = metadata.credential_configurations_supported.EntitlementCredential
	assert.equal(configuration.scope, 'EntitlementCredential')
	assert.ok(configuration.cryptographic_binding_methods_supported.includes('jwk'))
	assert.deepEqual(configuration.cryptographic_suites_supported, ['ES256'])
	assert.equal(configuration.display[0].background_color, '#12107c')
	assert.match(configuration.display[0].text_color, /^#ffffff$/i)
	for (const absent of ['batch_credential_endpoint', 'deferred_credential_endpoint'])
		assert.ok(!(absent in metadata), `${absent} would promise what does not work`)
	for (const one of Object.values(metadata.credential_configurations_supported))
		assert.ok(!('vct' in one && 'credential_definition' in one), 'libraries refuse both at once')
})
