// The built-in login-and-consent page in a real browser: from the wallet's tab to the redirect.
// SCREENSHOTS names a folder for pictures of the page.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
	newPkce,
	openBrowser,
	openWalletSite,
	smallestContrast,
	watchComplaints
} from './browser.mjs'
import { openSandbox } from './sandbox.mjs'

const sandbox = openSandbox()
after(() => sandbox.close())
const browser = await openBrowser()
after(() => browser.close())

// No test is about time: this only ends one that waits for what will never come.
const patience = 5 * 60 * 1000
const walletName = 'Maria’s <b>"Wallet"</b>'
const consentUrl = `${sandbox.issuer}/api/v1/openid4vci/consent`
// What the wallet's start page links to, and where a hostile page sends its form.
let authorizationUrl
let stolenRequest
const site = await openWalletSite({
	'/': () => `<a href="${authorizationUrl.replaceAll('&', '&amp;')}">Get my credential</a>`,
	'/callback': () => '<h1>Back in the wallet</h1>',
	'/hostile': () => `<form method="post" action="${consentUrl}">
		<input name="request" value="${stolenRequest}"><input name="decision" value="deny">
		<button>Win a prize</button></form>`,
	'/frame': () => `<iframe src="${consentUrl}?request=${stolenRequest}"></iframe>`
})
after(() => site.close())

const metadata = await (
	await fetch(`${sandbox.issuer}/.well-known/oauth-authorization-server`)
).json()
sandbox.sql(
	`SELECT openid4vci.vci_create_client('tab-wallet', ARRAY[:'redirect_uri'], :'name')`,
	{ redirect_uri: `${site.url}/callback`, name: walletName }
)

function newRequest(more = {}) {
	const pkce = newPkce()
	const parameters = new URLSearchParams({
		response_type: 'code',
		client_id: 'tab-wallet',
		redirect_uri: `${site.url}/callback`,
		state: 'state & <more>',
		code_challenge: pkce.challenge,
		code_challenge_method: 'S256',
		authorization_details: JSON.stringify([
			{ type: 'openid_credential', credential_configuration_id: 'EntitlementCredential' }
		]),
		...more
	})
	authorizationUrl = `${metadata.authorization_endpoint}?${parameters}`
	return pkce
}

// A tab of a browser of its own, on the consent page, as the wallet's link leads there.
async function openConsent(options = {}, more = {}) {
	const context = await browser.newContext({ locale: 'en-US', ...options })
	context.setDefaultTimeout(patience)
	const complaints = watchComplaints(context)
	const pkce = newRequest(more)
	const tab = await context.newPage()
	await tab.goto(site.url)
	await tab.getByRole('link').click()
	await tab.waitForURL(`${consentUrl}?request=*`)
	return { context, tab, pkce, complaints }
}

async function logIn(tab, username, password, button = 'Approve') {
	await tab.locator('input[name=username]').fill(username)
	await tab.locator('input[name=password]').fill(password)
	await tab.getByRole('button', { name: button, exact: true }).click()
}

async function redirectOf(tab) {
	await tab.waitForURL(`${site.url}/callback?*`)
	return Object.fromEntries(new URL(tab.url()).searchParams)
}

const loginFailures = () =>
	sandbox.sql('SELECT login_failures FROM openid4vci.vci_authorization_info ORDER BY created_at DESC LIMIT 1')

