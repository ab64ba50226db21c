// Odoo's web client's own calls: as the administrator, in a session of its own.
import assert from 'node:assert/strict'

async function post(url, params, headers = {}) {
	const response = await fetch(url, {
		method: 'POST',
		headers: { 'Content-Type': 'application/json', ...headers },
		body: JSON.stringify({ jsonrpc: '2.0', method: 'call', params })
	})
	const answer = await response.json()
	assert.equal(answer.error, undefined, JSON.stringify(answer.error))
	return { response, result: answer.result }
}

// call(model, method, args, kwargs) as that user.
export async function logIn(url, db, login = 'admin', password = login) {
	const { response } = await post(`${url}/web/session/authenticate`, { db, login, password })
	const cookie = response.headers.get('set-cookie').split(';')[0]
	return async (model, method, args = [], kwargs = {}) => {
		const params = { model, method, args, kwargs }
		const call = `${url}/web/dataset/call_kw/${model}/${method}`
		return (await post(call, params, { Cookie: cookie })).result
	}
}
