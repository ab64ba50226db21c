// The OpenID Foundation's test modules for OpenID4VCI issuers, as a checklist: what each
// module of the conformance suite demands, under its name.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import * as jose from 'jose'
import { openSandbox } from './sandbox.mjs'
import {
	clientId,
	finishByCode,
	getJson,
	holderOf,
	newClient,
	newHolder,
	obtain,
	prove,
	redirectUri,
	refusalOf,
	startByCode
} from './wallet.mjs'

const sandbox = openSandbox()
after(() => sandbox.close())

const configurationId = 'EntitlementCredential'

// The flow up to the credential request, by PAR and authorization code as the suite does.
async function ready(registry = sandbox, id = clientId) {
	const holder = await newHolder()
	const client = newClient(holder)
	const started = await startByCode(holder, registry.issuer, { id })
	const redirect = registry.approve(started.authorizationRequestUrl)
	const authorized = await finishByCode(holder, started, redirect)
	const { c_nonce: nonce } = await client.requestNonce(authorized)
	return { holder, client, authorized, nonce, token: authorized.token.access_token }
}

function ask({ authorized, token }, body, { query = '', headers } = {}) {
	return fetch(authorized.issuerMetadata.credentialIssuer.credential_endpoint + query, {
		method: 'POST',
		headers: headers ?? {
			Authorization: `Bearer ${token}`,
			'Content-Type': 'application/json'
		},
		body: JSON.stringify(body)
	})
}

async function refused(response, error) {
	assert.equal(response.status, 400)
	assert.match(response.headers.get('content-type'), /^application\/json/)
	assert.equal((await response.json()).error, error)
}

async function request(flow, changes = {}) {
	const jwt = await prove(flow.client, flow.holder, flow.authorized, flow.nonce)
	return { credential_configuration_id: configurationId, proofs: { jwt: [jwt] }, ...changes }
}

async function issued(response, holder) {
	assert.equal(response.status, 200)
	assert.equal(response.headers.get('cache-control'), 'no-store')
	const { credentials } = await response.json()
	assert.equal(credentials.length, 1)
	assert.equal(await holderOf(credentials[0].credential), holder.thumbprint)
	return credentials[0].credential
}

// What the refusal of a request leaves behind: the same token still works.
async function stillWorks(flow) {
	const { c_nonce: nonce } = await flow.client.requestNonce(flow.authorized)
	await issued(await ask(flow, await request({ ...flow, nonce })), flow.holder)
}

test('metadata-test', async () => {
	const url = `${sandbox.issuer}/.well-known/openid-credential-issuer`
	const response = await fetch(url, { headers: { Accept: 'application/json' } })
	assert.equal(response.status, 200)
	assert.match(response.headers.get('content-type'), /^application\/json/)
	const metadata = await response.json()
	assert.equal(metadata.credential_issuer, sandbox.issuer)
	for (const [name, value] of Object.entries(metadata))
		if (name.endsWith('_endpoint')) assert.ok(URL.canParse(value), name)
	for (const [id, one] of Object.entries(metadata.credential_configurations_supported)) {
		assert.equal(typeof one.format, 'string', id)
		assert.equal(typeof one.vct, 'string', id)
		assert.ok(one.proof_types_supported.jwt.proof_signing_alg_values_supported.length > 0, id)
		assert.ok(one.cryptographic_binding_methods_supported.length > 0, id)
		for (const claim of one.credential_metadata?.claims ?? [])
			assert.ok(Array.isArray(claim.path) && claim.path.length > 0, id)
	}
	const server = await getJson(`${sandbox.issuer}/.well-known/oauth-authorization-server`)
	assert.equal(server.issuer, sandbox.issuer)
	for (const name of [
		'authorization_endpoint',
		'token_endpoint',
		'pushed_authorization_request_endpoint',
		'jwks_uri'
	])
		assert.ok(URL.canParse(server[name]), name)
	assert.deepEqual(server.response_types_supported, ['code'])
	assert.deepEqual(server.code_challenge_methods_supported, ['S256'])
	assert.equal(server.authorization_response_iss_parameter_supported, true)
	assert.ok(server.dpop_signing_alg_values_supported.includes('ES256'))
	for (const grant of [
		'authorization_code',
		'urn:ietf:params:oauth:grant-type:pre-authorized_code'
	])
		assert.ok(server.grant_types_supported.includes(grant), grant)
})

