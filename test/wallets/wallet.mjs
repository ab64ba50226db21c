// A wallet made of @openid4vc/openid4vci, with keys of jose.
import assert from 'node:assert/strict'
import { createHash, randomBytes, webcrypto } from 'node:crypto'
import { clientAuthenticationDynamic, Oauth2Client } from '@openid4vc/oauth2'
import {
	extractScopesForCredentialConfigurationIds,
	Openid4vciClient,
	setGlobalConfig
} from '@openid4vc/openid4vci'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import * as jose from 'jose'

globalThis.crypto ??= webcrypto

// The sandbox speaks http on the loopback interface.
setGlobalConfig({ allowInsecureUrls: true })

export async function newHolder(alg = 'ES256') {
	const pair = await jose.generateKeyPair(alg, { extractable: true })
	const jwk = await jose.exportJWK(pair.publicKey)
	return {
		alg,
		jwk,
		privateKey: pair.privateKey,
		thumbprint: await jose.calculateJwkThumbprint(jwk),
		signer: { method: 'jwk', alg, publicJwk: jwk }
	}
}

export function didJwk(holder) {
	return `did:jwk:${Buffer.from(JSON.stringify(holder.jwk)).toString('base64url')}`
}

// The client of the authorization code flow that the sandbox knows; any port will do.
export const clientId = 'demo-wallet'
export const redirectUri = 'http://127.0.0.1:4711/callback'

const hash = (data, alg) => createHash(alg.replace('-', '')).update(data).digest()

// holders: the wallet's keys. fetch may be replaced to watch the requests.
function callbacks(holders, fetch, id) {
	const refuse = () => {
		throw new Error('no encryption is expected here')
	}
	return {
		fetch,
		hash,
		generateRandom: (size) => randomBytes(size),
		signJwt: async (signer, { header, payload }) => {
			const { x, n } = signer.publicJwk
			const holder = holders.find(({ jwk }) => jwk.x === x && jwk.n === n)
			return {
				jwt: await new jose.SignJWT(payload).setProtectedHeader(header).sign(holder.privateKey),
				signerJwk: holder.jwk
			}
		},
		verifyJwt: refuse,
		encryptJwe: refuse,
		decryptJwe: refuse,
		clientAuthentication: clientAuthenticationDynamic({ clientId: id, clientSecret: '' })
	}
}

export function newClient(holders, fetch = globalThis.fetch, id = clientId) {
	return new Openid4vciClient({ callbacks: callbacks([holders].flat(), fetch, id) })
}

// What the client above has no function for: flows without an offer, refresh tokens.
export function newOauth2Client(holders, fetch = globalThis.fetch, id = clientId) {
	return new Oauth2Client({ callbacks: callbacks([holders].flat(), fetch, id) })
}

// Offer, metadata and token. version makes the library ask as a wallet of that draft does.
export async function authorize(client, link, { txCode, version, dpop } = {}) {
	const credentialOffer = await client.resolveCredentialOffer(link)
	const found = await client.resolveIssuerMetadata(credentialOffer.credential_issuer)
	const issuerMetadata = version ? { ...found, originalDraftVersion: version } : found
	const granted = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
		credentialOffer,
		issuerMetadata,
		txCode,
		dpop
	})
	const credentialConfigurationId = credentialOffer.credential_configuration_ids[0]
	return {
		credentialOffer,
		issuerMetadata,
		token: granted.accessTokenResponse,
		dpop: granted.dpop,
		credentialConfigurationId
	}
}

// The start of the authorization code flow: the URL for the browser, after PAR where the
// issuer has it, and what the wallet keeps for later. from: an offer's link, or an issuer.
export async function startByCode(holders, from, { dpop, state, id = clientId } = {}) {
	const client = newClient(holders, undefined, id)
	const isOffer = from.startsWith('openid-credential-offer:')
	const credentialOffer = isOffer ? await client.resolveCredentialOffer(from) : undefined
	const issuerMetadata = await client.resolveIssuerMetadata(
		credentialOffer?.credential_issuer ?? from
	)
	const [server] = issuerMetadata.authorizationServers
	const credentialConfigurationId =
		credentialOffer?.credential_configuration_ids[0] ?? 'EntitlementCredential'
	const [scope] = extractScopesForCredentialConfigurationIds({
		credentialConfigurationIds: [credentialConfigurationId],
		issuerMetadata
	})
	const request = { clientId: id, redirectUri, scope, dpop }
	const started = isOffer
		? await client.createAuthorizationRequestUrlFromOffer({
				...request,
				credentialOffer,
				issuerMetadata
			})
		: await newOauth2Client(holders, undefined, id).createAuthorizationRequestUrl({
				...request,
				state,
				resource: issuerMetadata.credentialIssuer.credential_issuer,
				authorizationServerMetadata: server
			})
	return {
		...started,
		id,
		client,
		credentialOffer,
		issuerMetadata,
		server,
		credentialConfigurationId
	}
}

