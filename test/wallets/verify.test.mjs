// @sd-jwt/sd-jwt-vc and jose verify what the issuer signed, as verifiers in the field do.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as jose from 'jose'
import { openSandbox } from './sandbox.mjs'
import { getJson, newSdJwt, obtain, present } from './wallet.mjs'

const sandbox = openSandbox()
after(() => sandbox.close())

const audience = 'https://verifier.example'
const nonce = 'verifier-nonce'
let issued
let metadata
let sdJwt

before(async () => {
	issued = await obtain(sandbox.offer())
	metadata = await getJson(`${sandbox.issuer}/.well-known/jwt-vc-issuer`)
	sdJwt = newSdJwt(metadata.jwks, issued.holder)
})

function partsOf(credential) {
	const [jwt, ...rest] = credential.split('~')
	return { jwt, disclosures: rest.filter((part) => part !== ''), payload: jose.decodeJwt(jwt) }
}

test('the signature verifies under the keys of the JWT VC issuer metadata', async () => {
	const { jwt } = partsOf(issued.credential)
	const { payload, protectedHeader } = await jose.jwtVerify(
		jwt,
		jose.createLocalJWKSet(metadata.jwks),
		{ issuer: sandbox.issuer, typ: 'dc+sd-jwt', algorithms: ['ES256'] }
	)
	assert.equal(metadata.issuer, sandbox.issuer)
	assert.equal(payload.iss, sandbox.issuer)
	assert.ok(metadata.jwks.keys.some((key) => key.kid === protectedHeader.kid))
})

test('a changed byte in the signed part does not verify', async () => {
	const { jwt } = partsOf(issued.credential)
	const [header, payload, signature] = jwt.split('.')
	const changed = JSON.parse(Buffer.from(payload, 'base64url'))
	changed.entitlementStatus = 'cancelled'
	const forged = [header, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature]
	await assert.rejects(
		jose.jwtVerify(forged.join('.'), jose.createLocalJWKSet(metadata.jwks)),
		jose.errors.JWSSignatureVerificationFailed
	)
})

