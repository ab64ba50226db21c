// The landing page of an offer in a real browser, on a phone's screen and on a desk's.
// SCREENSHOTS names a folder for pictures of the page.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openBrowser, smallestContrast, watchComplaints } from './browser.mjs'
import { openSandbox } from './sandbox.mjs'

const sandbox = openSandbox()
after(() => sandbox.close())
const browser = await openBrowser()
after(() => browser.close())

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
const desk = { viewport: { width: 1280, height: 900 } }
const noHandler = 'does not have a registered handler'

const grant = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'

function newOffer(more = '') {
	const { offer_id: id, credential_offer: offer } = sandbox.createOffer(
		`'{EntitlementCredential}', claims => demo.claims(1) ${more}`
	)
	const link = sandbox.sql(`SELECT openid4vci.vci_offer_uri(:'id', 'page')`, { id })
	return { id, link, code: offer.grants[grant]['pre-authorized_code'] }
}

const opened = (id) =>
	sandbox.sql(
		`SELECT count(*) FROM openid4vci.vci_event_info WHERE offer_id = :'id' AND kind = 'offer_opened'`,
		{ id }
	)

// No test is about time: this only ends one that waits for what will never come.
const patience = 5 * 60 * 1000

async function openPage(link, options = {}) {
	const context = await browser.newContext({ locale: 'en-US', ...options })
	context.setDefaultTimeout(patience)
	const complaints = watchComplaints(context)
	const tab = await context.newPage()
	const answer = await tab.goto(link)
	return { context, tab, complaints, answer }
}

