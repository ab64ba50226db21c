// @openid4vc/openid4vci and @openid4vc/oauth2 redeem offers, as wallets in the field do.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Openid4vciVersion } from '@openid4vc/openid4vci'
import * as jose from 'jose'
import { openSandbox } from './sandbox.mjs'
import {
	ask,
	authorize,
	holderOf,
	newClient,
	newHolder,
	obtain,
	prove,
	refusalOf,
	typOf
} from './wallet.mjs'

const sandbox = openSandbox()
after(() => sandbox.close())

const claims = JSON.stringify({ entitlementId: 'ENT-1', entitlementStatus: 'approved' })

function newOffer(more = '') {
	return sandbox.createOffer(`ARRAY['EntitlementCredential'], claims => :'claims' ${more}`, {
		claims
	})
}

test('a 1.0 wallet redeems an offer by value and holds a dc+sd-jwt bound to its key', async () => {
	const { credential, holder, response, authorized } = await obtain(sandbox.offer())
	assert.equal(authorized.issuerMetadata.originalDraftVersion, Openid4vciVersion.V1)
	assert.equal(typOf(credential), 'dc+sd-jwt')
	assert.equal(await holderOf(credential), holder.thumbprint)
	assert.deepEqual(Object.keys(response), ['credentials', 'notification_id'])
	assert.equal(response.credentials.length, 1)
})

for (const alg of ['ES384', 'EdDSA'])
	test(`a wallet with an ${alg} key gets a credential bound to that key`, async () => {
		const holder = await newHolder(alg)
		const { credential } = await obtain(sandbox.offer(), { holder })
		assert.equal(await holderOf(credential), holder.thumbprint)
	})

test('an offer by reference can be fetched twice and redeemed afterwards', async () => {
	const { offer_id } = newOffer()
	const link = sandbox.sql(`SELECT openid4vci.vci_offer_uri(:'id', 'reference')`, { id: offer_id })
	assert.match(link, /^openid-credential-offer:\/\/\?credential_offer_uri=http/)
	const client = newClient(await newHolder())
	const first = await client.resolveCredentialOffer(link)
	assert.deepEqual(await client.resolveCredentialOffer(link), first)
	const { credential } = await obtain(link)
	assert.equal(typOf(credential), 'dc+sd-jwt')
})

test('a wallet that sends the right transaction code gets its credential', async () => {
	const link = sandbox.offer('--tx-code', '493536')
	const { credential, authorized } = await obtain(link, { txCode: '493536' })
	const [grant] = Object.values(authorized.credentialOffer.grants)
	assert.deepEqual(grant.tx_code, { input_mode: 'numeric', length: 6 })
	assert.equal(typOf(credential), 'dc+sd-jwt')
})

test('a wrong transaction code is invalid_grant, and the right one still works', async () => {
	const link = sandbox.offer('--tx-code', '493536')
	assert.deepEqual(await refusalOf(obtain(link, { txCode: '493537' })), {
		error: 'invalid_grant',
		status: 400
	})
	assert.ok((await obtain(link, { txCode: '493536' })).credential)
})

test('a missing transaction code is invalid_request, one too many as well', async () => {
	const refused = { error: 'invalid_request', status: 400 }
	// the library would not send it: take the tx_code out of the offer that it sees
	const offer = JSON.parse(
		decodeURIComponent(sandbox.offer('--tx-code', '493536').split('credential_offer=')[1])
	)
	for (const grant of Object.values(offer.grants)) delete grant.tx_code
	const withoutCode = `openid-credential-offer://?credential_offer=${encodeURIComponent(JSON.stringify(offer))}`
	assert.deepEqual(await refusalOf(obtain(withoutCode)), refused)
	assert.deepEqual(await refusalOf(obtain(sandbox.offer(), { txCode: '493536' })), refused)
})

test('a second redemption of the same offer is refused', async () => {
	const link = sandbox.offer()
	await obtain(link)
	assert.deepEqual(await refusalOf(obtain(link)), { error: 'invalid_grant', status: 400 })
})

test('an expired offer is refused', async () => {
	const { offer_id, credential_offer_uri: link } = newOffer(`, expires_in => '1 second'`)
	const state = `SELECT state FROM openid4vci.vci_offer_info WHERE id = :'id'`
	while (sandbox.sql(state, { id: offer_id }) === 'pending')
		await new Promise((resolve) => setTimeout(resolve, 100))
	assert.equal(sandbox.sql(state, { id: offer_id }), 'expired')
	assert.deepEqual(await refusalOf(obtain(link)), { error: 'invalid_grant', status: 400 })
})

