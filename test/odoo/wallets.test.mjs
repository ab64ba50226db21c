// Wallets at an issuer that Odoo serves: by its controller, by its FastAPI endpoint, and by the
// same router under uvicorn alone.
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { inflateSync } from 'node:zlib'
import { getJson, holderOf, newHolder, obtain, refusalOf, typOf } from '../wallets/wallet.mjs'
import { logIn } from './web.mjs'

const { ODOO_URL, UVICORN_URL, ODOO_DATABASE, ODOO_LOG, UVICORN_LOG } = process.env
const { OPENID4VCI_WALLET, OPENID4VCI_FASTAPI_ROOT, PSQL = 'psql' } = process.env
const run = promisify(execFile)
const path = '/api/v1/openid4vci'
const metadata = '/.well-known/openid-credential-issuer'

// As Odoo's role; values go into the statement as psql variables.
function sql(statement, values = {}) {
	const settings = Object.entries(values).flatMap(([name, value]) => ['-v', `${name}=${value}`])
	const options = ['-XqAt', '-U', 'odoo', '-d', ODOO_DATABASE, '-v', 'ON_ERROR_STOP=1']
	return execFileSync(PSQL, [...options, ...settings], { input: statement, encoding: 'utf8' }).trim()
}

function makeIssuer(url) {
	sql(
		`SELECT openid4vci.vci_create_issuer(:'url');
		SELECT openid4vci.vci_create_key(issuer => :'url');
		SELECT openid4vci.vci_create_configuration('EntitlementCredential',
			:'url' || '/credentials/entitlement', '["entitlementId", "entitlementStatus"]',
			issuer => :'url', options => '{"status_bits": 2}')`,
		{ url }
	)
}

const payloadOf = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'))

// What a verifier reads in the status list that a credential names.
async function statusOf(credential) {
	const { idx, uri } = payloadOf(credential).status.status_list
	const answer = await http(uri)
	assert.equal(answer.status, 200)
	assert.equal(answer.headers['content-type'], 'application/statuslist+jwt')
	const { bits, lst } = payloadOf(answer.body).status_list
	const list = inflateSync(Buffer.from(lst, 'base64url'))
	const bit = idx * bits
	return (list[bit >> 3] >> (bit & 7)) & ((1 << bits) - 1)
}

// The administrator's session, and whom all credentials here are about.
let odoo
let subject
before(async () => {
	makeIssuer(ODOO_URL)
	makeIssuer(UVICORN_URL)
	odoo = await logIn(ODOO_URL, ODOO_DATABASE)
	const [partner_id] = await odoo('res.partner', 'create', [[{ name: 'Maria Santos' }]])
	const values = { code: 'ENT-1', partner_id, state: 'approved' }
	const [id] = await odoo('vci.test.entitlement', 'create', [[values]])
	subject = { credential_subject_model: 'vci.test.entitlement', credential_subject_id: id }
})

const serve = (on) => odoo('ir.config_parameter', 'set_param', ['openid4vci.http', on])

// An offer made by a model's method, with what that model claims, as {id, link}.
async function newOffer(issuer, more = {}) {
	const [credential_type_id] = await odoo('vci.credential.configuration', 'search', [
		[['issuer_id.url', '=', issuer]]
	])
	const values = { credential_type_id, ...subject, ...more }
	const [id] = await odoo('vci.offer', 'create', [[values]])
	return { id, link: await odoo('vci.offer', 'get_credential_offer_uri', [[id]]) }
}

const stateOf = async (id) => (await odoo('vci.offer', 'read', [[id], ['state']]))[0].state

function secretOf(link) {
	const offer = JSON.parse(new URL(link).searchParams.get('credential_offer'))
	const [grant] = Object.values(offer.grants)
	return grant['pre-authorized_code']
}

// HTTP as it is: fetch would hide a HEAD's Content-Length, and has a User-Agent of its own.
function http(url, options) {
	return new Promise((resolve, reject) => {
		const sent = request(url, options, (answer) => {
			let body = ''
			answer.on('data', (data) => (body += data))
			answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body }))
		})
		sent.on('error', reject)
		sent.end(options?.body)
	})
}

