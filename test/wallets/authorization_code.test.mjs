// The authorization code flow as the library speaks it: PAR, PKCE, iss, DPoP, refresh
// tokens. The person at the login page is played by test/sandbox approve.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openSandbox } from './sandbox.mjs'
import {
	authorize,
	fetchCredential,
	finishByCode,
	holderOf,
	newClient,
	newDpop,
	newHolder,
	newOauth2Client,
	redirectUri,
	refusalOf,
	startByCode
} from './wallet.mjs'

const sandbox = openSandbox()
after(() => sandbox.close())

const invalidGrant = { error: 'invalid_grant', status: 400 }
let renewing // gives refresh tokens
before(() => {
	renewing = sandbox.newIssuer('renewing', { refresh_token_lifetime: 3600 })
})

function codeOffer(...options) {
	return sandbox.offer('--grant', 'authorization_code', ...options)
}

// From an offer's link, or from nothing but the issuer.
async function obtainByCode(holders, from, options, registry = sandbox) {
	const started = await startByCode(holders, from, options)
	return finishByCode(holders, started, registry.approve(started.authorizationRequestUrl))
}

test('an offer with issuer_state: pushed request, PKCE, iss, code, credential', async () => {
	const holder = await newHolder()
	const started = await startByCode(holder, codeOffer())
	const url = new URL(started.authorizationRequestUrl)
	assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri'])
	assert.match(url.searchParams.get('request_uri'), /^urn:ietf:params:oauth:request_uri:/)
	assert.equal(started.pkce.codeChallengeMethod, 'S256')
	const redirect = sandbox.approve(started.authorizationRequestUrl)
	assert.ok(redirect.startsWith(`${redirectUri}?`))
	const authorized = await finishByCode(holder, started, redirect)
	assert.equal(authorized.response.iss, sandbox.issuer)
	assert.equal(authorized.token.token_type, 'Bearer')
	const { credential } = await fetchCredential(newClient(holder), holder, authorized)
	assert.equal(await holderOf(credential), holder.thumbprint)
})

test('without an offer: the wallet asks by scope, and its state comes back', async () => {
	const holder = await newHolder()
	const authorized = await obtainByCode(holder, sandbox.issuer, { state: 'abc 123' })
	assert.equal(authorized.response.state, 'abc 123')
	const { credential } = await fetchCredential(newClient(holder), holder, authorized)
	assert.equal(await holderOf(credential), holder.thumbprint)
})

test('an issuer without PAR: the request goes through the browser', async () => {
	const plain = sandbox.newIssuer('plain', { endpoints: { par: { enabled: false } } })
	const holder = await newHolder()
	const started = await startByCode(holder, plain.issuer, { state: 'x' })
	const parameters = new URL(started.authorizationRequestUrl).searchParams
	assert.equal(parameters.get('code_challenge_method'), 'S256')
	assert.equal(parameters.get('request_uri'), null)
	const redirect = plain.approve(started.authorizationRequestUrl)
	const authorized = await finishByCode(holder, started, redirect)
	assert.ok((await fetchCredential(newClient(holder), holder, authorized)).credential)
})

test('a pushed request opens once', async () => {
	const started = await startByCode(await newHolder(), codeOffer())
	sandbox.approve(started.authorizationRequestUrl)
	assert.throws(() => sandbox.approve(started.authorizationRequestUrl))
})

test('another verifier than the one of the request brings no token; the right one still does', async () => {
	const holder = await newHolder()
	const started = await startByCode(holder, codeOffer())
	const redirect = sandbox.approve(started.authorizationRequestUrl)
	const stolen = finishByCode(holder, started, redirect, { pkceCodeVerifier: 'x'.repeat(43) })
	assert.deepEqual(await refusalOf(stolen), invalidGrant)
	assert.deepEqual(
		await refusalOf(finishByCode(holder, started, redirect, { pkceCodeVerifier: undefined })),
		invalidGrant
	)
	assert.ok((await finishByCode(holder, started, redirect)).token)
})

test('a code that is used twice loses what it gave', async () => {
	const holder = await newHolder()
	const started = await startByCode(holder, codeOffer())
	const redirect = sandbox.approve(started.authorizationRequestUrl)
	const authorized = await finishByCode(holder, started, redirect)
	assert.deepEqual(await refusalOf(finishByCode(holder, started, redirect)), invalidGrant)
	assert.deepEqual(await refusalOf(fetchCredential(newClient(holder), holder, authorized)), {
		error: 'invalid_token',
		status: 401
	})
})

test('who says no sends the wallet back with access_denied', async () => {
	const holder = await newHolder()
	const started = await startByCode(holder, codeOffer())
	const page = await fetch(started.authorizationRequestUrl, { redirect: 'manual' })
	assert.equal(page.status, 303)
	const request = new URL(page.headers.get('location')).searchParams.get('request')
	const redirect = sandbox.sql(`SELECT openid4vci.vci_authorize_deny(:'request', 'not today')`, {
		request
	})
	await assert.rejects(finishByCode(holder, started, redirect), { message: 'access_denied' })
	assert.ok(!redirect.includes('today'), 'the reason is for the registry alone')
})