test('a nonce that was spent for one credential is refused for another', async () => {
	const holder = await newHolder()
	const client = newClient(holder)
	const first = await authorize(client, sandbox.offer())
	const second = await authorize(client, sandbox.offer())
	const { c_nonce } = await client.requestNonce(first)
	const one = await prove(client, holder, first, c_nonce)
	assert.ok(await ask(client, first, { proofs: { jwt: [one] } }))
	const two = await prove(client, holder, second, c_nonce)
	assert.deepEqual(await refusalOf(ask(client, second, { proofs: { jwt: [two] } })), {
		error: 'invalid_nonce',
		status: 400
	})
	const fresh = await client.requestNonce(second)
	const three = await prove(client, holder, second, fresh.c_nonce)
	assert.ok(await ask(client, second, { proofs: { jwt: [three] } }))
})

test('a nonce that the issuer never gave out is refused', async () => {
	const holder = await newHolder()
	const client = newClient(holder)
	const authorized = await authorize(client, sandbox.offer())
	const jwt = await prove(client, holder, authorized, 'made-up')
	assert.deepEqual(await refusalOf(ask(client, authorized, { proofs: { jwt: [jwt] } })), {
		error: 'invalid_nonce',
		status: 400
	})
})

test('one token brings one credential: another request under it is refused', async () => {
	const holder = await newHolder()
	const client = newClient(holder)
	const { authorized } = await obtain(sandbox.offer(), { holder })
	const { c_nonce } = await client.requestNonce(authorized)
	const jwt = await prove(client, holder, authorized, c_nonce)
	const refused = await refusalOf(ask(client, authorized, { proofs: { jwt: [jwt] } }))
	assert.equal(refused.status, 400)
	assert.equal(refused.error, 'credential_request_denied')
})

test('a wallet that lost the answer repeats the same request and holds one record', async () => {
	let sent
	const { credential } = await obtain(sandbox.offer(), {
		fetch: (url, init) => {
			if (String(url).endsWith('/credential')) sent = [url, init]
			return fetch(url, init)
		}
	})
	const again = await fetch(...sent)
	assert.equal(again.status, 200)
	const repeated = (await again.json()).credentials[0].credential
	assert.equal(jose.decodeJwt(repeated.split('~')[0]).entitlementId, jose.decodeJwt(credential.split('~')[0]).entitlementId)
	const thumbprint = await holderOf(credential)
	assert.equal(await holderOf(repeated), thumbprint)
	const records = sandbox.sql(
		`SELECT count(*) FROM openid4vci.vci_credential_info WHERE holder_thumbprint = :'thumbprint'`,
		{ thumbprint }
	)
	assert.equal(records, '1')
})

test('a wallet that asks for authorization_details gets identifiers and must use them', async () => {
	const holder = await newHolder()
	const client = newClient(holder)
	const credentialOffer = await client.resolveCredentialOffer(sandbox.offer())
	const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer)
	const details = [
		{ type: 'openid_credential', credential_configuration_id: 'EntitlementCredential' }
	]
	const { accessTokenResponse: token } = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
		credentialOffer,
		issuerMetadata,
		additionalRequestPayload: { authorization_details: JSON.stringify(details) }
	})
	const [granted] = token.authorization_details
	const [identifier] = granted.credential_identifiers
	const authorized = { issuerMetadata, token, credentialConfigurationId: 'EntitlementCredential' }
	const { c_nonce } = await client.requestNonce({ issuerMetadata })
	const jwt = await prove(client, holder, authorized, c_nonce)
	const answer = (body) =>
		fetch(issuerMetadata.credentialIssuer.credential_endpoint, {
			method: 'POST',
			headers: {
				'Content-Type': 'application/json',
				Authorization: `Bearer ${token.access_token}`
			},
			body: JSON.stringify({ ...body, proofs: { jwt: [jwt] } })
		})
	const byConfiguration = await answer({ credential_configuration_id: 'EntitlementCredential' })
	assert.equal(byConfiguration.status, 400)
	assert.equal((await byConfiguration.json()).error, 'invalid_credential_request')
	const byIdentifier = await answer({ credential_identifier: identifier })
	assert.equal(byIdentifier.status, 200)
	assert.equal(typOf((await byIdentifier.json()).credentials[0].credential), 'dc+sd-jwt')
})

// What the library sends as a wallet of each draft, and what answer it expects then.
async function asDraft(version, configuration, alg = 'ES256') {
	const bodies = []
	const holder = await newHolder(alg)
	const client = newClient(holder, (url, init) => {
		if (String(url).endsWith('/credential')) bodies.push(JSON.parse(init.body))
		return fetch(url, init)
	})
	const link = sandbox.offer('--configuration', configuration)
	const authorized = await authorize(client, link, { version })
	const jwt = await prove(client, holder, authorized, authorized.token.c_nonce)
	const response = await ask(client, authorized, { proof: { proof_type: 'jwt', jwt } })
	return { holder, response, sent: bodies.at(-1) }
}