function redeemTests(issuer) {
	test('the npm library redeems an offer that a model made', async () => {
		const { id, link } = await newOffer(issuer)
		const { credential, holder } = await obtain(link)
		assert.equal(typOf(credential), 'dc+sd-jwt')
		assert.equal(await holderOf(credential), holder.thumbprint)
		assert.equal(await stateOf(id), 'redeemed')
	})

	test('openid4vci-wallet redeems one and verifies what it got', async () => {
		const { link } = await newOffer(issuer)
		const { stdout } = await run(OPENID4VCI_WALLET, [link])
		assert.match(stdout, /ENT-1/)
		assert.match(stdout, /Maria Santos/)
	})

	test('a second redemption is refused', async () => {
		const { link } = await newOffer(issuer)
		await obtain(link)
		assert.deepEqual(await refusalOf(obtain(link)), { error: 'invalid_grant', status: 400 })
	})

	// In Odoo: conflicts, after which requests run again.
	test('one offer is redeemed once, however many ask at once', async () => {
		const { link } = await newOffer(issuer)
		const asked = await Promise.allSettled(Array.from({ length: 6 }, () => obtain(link)))
		assert.equal(asked.filter(({ status }) => status === 'fulfilled').length, 1)
		for (const { status, reason } of asked)
			if (status === 'rejected') assert.equal(reason.errorResponse?.error, 'invalid_grant')
	})

	test('wrong PINs count though they are answered 400', async () => {
		const { id, link } = await newOffer(issuer, { tx_code: '493536' })
		for (let count = 1; count <= 5; count++) {
			assert.equal((await refusalOf(obtain(link, { txCode: '111111' }))).status, 400)
			const [offer] = await odoo('vci.offer', 'read', [[id], ['tx_code_failures']])
			assert.equal(offer.tx_code_failures, count)
		}
		assert.equal((await refusalOf(obtain(link, { txCode: '493536' }))).error, 'invalid_grant')
	})

	test('the right PIN opens an offer', async () => {
		const { link } = await newOffer(issuer, { tx_code: '493536' })
		assert.ok((await obtain(link, { txCode: '493536' })).credential)
	})

	test('an offer by reference is fetched, and its secret is in no log', async () => {
		const { id } = await newOffer(issuer)
		const link = sql(`SELECT openid4vci.vci_offer_uri(:'id', 'reference')`, { id })
		const { credential } = await obtain(link)
		assert.ok(credential)
		const address = new URL(link).searchParams.get('credential_offer_uri')
		assert.ok(address.startsWith(`${issuer}${path}/offer/`))
		const secret = address.split('/').at(-1)
		const log = readFileSync(issuer === UVICORN_URL ? UVICORN_LOG : ODOO_LOG, 'utf8')
		assert.ok(log.includes('/offer/*'), 'requests are logged')
		assert.ok(!log.includes(secret))
	})

	test('a person follows the link of a message to the wallet', async () => {
		const { id } = await newOffer(issuer)
		const link = await odoo('vci.offer', 'get_credential_offer_uri', [[id]], { by: 'page' })
		assert.ok(link.startsWith(`${issuer}/o/`))
		const page = await http(link, { headers: { 'Accept-Language': 'fr' } })
		assert.equal(page.status, 200)
		assert.match(page.headers['content-type'], /^text\/html/)
		assert.equal(page.headers['cache-control'], 'no-store')
		assert.match(page.body, /lang="fr"/)
		const pressed = await http(link, {
			method: 'POST',
			headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
			body: ''
		})
		assert.equal(pressed.status, 303)
		assert.match(pressed.headers.location, /^openid-credential-offer:\/\/\?credential_offer_uri=/)
		assert.ok((await obtain(pressed.headers.location)).credential)
		const log = readFileSync(issuer === UVICORN_URL ? UVICORN_LOG : ODOO_LOG, 'utf8')
		assert.ok(log.includes('/o/*'), 'requests are logged')
		assert.ok(!log.includes(link.split('/').at(-1)))
	})

	test('a verifier sees that a credential was suspended and revoked', async () => {
		const { id, link } = await newOffer(issuer)
		const { credential } = await obtain(link)
		const { credential: other } = await obtain((await newOffer(issuer)).link)
		assert.equal(await statusOf(credential), 0)
		const [offer] = await odoo('vci.offer', 'read', [[id], ['credential_ids']])
		const change = async (kind) => {
			const [wizard] = await odoo('vci.status.wizard', 'create', [[{ change: kind }]])
			const context = { active_model: 'vci.credential', active_ids: offer.credential_ids }
			await odoo('vci.status.wizard', 'action_change', [[wizard]], { context })
		}
		await change('suspend')
		assert.equal(await statusOf(credential), 2)
		await change('revoke')
		assert.equal(await statusOf(credential), 1)
		assert.equal(await statusOf(other), 0)
	})

	test('a verifier reads what the type of a credential is', async () => {
		const vct = `${issuer}/credentials/entitlement`
		const metadata = await getJson(`${issuer}/.well-known/vct/credentials/entitlement`)
		assert.equal(metadata.vct, vct)
	})

	test('nothing that a wallet sends in a body is in the log', async () => {
		const { link } = await newOffer(issuer)
		await obtain(link)
		const log = readFileSync(issuer === UVICORN_URL ? UVICORN_LOG : ODOO_LOG, 'utf8')
		assert.ok(!log.includes(secretOf(link)))
	})

	test('a browser may ask from anywhere, and no cookie is set', async () => {
		const preflight = await http(`${issuer}${path}/token`, {
			method: 'OPTIONS',
			headers: { Origin: 'https://wallet.example', 'Access-Control-Request-Method': 'POST' }
		})
		assert.equal(preflight.status, 204)
		assert.match(preflight.headers['access-control-allow-methods'], /POST/)
		const answer = await http(issuer + metadata, {
			headers: { Cookie: `session_id=${'x'.repeat(84)}` }
		})
		assert.equal(answer.status, 200)
		assert.equal(answer.headers['access-control-allow-origin'], '*')
		assert.equal(answer.headers['set-cookie'], undefined)
	})

	test('form, query and body come as they were sent', async () => {
		const answer = await http(`${issuer}${path}/token?%00`, { method: 'POST' })
		assert.equal(answer.status, 400)
		const nul = await http(`${issuer}${path}/token`, {
			method: 'POST',
			headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
			body: 'grant_type=a%00b'
		})
		assert.equal(nul.status, 400)
		assert.ok(JSON.parse(nul.body).error)
	})

	test('a body over the limit is 413', async () => {
		const answer = await http(`${issuer}${path}/token`, {
			method: 'POST',
			body: 'x'.repeat(1024 * 1024 + 1)
		})
		assert.equal(answer.status, 413)
		assert.equal(JSON.parse(answer.body).error, 'invalid_request')
	})
}

