// @sd-jwt/jwt-status-list reads the issuer's lists and @sd-jwt/sd-jwt-vc refuses what they say is
// revoked, as verifiers in the field do; W3C's list is read with what Node.js has.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { getListFromStatusListJWT, getStatusListFromJWT } from '@sd-jwt/jwt-status-list'
import * as jose from 'jose'
import { openSandbox } from './sandbox.mjs'
import { getJson, newSdJwt, obtain } from './wallet.mjs'

const sandbox = openSandbox()
after(() => sandbox.close())

const people = ['revoked', 'suspended', 'untouched']
const issued = {}
let registry
let metadata

before(async () => {
	registry = sandbox.newIssuer('status')
	registry.sql(`SELECT openid4vci.vci_alter_configuration('EntitlementCredential',
		'{"status_bits": 2, "w3c_status": true}', :'url')`, { url: registry.issuer })
	metadata = await getJson(wellKnown('jwt-vc-issuer'))
	for (const person of people) {
		const offer = registry.createOffer(`ARRAY['EntitlementCredential'], claims => demo.claims(1),
			reference => :'person', issuer => :'url'`, { person, url: registry.issuer })
		issued[person] = { offer, ...(await obtain(offer.credential_offer_uri)) }
	}
})

function wellKnown(name) {
	const { origin, pathname } = new URL(registry.issuer)
	return `${origin}/.well-known/${name}${pathname}`
}

function reference(person) {
	return getStatusListFromJWT(issued[person].credential.split('~')[0])
}

function change(what, person) {
	const changed = registry.sql(`SELECT openid4vci.vci_${what}(offer => ${issued[person].offer.offer_id},
		reason => 'a test', issuer => :'url')`, { url: registry.issuer })
	assert.equal(changed, '1')
}

async function listAt(uri, typ = 'statuslist+jwt') {
	const response = await fetch(uri, { headers: { accept: `application/${typ}` } })
	assert.equal(response.status, 200)
	assert.equal(response.headers.get('content-type'), `application/${typ}`)
	return response.text()
}

const verify = (person) =>
	newSdJwt(metadata.jwks, issued[person].holder).verify(issued[person].credential)

async function statuses() {
	const found = {}
	for (const person of people) {
		const { idx, uri } = reference(person)
		found[person] = getListFromStatusListJWT(await listAt(uri)).getStatus(idx)
	}
	return found
}

test('every credential names a place of its own in a list of ours', async () => {
	const places = people.map(reference)
	assert.equal(new Set(places.map(({ idx }) => idx)).size, people.length)
	for (const { uri } of places) assert.ok(uri.startsWith(`${registry.issuer}/`))
})

test('the token is signed by the issuer and says how long it may be kept', async () => {
	const { uri } = reference('untouched')
	const { payload } = await jose.jwtVerify(await listAt(uri), jose.createLocalJWKSet(metadata.jwks), {
		issuer: registry.issuer,
		subject: uri,
		typ: 'statuslist+jwt',
		algorithms: ['ES256']
	})
	assert.ok(payload.ttl > 0 && payload.exp > payload.iat)
	const lists = await getJson(payload.status_list.aggregation_uri)
	assert.ok(lists.status_lists.includes(uri))
	const server = await getJson(wellKnown('oauth-authorization-server'))
	assert.equal(server.status_list_aggregation_endpoint, payload.status_list.aggregation_uri)
})

test('a verifier takes what is valid, and nothing that is revoked or suspended', async () => {
	assert.deepEqual(await statuses(), { revoked: 0, suspended: 0, untouched: 0 })
	for (const person of people) await verify(person)

	change('revoke', 'revoked')
	change('suspend', 'suspended')
	assert.deepEqual(await statuses(), { revoked: 1, suspended: 2, untouched: 0 })
	await assert.rejects(verify('revoked'), /Status is not valid/)
	await assert.rejects(verify('suspended'), /Status is not valid/)
	await verify('untouched')

	const lists = await w3cStatuses()
	assert.deepEqual(lists.revocation, { revoked: 1, suspended: 0, untouched: 0 })
	assert.deepEqual(lists.suspension, { revoked: 0, suspended: 1, untouched: 0 })

	change('reinstate', 'suspended')
	assert.deepEqual(await statuses(), { revoked: 1, suspended: 0, untouched: 0 })
	await verify('suspended')
})

// As W3C Bitstring Status List section 3.2 has it: index 0 is the leftmost bit.
async function w3cStatuses() {
	const found = { revocation: {}, suspension: {} }
	for (const person of people) {
		const { credentialStatus } = jose.decodeJwt(issued[person].credential.split('~')[0])
		assert.equal(credentialStatus.length, 2)
		for (const entry of credentialStatus) {
			const token = await listAt(entry.statusListCredential, 'vc+jwt')
			const { payload } = await jose.jwtVerify(token, jose.createLocalJWKSet(metadata.jwks))
			const { credentialSubject } = payload
			assert.equal(payload.id, entry.statusListCredential)
			assert.equal(credentialSubject.statusPurpose, entry.statusPurpose)
			assert.equal(credentialSubject.encodedList[0], 'u')
			const bits = gunzipSync(Buffer.from(credentialSubject.encodedList.slice(1), 'base64url'))
			assert.ok(bits.length * 8 >= 131072)
			const index = Number(entry.statusListIndex)
			found[entry.statusPurpose][person] = (bits[index >> 3] >> (7 - (index & 7))) & 1
		}
	}
	return found
}
