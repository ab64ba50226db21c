// What JavaScript libraries make goes through the SQL verifiers, and back.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as jose from 'jose'
import { openSandbox } from './sandbox.mjs'
import { getJson, newHolder, newSdJwt, obtain, present } from './wallet.mjs'

const sandbox = openSandbox()
after(() => sandbox.close())

const audience = 'https://verifier.example'
const nonce = 'verifier-nonce'
let issued
let jwks
let sdJwt

before(async () => {
	issued = await obtain(sandbox.offer())
	jwks = (await getJson(`${sandbox.issuer}/.well-known/jwt-vc-issuer`)).jwks
	sdJwt = newSdJwt(jwks, issued.holder)
})

function verifySdJwt(presentation, values = { nonce, audience }) {
	return sandbox.sqlJson(
		`SELECT openid4vci.vci_verify_sdjwt(:'presentation', :'nonce', :'audience')`,
		{ presentation, ...values }
	)
}

// The presentation without its KB-JWT, and the KB-JWT.
function split(presentation) {
	const end = presentation.lastIndexOf('~') + 1
	return { sdJwt: presentation.slice(0, end), kbJwt: presentation.slice(end) }
}

test('a presentation made in JavaScript verifies in SQL, with the selected claims only', async () => {
	const frame = { programName: true, amount: { currency: true } }
	const presentation = await present(sdJwt, issued.credential, frame, { nonce, audience })
	const verdict = verifySdJwt(presentation)
	assert.equal(verdict.valid, true, JSON.stringify(verdict))
	assert.equal(verdict.claims.programName, 'Cash Transfer Program')
	assert.deepEqual(verdict.claims.amount, { currency: 'PHP' })
	assert.equal(verdict.claims.beneficiaryName, undefined)
	assert.equal(verdict.issuer, sandbox.issuer)
})

test('SQL and JavaScript read the same claims out of the same presentation', async () => {
	const frame = { programName: true, cycle: true, beneficiaryName: true, amount: { value: true } }
	const presentation = await present(sdJwt, issued.credential, frame, { nonce, audience })
	const { payload } = await sdJwt.verify(presentation, { keyBindingNonce: nonce })
	assert.deepEqual(verifySdJwt(presentation).claims, payload)
})

test('SQL refuses a wrong nonce, a wrong audience and a missing key binding', async () => {
	const presentation = await present(sdJwt, issued.credential, {}, { nonce, audience })
	for (const [what, verdict] of [
		['nonce', verifySdJwt(presentation, { nonce: 'another', audience })],
		['audience', verifySdJwt(presentation, { nonce, audience: 'https://other.example' })],
		['key binding', verifySdJwt(split(presentation).sdJwt)]
	]) {
		assert.equal(verdict.valid, false, what)
		assert.ok(verdict.error && verdict.error_description, what)
	}
})

test('SQL refuses a key binding that belongs to another presentation of the same credential', async () => {
	const narrow = await present(sdJwt, issued.credential, { cycle: true }, { nonce, audience })
	const wide = await present(sdJwt, issued.credential, { programName: true }, { nonce, audience })
	const verdict = verifySdJwt(split(wide).sdJwt + split(narrow).kbJwt)
	assert.equal(verdict.valid, false)
	assert.equal(verdict.error, 'sd_hash')
})

test('SQL refuses a disclosure that was changed', async () => {
	const { sdJwt: whole } = split(await present(sdJwt, issued.credential, { cycle: true }, {
		nonce,
		audience
	}))
	const [jwt, disclosure] = whole.split('~')
	const [salt, name] = JSON.parse(Buffer.from(disclosure, 'base64url'))
	const forged = Buffer.from(JSON.stringify([salt, name, '2099-Q4'])).toString('base64url')
	const verdict = sandbox.sqlJson(`SELECT openid4vci.vci_verify_sdjwt(:'presentation')`, {
		presentation: `${jwt}~${forged}~`
	})
	assert.equal(verdict.valid, false)
})

test('SQL refuses a credential of an issuer that is not its own', async () => {
	const stranger = await newHolder()
	const header = { alg: 'ES256', typ: 'dc+sd-jwt', kid: jwks.keys[0].kid }
	const payload = { ...jose.decodeJwt(issued.credential.split('~')[0]) }
	const jwt = await new jose.SignJWT(payload).setProtectedHeader(header).sign(stranger.privateKey)
	const verdict = sandbox.sqlJson(`SELECT openid4vci.vci_verify_sdjwt(:'presentation')`, {
		presentation: `${jwt}~`
	})
	assert.equal(verdict.valid, false)
})

test('the key binding JWT of a JavaScript presentation verifies by vci_verify_kbjwt', async () => {
	const presentation = await present(sdJwt, issued.credential, { cycle: true }, { nonce, audience })
	const verdict = sandbox.sqlJson(
		`SELECT openid4vci.vci_verify_kbjwt(:'jwt', :'nonce', :'audience', sd_jwt => :'sd_jwt')`,
		{ jwt: split(presentation).kbJwt, sd_jwt: split(presentation).sdJwt, nonce, audience }
	)
	assert.equal(verdict.valid, true, JSON.stringify(verdict))
	assert.equal(verdict.thumbprint, issued.holder.thumbprint)
	assert.equal(verdict.header.typ, 'kb+jwt')
})

test('a proof made in JavaScript verifies by vci_verify_kbjwt, and names its key', async () => {
	const { proof, holder } = issued
	const expected = { jwt: proof, nonce: jose.decodeJwt(proof).nonce, audience: sandbox.issuer }
	const call = `SELECT openid4vci.vci_verify_kbjwt(:'jwt', :'nonce', :'audience')`
	const verdict = sandbox.sqlJson(call, expected)
	assert.equal(verdict.valid, true, JSON.stringify(verdict))
	assert.equal(verdict.thumbprint, holder.thumbprint)
	assert.deepEqual(verdict.payload, jose.decodeJwt(proof))
	for (const [what, values] of [
		['nonce', { ...expected, nonce: 'another' }],
		['audience', { ...expected, audience: 'https://other.example' }],
		['signature', { ...expected, jwt: `${proof.slice(0, -4)}AAAA` }]
	])
		assert.equal(sandbox.sqlJson(call, values).valid, false, what)
})

test('a credential that SQL issues without an offer verifies in JavaScript', async () => {
	const holder = await newHolder('EdDSA')
	const claims = { entitlementId: 'ENT-7', entitlementStatus: 'approved', programName: 'Łódź «1»' }
	const credential = sandbox.sql(
		`SELECT openid4vci.vci_issue_sdjwt('EntitlementCredential', :'claims', :'holder')`,
		{ claims: JSON.stringify(claims), holder: JSON.stringify(holder.jwk) }
	)
	const tool = newSdJwt(jwks, holder)
	const presentation = await present(tool, credential, { programName: true }, { nonce, audience })
	const { payload } = await tool.verify(presentation, { keyBindingNonce: nonce })
	assert.equal(payload.programName, claims.programName)
	assert.equal(verifySdJwt(presentation).valid, true)
})