test('a draft 14 wallet gets EntitlementCredentialVc by format and vct', async () => {
	const { holder, response, sent } = await asDraft(
		Openid4vciVersion.Draft14,
		'EntitlementCredentialVc'
	)
	assert.equal(sent.format, 'vc+sd-jwt')
	assert.ok(sent.vct)
	assert.ok(sent.proof.jwt)
	assert.equal(response.format, 'vc+sd-jwt')
	assert.equal(typOf(response.credential), 'vc+sd-jwt')
	assert.equal(await holderOf(response.credential), holder.thumbprint)
})

test('a draft 14 wallet asks for a dc+sd-jwt configuration as vc+sd-jwt, and gets that', async () => {
	const { holder, response, sent } = await asDraft(
		Openid4vciVersion.Draft14,
		'EntitlementCredential'
	)
	assert.equal(sent.format, 'vc+sd-jwt')
	assert.ok(sent.vct)
	assert.equal(response.format, 'vc+sd-jwt')
	assert.equal(typOf(response.credential), 'vc+sd-jwt')
	assert.equal(await holderOf(response.credential), holder.thumbprint)
})

test('a draft 11 wallet gets EntitlementCredentialVc by format and vct', async () => {
	const { response, sent } = await asDraft(Openid4vciVersion.Draft11, 'EntitlementCredentialVc')
	assert.equal(sent.format, 'vc+sd-jwt')
	assert.equal(typOf(response.credential), 'vc+sd-jwt')
})

test('a draft 15 wallet with the singular proof gets the answer of 1.0', async () => {
	const { response, sent } = await asDraft(Openid4vciVersion.Draft15, 'EntitlementCredential')
	assert.equal(sent.credential_configuration_id, 'EntitlementCredential')
	assert.ok(sent.proof.jwt)
	assert.equal(typOf(response.credentials[0].credential), 'dc+sd-jwt')
})

test('a 1.0 wallet gets EntitlementCredentialVc as vc+sd-jwt', async () => {
	const { credential } = await obtain(sandbox.offer('--configuration', 'EntitlementCredentialVc'))
	assert.equal(typOf(credential), 'vc+sd-jwt')
})

test('the library takes the metadata as 1.0 and knows its configurations', async () => {
	const client = newClient(await newHolder())
	const metadata = await client.resolveIssuerMetadata(sandbox.issuer)
	assert.equal(metadata.originalDraftVersion, Openid4vciVersion.V1)
	assert.equal(metadata.knownCredentialConfigurations.EntitlementCredential.format, 'dc+sd-jwt')
	assert.equal(metadata.knownCredentialConfigurations.EntitlementCredentialVc.format, 'vc+sd-jwt')
	assert.equal(
		metadata.authorizationServers[0]['pre-authorized_grant_anonymous_access_supported'],
		true
	)
})

test('two proofs of one request bring two credentials, each bound to its own key', async () => {
	sandbox.sql(`SELECT openid4vci.vci_alter_issuer('{"batch_size": 2}')`)
	try {
		const holders = [await newHolder(), await newHolder('EdDSA')]
		const client = newClient(holders[0])
		const authorized = await authorize(client, sandbox.offer())
		const { c_nonce } = await client.requestNonce(authorized)
		const proofs = await Promise.all(
			holders.map((holder) => prove(newClient(holder), holder, authorized, c_nonce))
		)
		const { credentials } = await ask(client, authorized, { proofs: { jwt: proofs } })
		assert.deepEqual(
			await Promise.all(credentials.map(({ credential }) => holderOf(credential))),
			holders.map((holder) => holder.thumbprint)
		)
	} finally {
		sandbox.sql(`SELECT openid4vci.vci_alter_issuer('{"batch_size": null}')`)
	}
})

test('a wallet in a browser may call the endpoints: preflight and answer allow its origin', async () => {
	const endpoint = `${sandbox.issuer}/api/v1/openid4vci/credential`
	const origin = 'https://wallet.example'
	const preflight = await fetch(endpoint, {
		method: 'OPTIONS',
		headers: {
			Origin: origin,
			'Access-Control-Request-Method': 'POST',
			'Access-Control-Request-Headers': 'authorization,content-type'
		}
	})
	assert.ok(preflight.ok, `HTTP ${preflight.status}`)
	const listed = (name) => preflight.headers.get(name).toLowerCase().split(/ *, */)
	assert.ok(['*', origin].includes(preflight.headers.get('access-control-allow-origin')))
	assert.ok(listed('access-control-allow-methods').includes('post'))
	assert.ok(listed('access-control-allow-headers').includes('authorization'))
	assert.ok(listed('access-control-allow-headers').includes('content-type'))
	const answer = await fetch(endpoint, { method: 'POST', headers: { Origin: origin } })
	assert.equal(answer.status, 401)
	assert.ok(['*', origin].includes(answer.headers.get('access-control-allow-origin')))
})