async function picture(tab, name) {
	if (process.env.SCREENSHOTS)
		await tab.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png`, fullPage: true })
}

const overflow = (tab) =>
	tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

test('the link shows who offers what, and opens the wallet when the button is pressed', async () => {
	const { id, link } = newOffer()
	const { context, tab, complaints } = await openPage(link, phone)
	assert.equal(await tab.title(), 'Add to your wallet – OpenSPP Social Registry')
	assert.match(await tab.locator('main').innerText(), /OpenSPP Social Registry has this for you:\s+Entitlement/)
	await picture(tab, 'phone')
	assert.deepEqual(complaints, [])
	assert.equal(opened(id), '0', 'looking at it changes nothing')
	const [answer] = await Promise.all([
		tab.waitForResponse((response) => response.request().method() === 'POST'),
		tab.getByRole('button', { name: 'Open my wallet' }).click()
	])
	assert.equal(answer.status(), 303)
	assert.match(
		await answer.headerValue('location'),
		/^openid-credential-offer:\/\/\?credential_offer_uri=http/
	)
	assert.equal(opened(id), '1', 'pressing counts')
	assert.equal((await fetch(link, { method: 'POST', redirect: 'manual' })).status, 303)
	assert.equal(opened(id), '1', 'once')
	// Chromium asks the system for such an app; a policy that forbids the way would be told.
	assert.deepEqual(complaints.filter((text) => !text.includes(noHandler)), [])
	await context.close()
})

test('the plain link leads to the same offer', async () => {
	const { link } = newOffer()
	const { context, tab } = await openPage(link, phone)
	const href = await tab.getByRole('link', { name: 'this link' }).getAttribute('href')
	const offer = await (await fetch(new URL(href).searchParams.get('credential_offer_uri'))).json()
	assert.equal(offer.credential_issuer, sandbox.issuer)
	await context.close()
})

test('at a desk the QR code for the phone comes first, on a phone the button does', async () => {
	const { link } = newOffer()
	const places = {}
	for (const [name, options] of Object.entries({ phone, desk })) {
		const { context, tab, complaints } = await openPage(link, options)
		const code = await tab.getByRole('img', { name: 'QR code of this offer' }).boundingBox()
		const button = await tab.getByRole('button').boundingBox()
		places[name] = code.y < button.y
		assert.ok(code.width >= 200 && Math.abs(code.width - code.height) < 1, 'large enough to be scanned')
		assert.ok(button.height >= 44, 'large enough for a thumb')
		assert.deepEqual(complaints, [])
		await picture(tab, `first-${name}`)
		await context.close()
	}
	assert.deepEqual(places, { phone: false, desk: true })
})

test('the page speaks the visitor’s language when it can, English when not', async () => {
	const { link } = newOffer(", tx_code => '123456', tx_code_description => 'In your letter'")
	const expected = {
		'de-DE': ['en', 'ltr', 'Open my wallet'],
		'fr-CA': ['fr', 'ltr', 'Ouvrir mon portefeuille'],
		'es-PH': ['es', 'ltr', 'Abrir mi billetera'],
		'pt-BR': ['pt', 'ltr', 'Abrir minha carteira'],
		'ar-EG': ['ar', 'rtl', 'افتح محفظتي']
	}
	for (const [locale, [lang, dir, button]] of Object.entries(expected)) {
		const { context, tab } = await openPage(link, { ...phone, locale })
		const html = tab.locator('html')
		assert.deepEqual([await html.getAttribute('lang'), await html.getAttribute('dir')], [lang, dir])
		assert.equal(await tab.getByRole('button').innerText(), button)
		assert.equal(await overflow(tab), 0)
		await picture(tab, `language-${lang}-${locale}`)
		await context.close()
	}
})

const redeem = (code, txCode) =>
	fetch(`${sandbox.issuer}/api/v1/openid4vci/token`, {
		method: 'POST',
		body: new URLSearchParams({
			grant_type: grant,
			'pre-authorized_code': code,
			tx_code: txCode
		})
	})

// How an offer comes into each state, the status of its page, and the page's heading.
const states = {
	locked: [
		async ({ code }) => {
			for (let n = 0; n < 5; n++) await redeem(code, '000000')
		},
		200,
		'Too many wrong codes'
	],
	expired: [
		async ({ id }) => {
			sandbox.sql(`SELECT openid4vci.vci_extend_offer(:'id', '1 s')`, { id })
			while (sandbox.sql(`SELECT state FROM openid4vci.vci_offer_info WHERE id = :'id'`, { id }) !== 'expired');
		},
		410,
		'Too late'
	],
	used: [({ code }) => redeem(code, '123456'), 200, 'Already used'],
	cancelled: [
		({ id }) => sandbox.sql(`SELECT openid4vci.vci_cancel_offer(:'id')`, { id }),
		410,
		'No longer available'
	],
	replaced: [
		({ id }) => sandbox.sql(`SELECT openid4vci.vci_rotate_code(:'id')`, { id }),
		410,
		'There is a newer link'
	]
}

test('each state is told in words, and offers nothing to press', async () => {
	for (const [state, [enter, status, heading]] of Object.entries(states)) {
		const offer = newOffer(", tx_code => '123456'")
		await enter(offer)
		const { context, tab, answer, complaints } = await openPage(offer.link, phone)
		assert.equal(answer.status(), status, state)
		assert.equal(await tab.getByRole('heading').innerText(), heading)
		assert.equal(await tab.locator('form, a').count(), 0)
		assert.deepEqual(complaints, [])
		await picture(tab, `state-${state}`)
		await context.close()
	}
	const { context, tab, answer } = await openPage(newOffer().link.slice(0, -5), phone)
	assert.equal(answer.status(), 404)
	assert.equal(await tab.getByRole('heading').innerText(), 'This link is not valid')
	await picture(tab, 'state-unknown')
	await context.close()
})

test('narrow screens, text at twice its size, both colour schemes, and the keyboard', async () => {
	const { link } = newOffer(", tx_code => '123456', tx_code_description => 'In the letter'")
	sandbox.sql(`SELECT openid4vci.vci_alter_issuer('{"wallet_url": "https://wallets.example"}', :'issuer')`, {
		issuer: sandbox.issuer
	})
	for (const colorScheme of ['light', 'dark']) {
		const { context, tab, complaints } = await openPage(link, {
			colorScheme,
			viewport: { width: 320, height: 640 }
		})
		assert.equal(await overflow(tab), 0, 'nothing to scroll sideways')
		assert.ok((await smallestContrast(tab)) >= 4.5, `contrast in the ${colorScheme} scheme`)
		await picture(tab, `narrow-${colorScheme}`)
		await tab.evaluate(() => {
			document.documentElement.style.fontSize = '200%'
		})
		assert.equal(await overflow(tab), 0, 'nor with larger text')
		await picture(tab, `narrow-${colorScheme}-large-text`)
		await tab.keyboard.press('Tab')
		assert.equal(await tab.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'solid')
		assert.deepEqual(complaints, [])
		await context.close()
	}
	sandbox.sql(`SELECT openid4vci.vci_alter_issuer('{"wallet_url": null}', :'issuer')`, {
		issuer: sandbox.issuer
	})
})

test('another site can neither frame the page nor read it', async () => {
	const { link } = newOffer()
	const answer = await fetch(link)
	assert.match(answer.headers.get('content-security-policy'), /frame-ancestors 'none'/)
	assert.equal(answer.headers.get('x-frame-options'), 'DENY')
	assert.equal(answer.headers.get('access-control-allow-origin'), null)
	assert.equal(answer.headers.get('cache-control'), 'no-store')
})