// The code for a token. redirect: where the issuer sent the browser back to. changes:
// other values than the right ones.
export async function finishByCode(holders, started, redirect, changes) {
	const { id, client, credentialOffer, issuerMetadata, server } = started
	const response = client.parseAndVerifyAuthorizationResponseRedirectUrl({
		url: redirect,
		authorizationServerMetadata: server
	})
	if (response.error) throw Object.assign(new Error(response.error), { response })
	const request = {
		authorizationCode: response.code,
		pkceCodeVerifier: started.pkce.codeVerifier,
		redirectUri,
		dpop: started.dpop,
		...changes
	}
	const granted = credentialOffer
		? await client.retrieveAuthorizationCodeAccessTokenFromOffer({
				...request,
				credentialOffer,
				issuerMetadata
			})
		: await newOauth2Client(holders, undefined, id).retrieveAuthorizationCodeAccessToken({
				...request,
				authorizationServerMetadata: server
			})
	return { ...started, response, token: granted.accessTokenResponse, dpop: granted.dpop }
}

export async function prove(client, holder, authorized, nonce) {
	const { jwt } = await client.createCredentialRequestJwtProof({
		issuerMetadata: authorized.issuerMetadata,
		credentialConfigurationId: authorized.credentialConfigurationId,
		signer: holder.signer,
		issuedAt: new Date(),
		nonce
	})
	return jwt
}

export async function ask(client, authorized, proofs) {
	const { credentialResponse } = await client.retrieveCredentials({
		issuerMetadata: authorized.issuerMetadata,
		credentialConfigurationId: authorized.credentialConfigurationId,
		accessToken: authorized.token.access_token,
		dpop: authorized.dpop,
		...proofs
	})
	return credentialResponse
}

// A credential under a token that is there, with a nonce and a proof of its own.
export async function fetchCredential(client, holder, authorized, more = {}) {
	const { c_nonce } = await client.requestNonce(authorized)
	const jwt = await prove(client, holder, authorized, c_nonce)
	const response = await ask(client, authorized, { proofs: { jwt: [jwt] }, ...more })
	return { response, proof: jwt, credential: response.credentials?.[0].credential }
}

// The whole flow in the shape of OpenID4VCI 1.0.
export async function obtain(link, { holder, txCode, fetch } = {}) {
	holder ??= await newHolder()
	const client = newClient(holder, fetch)
	const authorized = await authorize(client, link, { txCode })
	return { holder, authorized, ...(await fetchCredential(client, holder, authorized)) }
}

export function typOf(credential) {
	return jose.decodeProtectedHeader(credential.split('~')[0]).typ
}

// Thumbprint of the key that the credential is bound to.
export function holderOf(credential) {
	return jose.calculateJwkThumbprint(jose.decodeJwt(credential.split('~')[0]).cnf.jwk)
}

// The OAuth error and status with which the library saw a request refused.
export async function refusalOf(promise) {
	const error = await promise.then(
		() => assert.fail('the request was not refused'),
		(error) => error
	)
	if (error.errorResponse) return { error: error.errorResponse.error, status: error.response.status }
	const answer = error.response
	assert.ok(answer?.response, `no refusal, but: ${error.stack}`)
	return { error: (await answer.response.clone().json()).error, status: answer.response.status }
}

// A wallet's DPoP key (RFC 9449): what the library takes as dpop, and the key itself.
export async function newDpop() {
	const key = await newHolder()
	return { key, dpop: { signer: key.signer } }
}

const hasher = (data, alg) => hash(Buffer.from(data), alg)

// A verifier that trusts the keys in jwks, and a holder's tool to make presentations.
export function newSdJwt(jwks, holder) {
	const keySet = jose.createLocalJWKSet(jwks)
	return new SDJwtVcInstance({
		hasher,
		hashAlg: 'sha-256',
		saltGenerator: () => randomBytes(16).toString('base64url'),
		verifier: (data, signature) =>
			jose.compactVerify(`${data}.${signature}`, keySet).then(
				() => true,
				() => false
			),
		kbSignAlg: holder?.alg,
		kbSigner: async (data) => {
			const [header, payload] = data.split('.')
			const signed = await new jose.FlattenedSign(Buffer.from(payload, 'base64url'))
				.setProtectedHeader(JSON.parse(Buffer.from(header, 'base64url')))
				.sign(holder.privateKey)
			if (signed.protected !== header) throw new Error('the header was encoded in another way')
			return signed.signature
		},
		kbVerifier: async (data, signature, payload) => {
			const key = await jose.importJWK(payload.cnf.jwk, holder.alg)
			return jose.compactVerify(`${data}.${signature}`, key).then(
				() => true,
				() => false
			)
		}
	})
}

// A presentation with key binding; frame names the disclosures to show.
export function present(sdJwt, credential, frame, { nonce, audience }) {
	const payload = { iat: Math.floor(Date.now() / 1000), aud: audience, nonce }
	return sdJwt.present(credential, frame, { kb: { payload } })
}

export async function getJson(url) {
	const response = await fetch(url, { headers: { Accept: 'application/json' } })
	if (response.status !== 200) throw new Error(`${url}: HTTP ${response.status}`)
	return response.json()
}
