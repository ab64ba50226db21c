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
		return { ...tools(process.env.ISSUER, process.env.SANDBOX_DIR), close() {} }
	const dir = mkdtempSync(join(tmpdir(), 'openid4vci-wallets-'))
	const { ISSUER } = readAssignments(run(['start', '--dir', dir]))
	return {
		...tools(ISSUER, dir),
		close() {
			run(['stop', '--dir', dir])
			rmSync(dir, { recursive: true, force: true })
		}
	}
}

function tools(issuer, dir) {
	// One value of one SQL statement, run by the registry's own role. Values go in as psql
	// variables: :'name' in the statement.
	function sql(statement, values = {}) {
		const settings = Object.entries(values).flatMap(([name, value]) => ['-v', `${name}=${value}`])
		const answer = run(
			['psql', '--dir', dir, '-XqAt', '-U', 'registry', '-v', 'ON_ERROR_STOP=1', ...settings],
			statement
		)
		return answer.replace(/\n$/, '')
	}
	return {
		issuer,
		sql,
		sqlJson: (statement, values) => JSON.parse(sql(statement, values)),
		// An offer's link by value, as test/sandbox prints it.
		offer: (...options) => run(['offer', '--dir', dir, ...options]).trim(),
		// An offer of ours, as {offer_id, credential_offer, credential_offer_uri, ...}.
		createOffer(argumentsInSql, values) {
			return JSON.parse(
				sql(`SELECT to_json(o) FROM openid4vci.vci_create_offer(${argumentsInSql}) AS o`, values)
			)
		}
	}
}