// [status of what is over the limit, status of the rest, its error]
function chunkedTests(issuer, expected) {
	const chunked = (body) =>
		http(`${issuer}${path}/token`, {
			method: 'POST',
			headers: {
				'Content-Type': 'application/x-www-form-urlencoded',
				'Transfer-Encoding': 'chunked'
			},
			body
		})

	test('a body that does not tell its length is never cut off', async () => {
		const long = await chunked(`grant_type=unheard-of&x=${'x'.repeat(1024 * 1024)}`)
		const short = await chunked('grant_type=unheard-of')
		assert.deepEqual([long.status, short.status, JSON.parse(short.body).error], expected)
	})
}

function exactTests(issuer) {
	chunkedTests(issuer, [413, 400, 'unsupported_grant_type'])

	test('the type of a credential lies where its name says', async () => {
		const vct = `${issuer}/credentials/entitlement`
		assert.equal((await getJson(vct)).vct, vct)
	})

	test('HEAD names the length, and what is known is not sent again', async () => {
		const whole = await http(issuer + metadata)
		const head = await http(issuer + metadata, { method: 'HEAD' })
		assert.equal(head.headers['content-length'], String(whole.body.length))
		assert.equal(head.body, '')
		const again = await http(issuer + metadata, {
			headers: { 'If-None-Match': whole.headers.etag }
		})
		assert.equal(again.status, 304)
		assert.equal(again.body, '')
	})
}