test('the JWKS endpoint has the same keys, and no private member', async () => {
	const server = await getJson(`${sandbox.issuer}/.well-known/oauth-authorization-server`)
	const jwks = await getJson(server.jwks_uri)
	assert.deepEqual(jwks, metadata.jwks)
	for (const key of jwks.keys) {
		assert.deepEqual(Object.keys(key).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
		assert.equal(key.use, 'sig')
	}
})

test('the did:web document has the same keys under the DID of the issuer URL', async () => {
	const document = await getJson(`${sandbox.issuer}/.well-known/did.json`)
	const did = `did:web:${new URL(sandbox.issuer).host.replace(':', '%3A')}`
	assert.equal(document.id, did)
	assert.deepEqual(
		document.verificationMethod.map((method) => method.publicKeyJwk),
		metadata.jwks.keys
	)
	for (const method of document.verificationMethod) {
		assert.equal(method.controller, did)
		assert.ok(document.assertionMethod.includes(method.id))
		assert.equal(method.id, `${did}#${method.publicKeyJwk.kid}`)
	}
})

test('the whole credential verifies and shows every claim', async () => {
	const { payload } = await sdJwt.verify(issued.credential)
	assert.equal(payload.entitlementStatus, 'approved')
	assert.equal(payload.programName, 'Cash Transfer Program')
	assert.deepEqual(payload.amount, { value: 1250.5, currency: 'PHP' })
	assert.equal(payload.beneficiaryName, 'Maria Santos')
	assert.deepEqual(payload.cnf, { jwk: issued.holder.jwk })
	assert.equal(payload._sd_alg, undefined)
})

test('without disclosures only what is always disclosed can be read', async () => {
	const { jwt, payload } = partsOf(issued.credential)
	const shown = (await sdJwt.verify(`${jwt}~`)).payload
	assert.deepEqual(Object.keys(shown).sort(), [
		'cnf',
		'entitlementId',
		'entitlementStatus',
		'exp',
		'iat',
		'iss',
		'vct'
	])
	assert.equal(payload._sd_alg, 'sha-256')
	for (const secret of ['Maria', 'Cash Transfer', '2026-Q1', '1250', 'PHP'])
		assert.ok(!JSON.stringify(payload).includes(secret), `${secret} stands in the signed part`)
})

test('every salt has 128 bits and none comes twice', async () => {
	const salts = partsOf(issued.credential).disclosures.map(
		(disclosure) => JSON.parse(Buffer.from(disclosure, 'base64url'))[0]
	)
	assert.equal(new Set(salts).size, salts.length)
	for (const salt of salts) assert.ok(Buffer.from(salt, 'base64url').length >= 16)
})

test('a presentation with key binding shows the selected claims and no other', async () => {
	const frame = { programName: true, cycle: true }
	const presentation = await present(sdJwt, issued.credential, frame, { nonce, audience })
	assert.equal(partsOf(presentation).disclosures.length, 3) // two disclosures and the KB-JWT
	const { payload, kb } = await sdJwt.verify(presentation, { keyBindingNonce: nonce })
	assert.equal(payload.programName, 'Cash Transfer Program')
	assert.equal(payload.cycle, '2026-Q1')
	assert.equal(payload.beneficiaryName, undefined)
	assert.equal(payload.amount, undefined)
	assert.equal(kb.payload.aud, audience)
})

test('the amount can be shown without its currency: disclosures nest', async () => {
	const frame = { amount: { value: true } }
	const presentation = await present(sdJwt, issued.credential, frame, { nonce, audience })
	const { payload } = await sdJwt.verify(presentation, { keyBindingNonce: nonce })
	assert.deepEqual(payload.amount, { value: 1250.5 })
})

test('a presentation does not verify under another nonce or another holder key', async () => {
	const presentation = await present(sdJwt, issued.credential, {}, { nonce, audience })
	await assert.rejects(sdJwt.verify(presentation, { keyBindingNonce: 'another' }))
	const thief = await obtain(sandbox.offer())
	const stolen = await present(newSdJwt(metadata.jwks, thief.holder), issued.credential, {}, {
		nonce,
		audience
	})
	await assert.rejects(sdJwt.verify(stolen, { keyBindingNonce: nonce }))
})

test('iat is rounded down and exp follows it, so that neither links credentials', async () => {
	const rounding = 86400 // where the issuer sets no time_rounding of its own
	const { payload } = partsOf(issued.credential)
	assert.equal(payload.iat % rounding, 0)
	const other = partsOf((await obtain(sandbox.offer())).credential).payload
	assert.equal(payload.exp - payload.iat, other.exp - other.iat)
	const now = Math.floor(Date.now() / 1000)
	assert.ok(payload.iat <= now && payload.iat > now - 2 * rounding)
	assert.ok(payload.exp > now)
})

test('two credentials over the same claims share no digest, salt or signature', async () => {
	const one = partsOf(issued.credential)
	const two = partsOf((await obtain(sandbox.offer())).credential)
	assert.deepEqual(
		one.payload._sd.filter((digest) => two.payload._sd.includes(digest)),
		[]
	)
	assert.deepEqual(
		one.disclosures.filter((disclosure) => two.disclosures.includes(disclosure)),
		[]
	)
})

test('keys and server metadata come with an ETag and are not sent again to who has them', async () => {
	for (const name of ['oauth-authorization-server', 'jwt-vc-issuer']) {
		const url = `${sandbox.issuer}/.well-known/${name}`
		const response = await fetch(url)
		assert.equal(response.status, 200, name)
		assert.match(response.headers.get('content-type'), /^application\/json/)
		const etag = response.headers.get('etag')
		assert.ok(etag, `${name} has an ETag`)
		const again = await fetch(url, { headers: { 'If-None-Match': etag } })
		assert.equal(again.status, 304, name)
		assert.equal(await again.text(), '', name)
	}
})
