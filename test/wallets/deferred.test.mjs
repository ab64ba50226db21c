// Deferred issuance, notifications and batches, by the library's own functions.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openSandbox } from './sandbox.mjs'
import {
	ask,
	authorize,
	fetchCredential,
	holderOf,
	newClient,
	newDpop,
	newHolder,
	obtain,
	prove,
	refusalOf
} from './wallet.mjs'

const sandbox = openSandbox()
after(() => sandbox.close())

// The library (0.4.6) refuses a deferred response that holds a notification_id beside its
// credentials, against section 9.2; so this issuer has no notifications.
let quiet
before(() => {
	quiet = sandbox.newIssuer('quiet', { endpoints: { notification: { enabled: false } } })
	quiet.sql(`SELECT openid4vci.vci_alter_configuration('EntitlementCredential', '{"deferred": true}')`)
})

function waiting(registry, { offer_id }) {
	return registry.sql(
		`SELECT id FROM openid4vci.vci_deferred_info WHERE offer_id = :'offer_id' AND state = 'waiting'`,
		{ offer_id }
	)
}

// A credential that was asked for and is deferred: what the wallet and the registry know.
async function deferred(registry, { configuration = 'EntitlementCredential', dpop, keys = [] } = {}) {
	const holder = await newHolder()
	const client = newClient([holder, ...keys])
	const offer = registry.createOffer(
		`ARRAY[:'configuration'], 'demo.person', 'maria', claims => demo.claims(1)`,
		{ configuration }
	)
	const authorized = await authorize(client, offer.credential_offer_uri, { dpop })
	const { response } = await fetchCredential(client, holder, authorized)
	assert.equal(response.credentials, undefined)
	assert.ok(response.interval > 0)
	const poll = (changes) =>
		client.retrieveDeferredCredentials({
			issuerMetadata: authorized.issuerMetadata,
			accessToken: authorized.token.access_token,
			transactionId: response.transaction_id,
			dpop: authorized.dpop,
			...changes
		})
	return { holder, client, authorized, response, poll, id: waiting(registry, offer) }
}

function complete(registry, id) {
	registry.sql(`SELECT openid4vci.vci_deferred_complete(:'id')`, { id })
}

test('a deferred credential: 202, again 202, completed in SQL, fetched once', async () => {
	const { holder, response, poll, id } = await deferred(quiet)
	const still = await poll()
	assert.equal(still.response.status, 202)
	assert.equal(still.deferredCredentialResponse.transaction_id, response.transaction_id)
	assert.ok(still.deferredCredentialResponse.interval > 0)
	complete(quiet, id)
	const ready = await poll()
	assert.equal(ready.response.status, 200)
	const [{ credential }] = ready.deferredCredentialResponse.credentials
	assert.equal(await holderOf(credential), holder.thumbprint)
})

test('a deferred credential under a DPoP token', async () => {
	const { key, dpop } = await newDpop()
	const { holder, poll, id } = await deferred(quiet, { dpop, keys: [key] })
	assert.deepEqual(await refusalOf(poll({ dpop: undefined })), { error: 'invalid_token', status: 401 })
	complete(quiet, id)
	const [{ credential }] = (await poll()).deferredCredentialResponse.credentials
	assert.equal(await holderOf(credential), holder.thumbprint)
})

test('a credential that the registry denies', async () => {
	const { poll, id } = await deferred(quiet)
	quiet.sql(`SELECT openid4vci.vci_deferred_deny(:'id', 'not eligible')`, { id })
	assert.deepEqual(await refusalOf(poll()), { error: 'credential_request_denied', status: 400 })
})

test("a transaction of somebody else's, or of nobody, is not told apart", async () => {
	const mine = await deferred(quiet)
	const theirs = await deferred(quiet)
	complete(quiet, theirs.id)
	for (const transactionId of [theirs.response.transaction_id, 'made-up'])
		assert.deepEqual(await refusalOf(mine.poll({ transactionId })), {
			error: 'invalid_transaction_id',
			status: 400
		})
})

