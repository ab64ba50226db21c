// The issuer under test: the sandbox that ISSUER, SANDBOX_DIR and SANDBOX name, else one of
// our own.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const program = process.env.SANDBOX ?? fileURLToPath(new URL('../sandbox', import.meta.url))

function run(args, input = '') {
	return execFileSync(program, args, { input, encoding: 'utf8', maxBuffer: 1 << 26 })
}

// Assignments as a shell reads them; no value of a sandbox needs quotes.
function readAssignments(text) {
	return Object.fromEntries(
		text
			.trim()
			.split('\n')
			.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])
	)
}

export function openSandbox() {
	if (process.env.ISSUER && process.env.SANDBOX_DIR)
		return { ...sandboxTools(process.env.ISSUER, process.env.SANDBOX_DIR), close() {} }
	const dir = mkdtempSync(join(tmpdir(), 'openid4vci-wallets-'))
	const { ISSUER } = readAssignments(run(['start', '--dir', dir]))
	return {
		...sandboxTools(ISSUER, dir),
		close() {
			run(['stop', '--dir', dir])
			rmSync(dir, { recursive: true, force: true })
		}
	}
}

function psql(dir, role, statement, values) {
	const settings = Object.entries(values).flatMap(([name, value]) => ['-v', `${name}=${value}`])
	const answer = run(
		['psql', '--dir', dir, '-XqAt', '-U', role, '-v', 'ON_ERROR_STOP=1', ...settings],
		statement
	)
	return answer.replace(/\n$/, '')
}

// An issuer and the role of its registry. Values go into a statement as psql variables:
// :'name'.
function tools(issuer, dir, role) {
	const sql = (statement, values = {}) => psql(dir, role, statement, values)
	return {
		issuer,
		// One value of one SQL statement.
		sql,
		sqlJson: (statement, values) => JSON.parse(sql(statement, values)),
		// An offer of ours, as {offer_id, credential_offer, credential_offer_uri, ...}.
		createOffer(argumentsInSql, values) {
			return JSON.parse(
				sql(`SELECT to_json(o) FROM openid4vci.vci_create_offer(${argumentsInSql}) AS o`, values)
			)
		},
		// The link of an offer for the person whom approve plays.
		offerToMaria(more = '') {
			return this.createOffer(`ARRAY['EntitlementCredential'], 'demo.person', 'maria',
				claims => demo.claims(1) ${more}`).credential_offer_uri
		},
		// Where the browser goes back to when the person approves at this URL.
		approve: (url) => run(['approve', url, '--as', role, '--dir', dir]).trim()
	}
}

function sandboxTools(issuer, dir) {
	return {
		...tools(issuer, dir, 'registry'),
		guide: tools(process.env.GUIDE_ISSUER ?? `${issuer}/guide`, dir, 'guide_registry'),
		// An offer's link by value, as test/sandbox prints it.
		offer: (...options) => run(['offer', '--dir', dir, ...options]).trim(),
		// An issuer of a test's own, at a path of the sandbox: so that settings which others do
		// not expect stay there.
		newIssuer(name, settings = {}) {
			const url = `${issuer}/${name}-${process.pid}`
			const role = `${name}_${process.pid}`
			psql(dir, 'postgres', newIssuer, {
				url,
				role,
				settings: JSON.stringify({ login_url: 'https://registry.example/login', ...settings })
			})
			return tools(url, dir, role)
		}
	}
}

const newIssuer = `
SELECT openid4vci.vci_create_issuer(:'url', settings => :'settings');
CREATE ROLE :"role" LOGIN;
GRANT USAGE ON SCHEMA demo TO :"role";
SELECT openid4vci.vci_grant(:'role', duty, :'url')
FROM unnest(ARRAY['issuer_admin', 'key_admin', 'offerer']) AS duty;
SELECT openid4vci.vci_create_key(:'url');
SELECT openid4vci.vci_create_configuration('EntitlementCredential', 'urn:test:entitlement',
	'["entitlementId", "entitlementStatus"]', issuer => :'url');
SELECT openid4vci.vci_create_client('demo-wallet', '{http://127.0.0.1/callback}', issuer => :'url');
`