// Members and parameters that no specification names must be ignored wherever they stand.
test('happy-flow', async () => {
	const server = await getJson(`${sandbox.issuer}/.well-known/oauth-authorization-server`)
	const { codeVerifier, codeChallenge } = await pkce()
	const pushed = await post(server.pushed_authorization_request_endpoint, {
		response_type: 'code',
		client_id: clientId,
		redirect_uri: redirectUri,
		scope: `${configurationId} unknown_scope`,
		state: 'state-1',
		code_challenge: codeChallenge,
		code_challenge_method: 'S256',
		unknown_parameter: 'ignored'
	})
	assert.equal(pushed.status, 201)
	const { request_uri: requestUri, expires_in: lifetime } = await pushed.json()
	assert.ok(lifetime > 0)
	const query = new URLSearchParams({
		client_id: clientId,
		request_uri: requestUri,
		unknown_parameter: 'ignored'
	})
	const redirect = new URL(sandbox.approve(`${server.authorization_endpoint}?${query}`))
	assert.equal(redirect.searchParams.get('state'), 'state-1')
	assert.equal(redirect.searchParams.get('iss'), sandbox.issuer)
	const response = await post(server.token_endpoint, {
		grant_type: 'authorization_code',
		code: redirect.searchParams.get('code'),
		redirect_uri: redirectUri,
		client_id: clientId,
		code_verifier: codeVerifier,
		unknown_parameter: 'ignored'
	})
	assert.equal(response.status, 200)
	assert.equal(response.headers.get('cache-control'), 'no-store')
	const token = await response.json()

	const holder = await newHolder()
	const client = newClient(holder)
	const issuerMetadata = await client.resolveIssuerMetadata(sandbox.issuer)
	const authorized = { issuerMetadata, token, credentialConfigurationId: configurationId }
	const { c_nonce: nonce } = await client.requestNonce(authorized)
	const flow = { holder, client, authorized, nonce, token: token.access_token }
	const body = await request(flow, { unknown_member: { deep: [1, 2] } })
	await issued(await ask(flow, body), holder)
})

async function pkce() {
	const codeVerifier = jose.base64url.encode(crypto.getRandomValues(new Uint8Array(32)))
	const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(codeVerifier))
	return { codeVerifier, codeChallenge: jose.base64url.encode(new Uint8Array(digest)) }
}

function post(url, form) {
	return fetch(url, { method: 'POST', body: new URLSearchParams(form) })
}

// Two registered clients of one issuer: each gets its own credential, and one's code is
// worth nothing to the other.
test('happy-flow-multiple-clients', async () => {
	const second = `second-wallet-${process.pid}`
	sandbox.sql(`SELECT openid4vci.vci_create_client(:'id', ARRAY[:'uri'])`, {
		id: second,
		uri: 'http://127.0.0.1/callback'
	})
	const credentials = []
	for (const id of [clientId, second]) {
		const flow = await ready(sandbox, id)
		credentials.push(await issued(await ask(flow, await request(flow)), flow.holder))
	}
	assert.notEqual(credentials[0], credentials[1])

	const holder = await newHolder()
	const started = await startByCode(holder, sandbox.issuer)
	const redirect = sandbox.approve(started.authorizationRequestUrl)
	assert.deepEqual(await refusalOf(finishByCode(holder, { ...started, id: second }, redirect)), {
		error: 'invalid_grant',
		status: 400
	})
	assert.ok((await finishByCode(holder, started, redirect)).token, 'its own client still can')
})

test('happy-flow-skip-notification', async () => {
	const { credential, holder, response } = await obtain(sandbox.offer())
	assert.ok(response.notification_id)
	assert.equal(await holderOf(credential), holder.thumbprint)
	const later = await obtain(sandbox.offer(), { holder })
	assert.ok(later.credential, 'a wallet that never notified is served again')
})

