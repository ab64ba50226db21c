// @sd-jwt/sd-jwt-vc reads the type metadata of a credential, at the vct that stands in it.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import * as jose from 'jose'
import { openSandbox } from './sandbox.mjs'
import { getJson } from './wallet.mjs'

const sandbox = openSandbox()
after(() => sandbox.close())

const vct = `${sandbox.issuer}/types/voucher/1`
sandbox.sql(
	`SELECT openid4vci.vci_create_configuration('TypedVoucher', :'vct', always_disclosed => '["number"]',
		selectively_disclosable => '[["amount", "value"], "note"]', binding => 'absent',
		claims => '[{"path": ["number"], "mandatory": true, "display": [{"name": "Number", "locale": "en"}]},
			{"path": ["amount", "value"], "display": [{"name": "Amount"}]}]',
		display => '[{"name": "Voucher", "locale": "en", "description": "For food",
			"background_color": "#123456", "text_color": "#ffffff",
			"logo": {"uri": "https://registry.example/logo.png", "alt_text": "A tree"}}]',
		issuer => :'issuer', options => '{"vct_integrity": true}')`,
	{ vct, issuer: sandbox.issuer }
)
const { jwks } = await getJson(`${sandbox.issuer}/.well-known/jwt-vc-issuer`)

const issue = () =>
	sandbox.sql(
		`SELECT openid4vci.vci_issue_sdjwt('TypedVoucher',
			'{"number": 1, "amount": {"value": 2, "currency": "EUR"}, "note": "x"}', issuer => :'issuer')`,
		{ issuer: sandbox.issuer }
	)

// W3C SRI writes base64, which this version of the library takes for hexadecimal.
async function fetchChecked(uri, integrity) {
	const bytes = Buffer.from(await (await fetch(uri)).arrayBuffer())
	if (integrity !== `sha256-${createHash('sha256').update(bytes).digest('base64')}`)
		throw new Error(`${uri} is not what the credential says`)
	return JSON.parse(bytes)
}

const verifier = new SDJwtVcInstance({
	hasher: (data, alg) => createHash(alg.replace('-', '')).update(data).digest(),
	hashAlg: 'sha-256',
	saltGenerator: () => 'unused',
	verifier: (data, signature) =>
		jose.compactVerify(`${data}.${signature}`, jose.createLocalJWKSet(jwks)).then(
			() => true,
			() => false
		),
	loadTypeMetadataFormat: true,
	vctFetcher: fetchChecked
})

test('the metadata are as the draft has them, and the digest is theirs', async () => {
	const { payload, typeMetadata } = await verifier.verify(issue())
	const type = typeMetadata.mergedTypeMetadata
	assert.equal(type.vct, payload.vct)
	assert.equal(type.name, 'Voucher')
	assert.deepEqual(JSON.parse(JSON.stringify(type.display)), [
		{
			locale: 'en',
			name: 'Voucher',
			description: 'For food',
			rendering: {
				simple: {
					logo: { uri: 'https://registry.example/logo.png', alt_text: 'A tree' },
					background_color: '#123456',
					text_color: '#ffffff'
				}
			}
		}
	])
	assert.deepEqual(
		type.claims.map(({ path, sd, mandatory }) => [path, sd, mandatory ?? false]),
		[
			[['number'], 'never', true],
			[['amount', 'value'], 'always', false],
			[['note'], 'always', false]
		]
	)
})

// What "sd" promises holds for what is issued: a verifier may refuse credentials that differ.
test('what the metadata say of disclosures is what the credential does', async () => {
	const credential = issue()
	const [jwt] = credential.split('~')
	const { claims } = await getJson(vct)
	const shown = jose.decodeJwt(jwt)
	const whole = (await verifier.verify(credential)).payload
	for (const { path, sd } of claims) {
		const at = (object) => path.reduce((value, part) => value?.[part], object)
		assert.notEqual(at(whole), undefined, `${path} is issued`)
		assert.equal(at(shown) !== undefined, sd === 'never', `${path} is ${sd} a disclosure`)
	}
})

test('metadata that were changed since are refused', async () => {
	const credential = issue()
	sandbox.sql(
		`SELECT openid4vci.vci_alter_configuration('TypedVoucher', '{"display": [{"name": "Other"}]}', :'issuer')`,
		{ issuer: sandbox.issuer }
	)
	await assert.rejects(verifier.verify(credential), /is not what the credential says/)
	assert.equal((await verifier.verify(issue())).typeMetadata.mergedTypeMetadata.name, 'Other')
})
