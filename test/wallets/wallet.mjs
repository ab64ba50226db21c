// A wallet made of @openid4vc/openid4vci, with keys of jose.
import { createHash, randomBytes, webcrypto } from 'node:crypto'
import { clientAuthenticationDynamic } from '@openid4vc/oauth2'
import { Openid4vciClient, setGlobalConfig } from '@openid4vc/openid4vci'
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

// fetch may be replaced to watch the requests.
export function newClient(holder, fetch = globalThis.fetch) {
	const refuse = () => {
		throw new Error('no encryption is expected here')
	}
	return new Openid4vciClient({
		callbacks: {
			fetch,
			hash: (data, alg) => createHash(alg.replace('-', '')).update(data).digest(),
			generateRandom: (size) => randomBytes(size),
			signJwt: async (_signer, { header, payload }) => ({
				jwt: await new jose.SignJWT(payload).setProtectedHeader(header).sign(holder.privateKey),
				signerJwk: holder.jwk
			}),
			verifyJwt: refuse,
			encryptJwe: refuse,
			decryptJwe: refuse,
			clientAuthentication: clientAuthenticationDynamic({ clientId: 'wallet', clientSecret: '' })
		}
	})
}

// Offer, metadata and token. version makes the library ask as a wallet of that draft does.
export async function authorize(client, link, { txCode, version } = {}) {
	const credentialOffer = await client.resolveCredentialOffer(link)
	const found = await client.resolveIssuerMetadata(credentialOffer.credential_issuer)
	const issuerMetadata = version ? { ...found, originalDraftVersion: version } : found
	const { accessTokenResponse } = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
		credentialOffer,
		issuerMetadata,
		txCode
	})
	const credentialConfigurationId = credentialOffer.credential_configuration_ids[0]
	return {
		credentialOffer,
		issuerMetadata,
		token: accessTokenResponse,
		credentialConfigurationId
	}
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
		...proofs
	})
	return credentialResponse
}

// The whole flow in the shape of OpenID4VCI 1.0.
export async function obtain(link, { holder, txCode, fetch } = {}) {
	holder ??= await newHolder()
	const client = newClient(holder, fetch)
	const authorized = await authorize(client, link, { txCode })
	const { c_nonce } = await client.requestNonce(authorized)
	const jwt = await prove(client, holder, authorized, c_nonce)
	const response = await ask(client, authorized, { proofs: { jwt: [jwt] } })
	return { holder, authorized, response, proof: jwt, credential: response.credentials[0].credential }
}

const hasher = (data, alg) => createHash(alg.replace('-', '')).update(Buffer.from(data)).digest()

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
