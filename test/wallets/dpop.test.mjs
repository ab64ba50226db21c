// Sender-constrained tokens (RFC 9449): the library signs the proofs, as wallets do.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as jose from 'jose'
import { openSandbox } from './sandbox.mjs'
import {
	authorize,
	fetchCredential,
	holderOf,
	newClient,
	newDpop,
	newHolder,
	newOauth2Client,
	refusalOf
} from './wallet.mjs'

const sandbox = openSandbox()
after(() => sandbox.close())

let strict // asks for DPoP, with a nonce of its own
before(() => {
	strict = sandbox.newIssuer('strict', { dpop: 'required', dpop_nonce: true })
})

// A fetch that notes path and status of each request.
function watched() {
	const seen = []
	return {
		seen,
		of: (path) => seen.filter((one) => one.path.endsWith(path)).map((one) => one.status),
		fetch: async (url, init) => {
			const response = await fetch(url, init)
			seen.push({ path: new URL(url).pathname, status: response.status, init })
			return response
		}
	}
}

test('the metadata says that DPoP works, and with which algorithms', async () => {
	const metadata = await newClient(await newHolder()).resolveIssuerMetadata(sandbox.issuer)
	const [authorizationServerMetadata] = metadata.authorizationServers
	const support = newOauth2Client([]).isDpopSupported({ authorizationServerMetadata })
	assert.equal(support.supported, true)
	assert.ok(support.dpopSigningAlgValuesSupported.includes('ES256'))
})

test('a wallet that proves a key gets a token bound to it, and a credential by that token', async () => {
	const holder = await newHolder()
	const { key, dpop } = await newDpop()
	const client = newClient([holder, key])
	const authorized = await authorize(client, sandbox.offer(), { dpop })
	assert.equal(authorized.token.token_type, 'DPoP')
	const { credential } = await fetchCredential(client, holder, authorized)
	assert.equal(await holderOf(credential), holder.thumbprint)
})

for (const alg of ['ES384', 'EdDSA', 'RS256'])
	test(`a DPoP key of algorithm ${alg}`, async (t) => {
		const holder = await newHolder()
		const metadata = await newClient(holder).resolveIssuerMetadata(sandbox.issuer)
		const [{ dpop_signing_alg_values_supported: supported }] = metadata.authorizationServers
		if (!supported.includes(alg)) return t.skip('the metadata does not list it')
		const key = await newHolder(alg)
		const { token } = await authorize(newClient([holder, key]), sandbox.offer(), {
			dpop: { signer: key.signer }
		})
		assert.equal(token.token_type, 'DPoP')
	})

test('a bound token is worth nothing as a bearer token, or with another key', async () => {
	const holder = await newHolder()
	const { key, dpop } = await newDpop()
	const thief = await newDpop()
	const client = newClient([holder, key, thief.key])
	const authorized = await authorize(client, sandbox.offer(), { dpop })
	for (const other of [undefined, thief.dpop])
		assert.deepEqual(
			await refusalOf(fetchCredential(client, holder, { ...authorized, dpop: other })),
			{ error: 'invalid_token', status: 401 }
		)
	assert.ok((await fetchCredential(client, holder, authorized)).credential, 'the owner still can')
})

test('a bearer token cannot be used as if it were bound', async () => {
	const holder = await newHolder()
	const { key, dpop } = await newDpop()
	const client = newClient([holder, key])
	const authorized = await authorize(client, sandbox.offer())
	assert.equal(authorized.token.token_type, 'Bearer')
	assert.deepEqual(await refusalOf(fetchCredential(client, holder, { ...authorized, dpop })), {
		error: 'invalid_token',
		status: 401
	})
})

test('a proof that was seen once is refused', async () => {
	const holder = await newHolder()
	const { key, dpop } = await newDpop()
	const watch = watched()
	await authorize(newClient([holder, key], watch.fetch), sandbox.offer(), { dpop })
	const [{ init }] = watch.seen.filter((one) => one.path.endsWith('/token'))
	const { issuer } = sandbox
	const other = JSON.parse(decodeURIComponent(sandbox.offer().split('credential_offer=')[1]))
	const [{ 'pre-authorized_code': code }] = Object.values(other.grants)
	const body = new URLSearchParams(init.body)
	body.set('pre-authorized_code', code)
	const again = await fetch(`${issuer}/api/v1/openid4vci/token`, { ...init, body: String(body) })
	assert.equal(again.status, 400)
	assert.equal((await again.json()).error, 'invalid_dpop_proof')
})

test('an issuer with nonces: the library hears use_dpop_nonce, and goes on with the nonce', async () => {
	const holder = await newHolder()
	const { key, dpop } = await newDpop()
	const watch = watched()
	const client = newClient([holder, key], watch.fetch)
	const authorized = await authorize(client, strict.offerToMaria(), { dpop })
	assert.deepEqual(watch.of('/token'), [400, 200])
	assert.equal(authorized.token.token_type, 'DPoP')
	assert.ok(authorized.dpop.nonce, 'the token response brings the next nonce')
	const first = jose.decodeJwt(new Headers(watch.seen.at(-1).init.headers).get('DPoP'))
	assert.ok(first.nonce)
	const { credential } = await fetchCredential(client, holder, authorized)
	assert.equal(await holderOf(credential), holder.thumbprint)
	assert.deepEqual(watch.of('/credential'), [200], 'no second round trip')
})

test('without a nonce the credential endpoint asks for one in its challenge', async () => {
	const holder = await newHolder()
	const { key, dpop } = await newDpop()
	const watch = watched()
	const client = newClient([holder, key], watch.fetch)
	const authorized = await authorize(client, strict.offerToMaria(), { dpop })
	const { credential } = await fetchCredential(client, holder, { ...authorized, dpop })
	assert.equal(await holderOf(credential), holder.thumbprint)
	assert.deepEqual(watch.of('/credential'), [401, 200])
})

test('where DPoP is required a wallet without it is refused, and its offer stays good', async () => {
	const holder = await newHolder()
	const link = strict.offerToMaria()
	assert.deepEqual(await refusalOf(authorize(newClient(holder), link)), {
		error: 'invalid_dpop_proof',
		status: 400
	})
	const { key, dpop } = await newDpop()
	assert.ok((await authorize(newClient([holder, key]), link, { dpop })).token)
})