test('an offer with both grants is redeemed once, whichever comes first', async () => {
	const both = () => sandbox.offer('--grant', 'pre-authorized_code', '--grant', 'authorization_code')
	const holder = await newHolder()
	const link = both()
	await authorize(newClient(holder), link)
	const late = await startByCode(holder, link).then(
		(started) => finishByCode(holder, started, sandbox.approve(started.authorizationRequestUrl)),
		(error) => Promise.reject(error)
	).catch((error) => error)
	assert.ok(late instanceof Error, 'no code after the pre-authorized one')
	const other = both()
	assert.ok((await obtainByCode(holder, other)).token)
	assert.deepEqual(await refusalOf(authorize(newClient(holder), other)), invalidGrant)
})

test('DPoP from PAR on: code and token belong to one key', async () => {
	const holder = await newHolder()
	const { key, dpop } = await newDpop()
	const thief = await newDpop()
	const holders = [holder, key, thief.key]
	const started = await startByCode(holders, codeOffer(), { dpop })
	const redirect = sandbox.approve(started.authorizationRequestUrl)
	for (const other of [undefined, thief.dpop]) {
		const refused = await refusalOf(finishByCode(holders, started, redirect, { dpop: other }))
		assert.ok(['invalid_grant', 'invalid_dpop_proof'].includes(refused.error), refused.error)
	}
	const authorized = await finishByCode(holders, started, redirect)
	assert.equal(authorized.token.token_type, 'DPoP')
	assert.ok((await fetchCredential(newClient(holders), holder, authorized)).credential)
})

test('an issuer that asks for DPoP nonces at PAR, token and credential endpoint', async () => {
	const nonces = sandbox.newIssuer('nonces', { dpop: 'required', dpop_nonce: true })
	const holder = await newHolder()
	const { key, dpop } = await newDpop()
	const holders = [holder, key]
	const authorized = await obtainByCode(holders, nonces.issuer, { dpop }, nonces)
	assert.equal(authorized.token.token_type, 'DPoP')
	assert.ok((await fetchCredential(newClient(holders), holder, authorized)).credential)
})

function refresh(holders, authorized, refreshToken, dpop) {
	return newOauth2Client(holders).retrieveRefreshTokenAccessToken({
		authorizationServerMetadata: authorized.server,
		refreshToken,
		dpop
	})
}

test('no refresh token is given unless the issuer is set so', async () => {
	assert.equal((await obtainByCode(await newHolder(), codeOffer())).token.refresh_token, undefined)
})

test('a refresh token brings a new token and the credential again', async () => {
	const holder = await newHolder()
	const client = newClient(holder)
	const authorized = await obtainByCode(holder, renewing.issuer, {}, renewing)
	const first = await fetchCredential(client, holder, authorized)
	const { accessTokenResponse: token } = await refresh(
		holder,
		authorized,
		authorized.token.refresh_token
	)
	assert.notEqual(token.access_token, authorized.token.access_token)
	assert.notEqual(token.refresh_token, authorized.token.refresh_token, 'bearer ones rotate')
	const again = await fetchCredential(client, holder, { ...authorized, token })
	assert.notEqual(again.credential, first.credential)
})

test('a rotated refresh token may be asked for again until its successor is used', async () => {
	const holder = await newHolder()
	const authorized = await obtainByCode(holder, renewing.issuer, {}, renewing)
	const one = authorized.token.refresh_token
	const two = (await refresh(holder, authorized, one)).accessTokenResponse
	const lost = (await refresh(holder, authorized, one)).accessTokenResponse
	assert.equal(lost.refresh_token, two.refresh_token)
	const three = (await refresh(holder, authorized, two.refresh_token)).accessTokenResponse
	assert.deepEqual(await refusalOf(refresh(holder, authorized, one)), invalidGrant)
	assert.deepEqual(
		await refusalOf(refresh(holder, authorized, three.refresh_token)),
		invalidGrant,
		'a replay ends the whole family'
	)
	assert.deepEqual(
		await refusalOf(
			fetchCredential(newClient(holder), holder, { ...authorized, token: three })
		),
		{ error: 'invalid_token', status: 401 }
	)
})

test('a refresh token that is bound to a DPoP key stays, and works with that key alone', async () => {
	const holder = await newHolder()
	const { key, dpop } = await newDpop()
	const thief = await newDpop()
	const holders = [holder, key, thief.key]
	const authorized = await obtainByCode(holders, renewing.issuer, { dpop }, renewing)
	const kept = authorized.token.refresh_token
	for (const other of [undefined, thief.dpop]) {
		const refused = await refusalOf(refresh(holders, authorized, kept, other))
		assert.ok(['invalid_grant', 'invalid_dpop_proof'].includes(refused.error), refused.error)
	}
	for (let times = 0; times < 2; times++) {
		const { accessTokenResponse: token } = await refresh(holders, authorized, kept, dpop)
		assert.equal(token.refresh_token, undefined)
		assert.equal(token.token_type, 'DPoP')
		const renewed = { ...authorized, token }
		assert.ok((await fetchCredential(newClient(holders), holder, renewed)).credential)
	}
})
