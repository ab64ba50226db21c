// A signing key that an authority certified: verifiers trust the authority's root and take the
// key from the header of the credential, as HAIP 1.0 (section 6.1.1) has it.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as jose from 'jose'
import { openSandbox } from './sandbox.mjs'
import { newSdJwt, obtain } from './wallet.mjs'

const sandbox = openSandbox()
const registry = sandbox.newIssuer('certified')
const folder = mkdtempSync(join(tmpdir(), 'openid4vci-authority-'))
const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
const pem = (name) => readFileSync(join(folder, name), 'utf8')
let root
let issued
let header
let leaf

after(() => {
	rmSync(folder, { recursive: true, force: true })
	sandbox.close()
})

before(async () => {
	writeFileSync(join(folder, 'leaf.cnf'), 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n')
	openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'root.key',
		'-subj', '/O=Ministry/CN=Root', '-addext', 'keyUsage=critical,keyCertSign', '-days', '100', '-out', 'root.pem')
	const kid = registry.sql("SELECT kid FROM openid4vci.vci_key_info WHERE state = 'active'")
	writeFileSync(join(folder, 'key.csr'), registry.sql("SELECT openid4vci.vci_key_csr(:'kid', '/O=Registry')", { kid }))
	openssl('x509', '-req', '-in', 'key.csr', '-CA', 'root.pem', '-CAkey', 'root.key', '-days', '90',
		'-extfile', 'leaf.cnf', '-copy_extensions', 'copy', '-out', 'leaf.pem')
	registry.sql("SELECT openid4vci.vci_set_key_certificates(:'kid', :'chain')", {
		kid,
		chain: pem('leaf.pem') + pem('root.pem')
	})
	root = new X509Certificate(pem('root.pem'))
	issued = await obtain(registry.offerToMaria())
	header = jose.decodeProtectedHeader(issued.credential.split('~')[0])
	leaf = new X509Certificate(Buffer.from(header.x5c[0], 'base64'))
})

test('the header carries the certificate and not the anchor', () => {
	assert.equal(header.x5c.length, 1)
	assert.ok(leaf.verify(root.publicKey))
	assert.ok(!header.x5c.includes(root.raw.toString('base64')))
})

test('the certificate names the issuer', () => {
	assert.ok(leaf.subjectAltName.includes(`URI:${registry.issuer}`))
})

test('jose verifies the credential with the key of the certificate', async () => {
	const [jwt] = issued.credential.split('~')
	const key = await jose.importX509(leaf.toString(), 'ES256')
	const { payload } = await jose.jwtVerify(jwt, key, { issuer: registry.issuer, typ: 'dc+sd-jwt' })
	assert.equal(payload.iss, registry.issuer)
})

test('@sd-jwt/sd-jwt-vc verifies it with that key, too', async () => {
	const jwk = { ...leaf.publicKey.export({ format: 'jwk' }), kid: header.kid, alg: header.alg }
	const { payload } = await newSdJwt({ keys: [jwk] }, issued.holder).verify(issued.credential)
	assert.equal(payload.iss, registry.issuer)
})