test("the demo issuer's deferred credential comes with a notification_id", async () => {
	const { authorized, response, id } = await deferred(sandbox, {
		configuration: 'DeferredCredential'
	})
	complete(sandbox, id)
	const answer = await fetch(
		authorized.issuerMetadata.credentialIssuer.deferred_credential_endpoint,
		{
			method: 'POST',
			headers: {
				Authorization: `Bearer ${authorized.token.access_token}`,
				'Content-Type': 'application/json'
			},
			body: JSON.stringify({ transaction_id: response.transaction_id })
		}
	)
	assert.equal(answer.status, 200)
	const body = await answer.json()
	assert.deepEqual(Object.keys(body), ['credentials', 'notification_id'])
})

function notify(client, authorized, notification, changes) {
	return client.sendNotification({
		issuerMetadata: authorized.issuerMetadata,
		accessToken: authorized.token.access_token,
		dpop: authorized.dpop,
		notification,
		...changes
	})
}

function notificationOf(thumbprint) {
	return sandbox.sql(
		`SELECT notification FROM openid4vci.vci_credential_info WHERE holder_thumbprint = :'thumbprint'`,
		{ thumbprint }
	)
}

test('the wallet says that it keeps the credential, and later that it is gone', async () => {
	const { holder, authorized, response } = await obtain(sandbox.offer())
	const client = newClient(holder)
	const notificationId = response.notification_id
	for (const event of ['credential_accepted', 'credential_accepted', 'credential_deleted']) {
		const { response: answer } = await notify(client, authorized, {
			notificationId,
			event,
			eventDescription: 'said by a test'
		})
		assert.equal(answer.status, 204)
		assert.equal(await answer.text(), '')
		assert.equal(notificationOf(holder.thumbprint), event)
	}
})

test('a notification under a DPoP token', async () => {
	const holder = await newHolder()
	const { key, dpop } = await newDpop()
	const client = newClient([holder, key])
	const authorized = await authorize(client, sandbox.offer(), { dpop })
	const { response } = await fetchCredential(client, holder, authorized)
	const notification = { notificationId: response.notification_id, event: 'credential_failure' }
	assert.deepEqual(
		await refusalOf(notify(client, authorized, notification, { dpop: undefined })),
		{ error: 'invalid_token', status: 401 }
	)
	assert.equal((await notify(client, authorized, notification)).response.status, 204)
	assert.equal(notificationOf(holder.thumbprint), 'credential_failure')
})

test("another wallet's notification_id is invalid", async () => {
	const mine = await obtain(sandbox.offer())
	const theirs = await obtain(sandbox.offer())
	for (const notificationId of [theirs.response.notification_id, 'made-up'])
		assert.deepEqual(
			await refusalOf(
				notify(newClient(mine.holder), mine.authorized, {
					notificationId,
					event: 'credential_accepted'
				})
			),
			{ error: 'invalid_notification_id', status: 400 }
		)
	assert.equal(notificationOf(theirs.holder.thumbprint), '')
})

test('a batch: each key gets a credential of its own, and the library knows the size', async () => {
	const batch = sandbox.newIssuer('batch', { batch_size: 3 })
	const holders = [await newHolder(), await newHolder('EdDSA'), await newHolder('ES384')]
	const client = newClient(holders)
	const authorized = await authorize(client, batch.offerToMaria())
	const { batch_credential_issuance: announced } = authorized.issuerMetadata.credentialIssuer
	assert.deepEqual(announced, { batch_size: 3 })
	const { c_nonce } = await client.requestNonce(authorized)
	const jwt = await Promise.all(
		holders.map((holder) => prove(client, holder, authorized, c_nonce))
	)
	const { credentials } = await ask(client, authorized, { proofs: { jwt } })
	assert.deepEqual(
		await Promise.all(credentials.map(({ credential }) => holderOf(credential))),
		holders.map((holder) => holder.thumbprint)
	)
	const disclosures = credentials.flatMap(({ credential }) => credential.split('~').slice(1, -1))
	assert.equal(new Set(disclosures).size, disclosures.length, 'no two share a salt')
})

test('the same key twice in a batch is refused', async () => {
	const batch = sandbox.newIssuer('twins', { batch_size: 2 })
	const holder = await newHolder()
	const client = newClient(holder)
	const authorized = await authorize(client, batch.offerToMaria())
	const { c_nonce } = await client.requestNonce(authorized)
	const twice = [
		await prove(client, holder, authorized, c_nonce),
		await prove(client, holder, authorized, c_nonce)
	]
	const { error, status } = await refusalOf(ask(client, authorized, { proofs: { jwt: twice } }))
	assert.equal(status, 400)
	assert.equal(error, 'invalid_proof')
})