async function picture(tab, name) {
	if (process.env.SCREENSHOTS)
		await tab.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png`, fullPage: true })
}

test('a person logs in, approves, and the wallet gets a code that works', async () => {
	const { context, tab, pkce, complaints } = await openConsent()
	assert.equal(await tab.title(), 'Add to your wallet – OpenSPP Social Registry')
	const text = await tab.locator('main').innerText()
	assert.ok(text.includes(`${walletName} asks OpenSPP Social Registry for a credential.`))
	assert.ok(text.includes('Entitlement number (always included)'))
	assert.ok(text.includes('Amount: Currency'))
	assert.ok(text.includes(`You will return to localhost:${new URL(site.url).port}`))
	await picture(tab, 'desktop')

	await logIn(tab, 'maria', 'wrong')
	await tab.getByRole('alert').waitFor()
	assert.match(await tab.getByRole('alert').innerText(), /did not recognise you/)
	assert.match(await tab.title(), /^Error: /)
	assert.equal(await tab.getByLabel('User name').inputValue(), 'maria')
	assert.equal(await tab.getByLabel('Password').inputValue(), '')
	assert.equal(
		await tab.getByLabel('Password').getAttribute('aria-describedby'),
		await tab.getByRole('alert').getAttribute('id')
	)
	assert.equal(loginFailures(), '1')
	await picture(tab, 'desktop-wrong-login')

	await logIn(tab, 'maria', 'lighthouse')
	const { code, state, iss, ...rest } = await redirectOf(tab)
	assert.deepEqual({ state, iss, rest }, { state: 'state & <more>', iss: sandbox.issuer, rest: {} })
	assert.deepEqual(complaints, [])
	const answer = await fetch(metadata.token_endpoint, {
		method: 'POST',
		body: new URLSearchParams({
			grant_type: 'authorization_code',
			code,
			client_id: 'tab-wallet',
			redirect_uri: `${site.url}/callback`,
			code_verifier: pkce.verifier
		})
	})
	assert.equal(answer.status, 200)
	assert.ok((await answer.json()).access_token)
	await context.close()
})

test('a person without a login says no', async () => {
	const { context, tab, complaints } = await openConsent()
	await tab.getByRole('button', { name: 'Deny' }).click()
	const { error, state, iss } = await redirectOf(tab)
	assert.deepEqual({ error, state, iss }, {
		error: 'access_denied',
		state: 'state & <more>',
		iss: sandbox.issuer
	})
	assert.deepEqual(complaints, [])
	await context.close()
})

test('an app on the same device gets the answer by its own scheme', async () => {
	const redirectUri = 'org.example.wallet:/callback'
	sandbox.sql(
		`SELECT openid4vci.vci_create_client('app-wallet', ARRAY[:'redirect_uri'], 'App wallet')`,
		{ redirect_uri: redirectUri }
	)
	const { context, tab, complaints } = await openConsent(
		{},
		{ client_id: 'app-wallet', redirect_uri: redirectUri }
	)
	assert.match(await tab.locator('main').innerText(), /You will return to org.example.wallet:/)
	const [answer] = await Promise.all([
		tab.waitForResponse((response) => response.request().method() === 'POST'),
		logIn(tab, 'maria', 'lighthouse')
	])
	assert.equal(answer.status(), 303)
	assert.match(await answer.headerValue('location'), /^org\.example\.wallet:\/callback\?code=/)
	// Chromium asks the system for such an app; a policy that forbids the way would be told.
	assert.deepEqual(
		complaints.filter((text) => !text.includes('does not have a registered handler')),
		[]
	)
	await context.close()
})

test('the keyboard alone is enough, and focus can be seen', async () => {
	const { context, tab } = await openConsent()
	for (const name of ['username', 'password', 'decision', 'decision']) {
		await tab.keyboard.press('Tab')
		const focused = await tab.evaluate(() => ({
			name: document.activeElement.name,
			outline: getComputedStyle(document.activeElement).outlineStyle
		}))
		assert.deepEqual(focused, { name, outline: 'solid' })
	}
	await tab.getByLabel('User name').focus()
	await tab.keyboard.type('maria')
	await tab.keyboard.press('Tab')
	await tab.keyboard.type('lighthouse')
	await tab.keyboard.press('Enter')
	assert.ok((await redirectOf(tab)).code, 'Enter approves')
	await context.close()
})

test('the same link in another browser leads nowhere, and costs the first one nothing', async () => {
	const { context, tab } = await openConsent()
	const link = tab.url()
	const other = await browser.newContext({ locale: 'en-US' })
	const otherTab = await other.newPage()
	const answer = await otherTab.goto(link)
	assert.equal(answer.status(), 400)
	assert.equal(await otherTab.locator('form').count(), 0)
	assert.match(await otherTab.locator('main').innerText(), /Go back to your wallet/)
	await picture(otherTab, 'other-browser')
	// nor with a cookie of its own
	newRequest()
	await otherTab.goto(authorizationUrl)
	assert.equal((await otherTab.goto(link)).status(), 400)
	await logIn(tab, 'maria', 'lighthouse')
	assert.ok((await redirectOf(tab)).code)
	assert.equal((await tab.goto(link)).status(), 400, 'it is over once it is approved')
	await other.close()
	await context.close()
})

test('another site can neither send the form nor frame the page', async () => {
	const { context, tab } = await openConsent()
	stolenRequest = new URL(tab.url()).searchParams.get('request')
	const other = await context.newPage()
	await other.goto(`${site.url}/hostile`)
	const [answer] = await Promise.all([
		other.waitForResponse(consentUrl),
		other.getByRole('button').click()
	])
	assert.equal(answer.status(), 400)
	await other.goto(`${site.url}/frame`)
	assert.equal(await other.frames()[1].locator('form').count(), 0)
	await logIn(tab, 'maria', 'lighthouse')
	assert.ok((await redirectOf(tab)).code, 'the request was still there')
	await context.close()
})

test('five wrong logins end the request', async () => {
	const { context, tab } = await openConsent()
	for (let n = 0; n < 4; n++) {
		await logIn(tab, 'maria', `guess ${n}`)
		await tab.getByRole('alert').waitFor()
	}
	await logIn(tab, 'maria', 'guess 4')
	assert.equal((await redirectOf(tab)).error, 'access_denied')
	await context.close()
})

test('the link of somebody else’s offer helps nobody', async () => {
	const { credential_offer: offer } = sandbox.createOffer(
		`'{EntitlementCredential}', subject_model => 'demo.person', subject_id => 'pedro',
		 claims => demo.claims(2), grants => '{authorization_code}'`
	)
	const issuerState = offer.grants.authorization_code.issuer_state
	const { context, tab } = await openConsent({}, { issuer_state: issuerState })
	assert.ok(!(await tab.content()).includes('pedro'), 'the page does not tell for whom it is')
	await logIn(tab, 'maria', 'lighthouse')
	await tab.getByRole('alert').waitFor()
	assert.match(await tab.getByRole('alert').innerText(), /did not recognise you/)
	assert.equal(loginFailures(), '1')
	await context.close()
})

test('pressing Approve twice is pressing it once', async () => {
	const { context, tab } = await openConsent()
	await tab.getByLabel('User name').fill('maria')
	await tab.getByLabel('Password').fill('lighthouse')
	await tab.getByRole('button', { name: 'Approve' }).dblclick()
	assert.ok((await redirectOf(tab)).code)
	await context.close()
})

test('the page speaks the visitor’s language when it can, English when not', async () => {
	const expected = {
		'de-DE': ['en', 'ltr', 'Approve', 'Entitlement'],
		'fr-CA': ['fr', 'ltr', 'Approuver', 'Droit'],
		'es-PH': ['es', 'ltr', 'Aprobar', 'Entitlement'],
		'pt-BR': ['pt', 'ltr', 'Aprovar', 'Entitlement'],
		'ar-EG': ['ar', 'rtl', 'موافقة', 'Entitlement']
	}
	for (const [locale, [lang, dir, button, credential]] of Object.entries(expected)) {
		const { context, tab } = await openConsent({ locale, viewport: { width: 390, height: 844 } })
		const html = tab.locator('html')
		assert.deepEqual([await html.getAttribute('lang'), await html.getAttribute('dir')], [lang, dir])
		assert.equal(await tab.getByRole('heading', { level: 3 }).innerText(), credential)
		await picture(tab, `phone-${lang}-${locale}`)
		await logIn(tab, 'maria', 'wrong', button)
		await tab.getByRole('alert').waitFor()
		await logIn(tab, 'maria', 'lighthouse', button)
		assert.ok((await redirectOf(tab)).code, locale)
		await context.close()
	}
})

test('long names fit a narrow screen, text at twice its size, and both colour schemes', async () => {
	const long = 'LongestConceivableNameWithoutAnySpace'.repeat(5)
	sandbox.sql(
		`SELECT openid4vci.vci_alter_client('tab-wallet', jsonb_build_object('name', :'name'))`,
		{ name: long }
	)
	for (const colorScheme of ['light', 'dark']) {
		const { context, tab, complaints } = await openConsent({
			colorScheme,
			viewport: { width: 320, height: 640 }
		})
		await logIn(tab, 'nobody', 'x')
		await tab.getByRole('alert').waitFor()
		const overflow = () =>
			tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
		assert.equal(await overflow(), 0, 'nothing to scroll sideways')
		await picture(tab, `narrow-${colorScheme}`)
		assert.ok((await smallestContrast(tab)) >= 4.5, `contrast in the ${colorScheme} scheme`)
		await tab.evaluate(() => {
			document.documentElement.style.fontSize = '200%'
		})
		assert.equal(await overflow(), 0, 'nor with larger text')
		await picture(tab, `narrow-${colorScheme}-large-text`)
		assert.deepEqual(complaints, [])
		await context.close()
	}
	sandbox.sql(
		`SELECT openid4vci.vci_alter_client('tab-wallet', jsonb_build_object('name', :'name'))`,
		{ name: walletName }
	)
})

test('the answer’s headers keep the page to itself', async () => {
	newRequest()
	const first = await fetch(authorizationUrl, { redirect: 'manual' })
	assert.equal(first.status, 303)
	const cookie = first.headers.get('set-cookie')
	assert.match(cookie, /^__Host-vci=[A-Za-z0-9_-]{22}; Path=\/; Secure; HttpOnly; SameSite=Lax$/)
	const headers = { Cookie: cookie.split(';')[0], 'Accept-Language': 'fr' }
	const page = await fetch(first.headers.get('location'), { headers })
	assert.equal(page.status, 200)
	assert.equal(page.headers.get('content-language'), 'fr')
	assert.equal(page.headers.get('vary'), 'Accept-Language')
	assert.equal(page.headers.get('cache-control'), 'no-store')
	assert.equal(page.headers.get('referrer-policy'), 'no-referrer')
	assert.equal(page.headers.get('access-control-allow-origin'), null)
	const policy = page.headers.get('content-security-policy')
	assert.match(policy, /default-src 'none'; style-src 'sha256-[A-Za-z0-9+/_-]{43}='/)
	assert.ok(policy.includes(`form-action 'self' ${site.url}`))
	assert.ok(policy.includes("frame-ancestors 'none'"))
	assert.ok(!policy.includes('unsafe'))
})