test('batch-issuance', async () => {
	const batch = sandbox.newIssuer('conformance_batch', { batch_size: 2 })
	const flow = await ready(batch)
	const { batch_credential_issuance: announced } =
		flow.authorized.issuerMetadata.credentialIssuer
	const holders = await Promise.all(Array.from({ length: announced.batch_size }, () => newHolder()))
	const client = newClient(holders)
	const jwt = await Promise.all(
		holders.map((holder) => prove(client, holder, flow.authorized, flow.nonce))
	)
	const response = await ask(flow, await request(flow, { proofs: { jwt } }))
	assert.equal(response.status, 200)
	const { credentials } = await response.json()
	assert.deepEqual(
		await Promise.all(credentials.map(({ credential }) => holderOf(credential))),
		holders.map(({ thumbprint }) => thumbprint)
	)
})

test('fail-invalid-nonce', async () => {
	const flow = await ready()
	const body = await request({ ...flow, nonce: 'an-invalid-nonce' })
	await refused(await ask(flow, body), 'invalid_nonce')
	await stillWorks(flow)
})

test('fail-missing-proof', async () => {
	const flow = await ready()
	for (const proofs of [undefined, {}, { jwt: [] }]) {
		const response = await ask(flow, { credential_configuration_id: configurationId, proofs })
		assert.equal(response.status, 400)
		const { error } = await response.json()
		const expected = proofs ? ['invalid_proof', 'invalid_credential_request'] : ['invalid_proof']
		assert.ok(expected.includes(error), error)
	}
	await stillWorks(flow)
})

test('fail-invalid-jwt-proof-signature', async () => {
	const flow = await ready()
	const body = await request(flow)
	const [header, payload, signature] = body.proofs.jwt[0].split('.')
	const bytes = jose.base64url.decode(signature)
	bytes[10] ^= 1
	body.proofs.jwt[0] = [header, payload, jose.base64url.encode(bytes)].join('.')
	await refused(await ask(flow, body), 'invalid_proof')
	await stillWorks(flow)
})

test('fail-unknown-credential-configuration', async () => {
	const flow = await ready()
	const body = await request(flow, { credential_configuration_id: 'UnknownConfiguration' })
	await refused(await ask(flow, body), 'unknown_credential_configuration')
	await stillWorks(flow)
})

test('fail-unknown-credential-identifier', async () => {
	const holder = await newHolder()
	const client = newClient(holder)
	const credentialOffer = await client.resolveCredentialOffer(sandbox.offer())
	const issuerMetadata = await client.resolveIssuerMetadata(sandbox.issuer)
	const details = [{ type: 'openid_credential', credential_configuration_id: configurationId }]
	const { accessTokenResponse: token } =
		await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
			credentialOffer,
			issuerMetadata,
			additionalRequestPayload: { authorization_details: JSON.stringify(details) }
		})
	const [identifier] = token.authorization_details[0].credential_identifiers
	const authorized = { issuerMetadata, token, credentialConfigurationId: configurationId }
	const { c_nonce: nonce } = await client.requestNonce(authorized)
	const flow = { holder, client, authorized, nonce, token: token.access_token }
	const byIdentifier = async (id) =>
		request(flow, { credential_configuration_id: undefined, credential_identifier: id })
	await refused(
		await ask(flow, await byIdentifier(`${identifier}-unknown`)),
		'unknown_credential_identifier'
	)
	await issued(await ask(flow, await byIdentifier(identifier)), holder)
})

// RFC 6750 section 2.3: a token in a URL ends up in logs.
test('fail-on-access-token-in-query', async () => {
	const flow = await ready()
	const query = `?access_token=${flow.token}`
	const alone = await ask(flow, await request(flow), {
		query,
		headers: { 'Content-Type': 'application/json' }
	})
	assert.equal(alone.status, 401)
	assert.match(alone.headers.get('www-authenticate'), /^Bearer/)
	await stillWorks(flow)
})