describe("Odoo's controller", () => {
	test('serves nobody before it is switched on', async () => {
		assert.equal((await http(ODOO_URL + metadata)).status, 404)
		assert.equal((await http(`${ODOO_URL}${path}/nonce`, { method: 'POST' })).status, 404)
	})

	test('serves from the next request on', async () => {
		await serve('True')
		const { credential_issuer } = await getJson(ODOO_URL + metadata)
		assert.equal(credential_issuer, ODOO_URL)
	})

	redeemTests(ODOO_URL)
	exactTests(ODOO_URL)

	test('an issuer below a path has its own', async () => {
		const issuer = `${ODOO_URL}/schools`
		makeIssuer(issuer)
		await serve('False')
		await serve('True')
		const { link } = await newOffer(issuer)
		assert.ok((await obtain(link)).credential)
	})
})

describe("Odoo's FastAPI endpoint", () => {
	before(() => serve('False'))

	test('serves nobody before it is published', async () => {
		assert.equal((await http(ODOO_URL + metadata)).status, 404)
		assert.equal((await http(`${ODOO_URL}${path}/nonce`, { method: 'POST' })).status, 404)
	})

	test('serves when it is', async () => {
		const endpoints = await odoo('fastapi.endpoint', 'search', [[['app', '=', 'vci']]])
		assert.equal(endpoints.length, 3)
		// For OCA's addon up to 17.0: it knows only root paths of one segment.
		if (OPENID4VCI_FASTAPI_ROOT) {
			const standard = [['root_path', '=', path]]
			const ids = await odoo('fastapi.endpoint', 'search', [standard])
			await odoo('fastapi.endpoint', 'write', [ids, { root_path: OPENID4VCI_FASTAPI_ROOT }])
		}
		await odoo('fastapi.endpoint', 'action_sync_registry', [endpoints])
		const { credential_issuer } = await getJson(ODOO_URL + metadata)
		assert.equal(credential_issuer, ODOO_URL)
	})

	redeemTests(ODOO_URL)
	chunkedTests(ODOO_URL, [411, 411, 'invalid_request'])
})

describe('uvicorn alone', () => {
	redeemTests(UVICORN_URL)
	exactTests(UVICORN_URL)

	test('one issuer is not another', async () => {
		const { link } = await newOffer(ODOO_URL)
		const answer = await http(`${UVICORN_URL}${path}/token`, {
			method: 'POST',
			headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
			body: new URLSearchParams({
				grant_type: 'urn:ietf:params:oauth:grant-type:pre-authorized_code',
				'pre-authorized_code': secretOf(link)
			}).toString()
		})
		assert.equal(answer.status, 400)
		assert.equal(JSON.parse(answer.body).error, 'invalid_grant')
	})

	test('eight wallets at once get eight credentials, each its own', async () => {
		const offers = await Promise.all(Array.from({ length: 8 }, () => newOffer(UVICORN_URL)))
		const holders = await Promise.all(offers.map(() => newHolder()))
		const got = await Promise.all(
			offers.map(({ link }, i) => obtain(link, { holder: holders[i] }))
		)
		for (const [i, { credential }] of got.entries())
			assert.equal(await holderOf(credential), holders[i].thumbprint)
	})

	test('connections that the server ended are made anew', async () => {
		sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE usename = 'odoo' AND pid <> pg_backend_pid() AND query LIKE '%vci_http%'`)
		const { link } = await newOffer(UVICORN_URL)
		assert.ok((await obtain(link)).credential)
	})
})
