// The addon's pages in a browser, from a fresh database to the help desk. Screenshots are left in
// SCREENSHOTS for a person to look at; what a program can see of a page is asserted here.
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { openBrowser, smallestContrast, watchComplaints } from '../wallets/browser.mjs'
import { logIn } from './web.mjs'

const { ODOO_URL, ODOO_DATABASE, ODOO_LOG, OPENID4VCI_WALLET } = process.env
const { PSQL = 'psql', SCREENSHOTS = 'screenshots' } = process.env
const run = promisify(execFile)
const patience = { timeout: 300000 }

// The package of Odoo lacks a library of mail, of which every page complains.
const known = /selfie_segmentation|Could not get content for mail/

let browser, context, page, complaints, odoo

async function openSession(login, password = login) {
	context = await browser.newContext({ viewport: { width: 1360, height: 850 } })
	complaints = watchComplaints(context)
	page = await context.newPage()
	page.setDefaultTimeout(patience.timeout)
	await page.goto(`${ODOO_URL}/web/login`)
	await page.fill('input[name=login]', login)
	await page.fill('input[name=password]', password)
	await page.click('button[type=submit]')
	await page.waitForSelector('.o_main_navbar', patience)
}

before(async () => {
	mkdirSync(SCREENSHOTS, { recursive: true })
	odoo = await logIn(ODOO_URL, ODOO_DATABASE)
	browser = await openBrowser()
	await openSession('admin')
})

after(() => browser?.close())

const action = (name) => `${ODOO_URL}/odoo/action-openid4vci.${name}`

// Where the mouse was left a tooltip may come up, over what is clicked next.
async function open(url, selector) {
	await page.mouse.move(1359, 849)
	await page.goto(url)
	await page.waitForSelector(selector, patience)
}

const settle = () => page.waitForTimeout(600)

// A picture of what the person sees; and nobody scrolls sideways.
async function shoot(name, options = {}) {
	await settle()
	await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), ...options })
	const wider = await page.evaluate(
		() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth
	)
	assert.ok(wider <= 0, `${name} is ${wider} pixels wider than the window`)
}

function noComplaints() {
	const found = complaints.filter((text) => /^(error|[^:]*Error)/.test(text) && !known.test(text))
	complaints.length = 0
	assert.deepEqual(found, [])
}

// As a superuser, to make a history that a test cannot wait for.
function sql(statement) {
	return execFileSync(PSQL, ['-XqAt', '-d', ODOO_DATABASE, '-v', 'ON_ERROR_STOP=1'], {
		input: statement,
		encoding: 'utf8'
	}).trim()
}

describe('setting up', () => {
	test('the settings ask for an issuer', async () => {
		await open(action('action_vci_settings'), '.app_settings_block[data-key=openid4vci]')
		await shoot('settings-before')
		await page.click('.app_settings_block[data-key=openid4vci] button:has-text("Set up")')
		await page.waitForSelector('.modal-footer button[name=action_set_up]')
		assert.equal(await page.inputValue('.modal [name=url] input'), ODOO_URL)
		await shoot('setup')
	})

	test('and have one then, with a key', async () => {
		await page.click('.modal-footer button[name=action_set_up]')
		await page.waitForSelector('.modal', { state: 'detached' })
		await open(action('action_vci_settings'), '[name=vci_issuer_url]:visible')
		assert.equal((await page.innerText('[name=vci_issuer_url]')).split('\n')[0], ODOO_URL)
		assert.match(await page.innerText('[name=vci_key_text]'), /ES256, in use since/)
		await shoot('settings')
		await page.locator('#vci_status_setting').scrollIntoViewIfNeeded()
		await shoot('settings-status')
		noComplaints()
	})

	test('a change is written to the issuer when it is saved', async () => {
		await page.fill('[name=vci_offer_lifetime] input', '3')
		await page.locator('[name=vci_http] input').check()
		await page.click('.o_form_button_save')
		await page.waitForSelector('.o_form_button_save', { state: 'hidden' })
		await settle()
		assert.equal(sql('SELECT offer_lifetime FROM openid4vci.vci_issuer_info'), String(3 * 86400))
		assert.equal(await odoo('ir.config_parameter', 'get_param', ['openid4vci.http']), 'True')
	})
})

const subjects = {}

async function newPartner(name) {
	const [id] = await odoo('res.partner', 'create', [[{ name, email: 'person@example.org' }]])
	return id
}

async function newOffer(code, partner_id, more = {}) {
	const [subject] = await odoo('vci.test.entitlement', 'create', [[{ code, partner_id }]])
	const values = {
		credential_type_id: subjects.entitlementType,
		credential_subject_model: 'vci.test.entitlement',
		credential_subject_id: subject,
		...more
	}
	const [id] = await odoo('vci.offer', 'create', [[values]])
	return id
}

const linkOf = (id) => odoo('vci.offer', 'get_credential_offer_uri', [[id]])

async function redeem(id) {
	await run(OPENID4VCI_WALLET, ['--json', await linkOf(id)])
}

describe('kinds of credentials', () => {
	test('are made on a form', async () => {
		const model = 'vci.credential.configuration'
		;[subjects.entitlementType] = await odoo(model, 'create', [
			[
				{
					code: 'EntitlementCredential',
					name: 'Entitlement',
					source_model: 'vci.test.entitlement',
					always_disclosed_claims: 'entitlementId,entitlementStatus',
					selectively_disclosable_claims: 'beneficiaryName,amount,validFrom,validUntil'
				}
			]
		])
		await open(`${action('action_vci_credential_configuration')}/new`, '.o_form_view')
		await page.fill('[name=name] input', 'Registered person')
		await page.fill('[name=code] input', 'PersonCredential')
		await page.fill('[name=source_model] input', 'res.partner')
		await page.fill('[name=always_disclosed_claims] input', 'name')
		await page.fill('[name=selectively_disclosable_claims] input', 'email')
		await shoot('kind-new')
		await page.click('.o_form_button_save')
		await page.waitForSelector('.o_form_saved, .o_form_button_save:not(:visible)', { state: 'attached' })
		await settle()
		await shoot('kind')
		await open(action('action_vci_credential_configuration'), '.o_list_view .o_data_row')
		assert.equal(await page.locator('.o_data_row').count(), 2)
		await shoot('kinds')
		noComplaints()
	})
})

describe('offers', () => {
	before(async () => {
		subjects.maria = await newPartner('Maria Santos')
		const people = await Promise.all(['Juan Cruz', 'Ana Reyes', 'Jose Garcia', 'Liza Ramos'].map(newPartner))
		await redeem(await newOffer('ENT-2026-0001', subjects.maria))
		await redeem(await newOffer('ENT-2026-0002', people[0]))
		subjects.pending = await newOffer('ENT-2026-0003', subjects.maria, { reference: 'ENT-2026-0003' })
		const expired = await newOffer('ENT-2026-0004', people[1])
		const cancelled = await newOffer('ENT-2026-0005', people[2])
		await odoo('vci.offer', 'action_cancel', [[cancelled]])
		const locked = await newOffer('ENT-2026-0006', people[3], { tx_code: '493536' })
		for (let count = 1; count <= 5; count++)
			await assert.rejects(run(OPENID4VCI_WALLET, ['--json', '--tx-code', '000000', await linkOf(locked)]))
		await newOffer('ENT-2026-0007', subjects.maria, { tx_code: '493536' })
		await newOffer('ENT-2026-0008', people[0])
		sql(`UPDATE openid4vci.vci_offer SET expires_at = now() WHERE id = ${expired}`)
		sql(`UPDATE openid4vci.vci_offer SET created_at = created_at - (id / 32 % 4) * interval '1 day'`)
	})

	test('of another registry, whose model Odoo does not know, are listed too', async () => {
		sql(`SELECT offer_id FROM openid4vci.vci_create_offer('{PersonCredential}',
			subject_model => 'demo.benef', subject_id => '7', claims => '{"name": "N."}')`)
		await open(action('action_vci_offer'), '.o_list_view .o_data_row')
		assert.ok((await page.locator('.o_data_row').count()) >= 9)
		await shoot('offers')
		noComplaints()
	})

	test('as a board, a chart and a table', async () => {
		await page.click('.o_switch_view.o_kanban')
		await page.waitForSelector('.o_kanban_group')
		const columns = await page.locator('.o_kanban_group').count()
		assert.equal(columns, 4)
		await shoot('offers-board')
		await page.click('.o_switch_view.o_graph')
		await page.waitForSelector('.o_graph_renderer canvas')
		await shoot('offers-chart')
		await page.click('.o_switch_view.o_pivot')
		await page.waitForSelector('.o_pivot table')
		await shoot('offers-table')
		noComplaints()
	})

	test('one of them', async () => {
		await open(`${action('action_vci_offer')}/${subjects.pending}`, '.o_form_view')
		await shoot('offer')
		await page.click('button[name=action_show]')
		await page.waitForSelector('.modal [name=qr_code] img')
		await shoot('offer-qr')
		noComplaints()
	})

	test('credentials that were issued', async () => {
		await open(action('action_vci_credential'), '.o_list_view .o_data_row')
		assert.equal(await page.locator('.o_data_row').count(), 2)
		await shoot('credentials')
		await page.click('.o_data_row td.o_data_cell >> nth=0')
		await page.waitForSelector('.o_form_view')
		await shoot('credential')
		noComplaints()
	})
})

describe('the wizard', () => {
	let pin, link

	test('makes an offer from a person’s form', async () => {
		await open(`${ODOO_URL}/odoo/res.partner/${subjects.maria}`, '.o_form_view')
		await page.click('.o_cp_action_menus .dropdown-toggle')
		await page.click('.o-dropdown--menu .o_menu_item:has-text("Offer a credential")')
		await page.waitForSelector('.modal-footer button[name=action_create_offer]')
		await page.locator('.modal [name=pin] label:has-text("A PIN is made")').click()
		await shoot('wizard')
		await page.click('.modal-footer button[name=action_create_offer]')
		await page.waitForSelector('.modal [name=qr_code] img')
		await shoot('wizard-qr')
		noComplaints()
	})

	test('shows QR code, link and PIN', async () => {
		const image = page.locator('.modal [name=qr_code] img')
		assert.match(await image.getAttribute('src'), /^data:image\/png;base64,/)
		const [natural, shown] = await image.evaluate((img) => [img.naturalWidth, img.clientWidth])
		assert.equal(shown, natural, 'a QR code that is scaled is blurred')
		pin = (await page.innerText('.modal [name=tx_code]')).match(/\d{6}/)[0]
		link = (await odoo('vci.offer', 'search_read', [[], ['credential_offer_uri']], { limit: 1, order: 'id desc' }))[0]
			.credential_offer_uri
		assert.match(link, /^openid-credential-offer:/)
	})

	test('and leaves them there while the letter is printed', async () => {
		const [letter] = await Promise.all([
			context.waitForEvent('page'),
			page.click('.modal button[name=action_print_letter]')
		])
		await letter.waitForSelector('img[alt="QR code of the offer"]')
		await letter.close()
		assert.ok((await page.innerText('.modal [name=tx_code]')).includes(pin))
	})

	test('which a wallet redeems', async () => {
		const { stdout } = await run(OPENID4VCI_WALLET, ['--json', '--tx-code', pin, link])
		assert.match(stdout, /Maria Santos/)
	})

	test('and the PIN is kept nowhere', async () => {
		const stored = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]))
		const code = JSON.parse(new URL(link).searchParams.get('credential_offer'))
		const secret = Object.values(code.grants)[0]['pre-authorized_code']
		const tables = sql(`SELECT string_agg(w::text, ' ') FROM vci_offer_wizard w`)
		const said = sql(`SELECT string_agg(m.body, ' ') FROM mail_message m`)
		for (const text of [stored, tables, said, page.url(), readFileSync(ODOO_LOG, 'utf8')]) {
			assert.ok(!text.includes(pin) && !text.includes(secret), text.slice(0, 200))
		}
		await page.reload()
		await page.waitForSelector('.o_main_navbar')
		await settle()
		assert.ok(!(await page.content()).includes(pin))
	})
})

describe('decisions', () => {
	before(async () => {
		await odoo('vci.credential.configuration', 'create', [
			[{ code: 'PermitCredential', name: 'Permit', binding: 'absent', deferred: true, always_disclosed_claims: 'name' }]
		])
		for (const name of ['Juan', 'Ana', 'Liza'])
			sql(`SELECT openid4vci.vci_request_credential(
					openid4vci.vci_exchange_code(credential_offer #>> '{grants,urn:ietf:params:oauth:grant-type:pre-authorized_code,pre-authorized_code}') ->> 'access_token',
					'{"credential_configuration_id": "PermitCredential"}')
				FROM openid4vci.vci_create_offer('{PermitCredential}', subject_model => 'res.partner',
					subject_id => '${subjects.maria}', claims => '{"name": "${name}"}')`)
	})

	test('of several at once', async () => {
		await open(action('action_vci_deferred'), '.o_list_view .o_data_row')
		await page.click('.o_data_row >> nth=0 >> input[type=checkbox]')
		await page.waitForSelector('.o_control_panel button[name=action_complete]')
		await shoot('decisions')
		await page.click('.o_control_panel button[name=action_complete]')
		await page.click('.modal-footer .btn-primary')
		await page.waitForFunction(() => document.querySelectorAll('.o_data_row').length === 2)
		noComplaints()
	})

	test('a refusal takes a reason', async () => {
		await page.click('.o_data_row td.o_data_cell >> nth=0')
		await page.waitForSelector('.o_form_view')
		await shoot('decision')
		await page.click('button[name=action_deny]')
		await page.fill('.modal [name=reason] input', 'moved to another district')
		await shoot('decision-refusal')
		await page.click('.modal-footer button[name=action_refuse]')
		await page.waitForSelector('.o_form_view [name=denied_at]')
		assert.match(await page.innerText('.o_form_view [name=reason]'), /moved to another district/)
		await page.click('.breadcrumb-item a')
		await page.waitForSelector('.o_list_view')
		await page.click('.o_switch_view.o_kanban')
		await page.waitForSelector('.o_kanban_group')
		assert.equal(await page.locator('.o_kanban_group').count(), 6)
		await shoot('decisions-board')
		noComplaints()
	})
})

describe('the letter', () => {
	test('has the QR code and no PIN', async () => {
		await page.goto(`${ODOO_URL}/report/html/openid4vci.offer_letter/${subjects.pending}`)
		await page.waitForSelector('img[alt="QR code of the offer"]')
		await shoot('letter', { fullPage: true })
		await page.pdf({ path: join(SCREENSHOTS, 'letter.pdf'), format: 'A4', printBackground: true })
		assert.ok((await smallestContrast(page)) >= 4.5)
	})
})

describe('the help desk', () => {
	before(async () => {
		const groups = await odoo('ir.model.data', 'search_read', [
			[['module', '=', 'openid4vci'], ['model', '=', 'res.groups'], ['name', 'in', ['group_help_desk', 'group_reporter']]],
			['name', 'res_id']
		])
		for (const { name, res_id } of groups) {
			const login = name.slice('group_'.length)
			await odoo('res.users', 'create', [[{ name: login, login, password: login, group_ids: [[4, res_id]] }]])
		}
	})

	test('sees how it stands with one person', async () => {
		await context.close()
		await openSession('help_desk')
		await open(`${ODOO_URL}/odoo/res.partner/${subjects.maria}`, 'button[name=action_help_desk]')
		await shoot('person')
		await page.click('button[name=action_help_desk]')
		await page.waitForSelector('.o_form_view [name=offer_ids] .o_data_row')
		await shoot('help-desk')
		noComplaints()
	})

	test('shows the QR code, and neither link nor code', async () => {
		await page.click('[name=offer_ids] button[name=action_show] >> nth=0')
		await page.waitForSelector('.modal [name=qr_code] img')
		await shoot('help-desk-qr')
		assert.equal(await page.locator('.modal [name=credential_offer_uri]').count(), 0)
		noComplaints()
	})
})

describe('a viewer', () => {
	test('sees offers without buttons', async () => {
		await context.close()
		await openSession('reporter')
		await open(`${action('action_vci_offer')}/${subjects.pending}`, '.o_form_view')
		assert.equal(await page.locator('.o_statusbar_buttons button:visible').count(), 0)
		await shoot('viewer')
		noComplaints()
	})
})

describe('when duties of Odoo’s database role are missing', () => {
	const duties = "unnest('{offerer,issuer_admin,key_admin,endpoint,backup}'::text[]) AS duty"

	after(() => sql(`SELECT openid4vci.vci_grant('odoo', duty) FROM ${duties}`))

	test('the settings have the lines for the database administrator', async () => {
		await context.close()
		await openSession('admin')
		sql(`SELECT openid4vci.vci_revoke('odoo', duty) FROM ${duties}`)
		await open(action('action_vci_settings'), '[name=vci_missing]:visible')
		assert.match(await page.innerText('[name=vci_missing_lines]'), /vci_grant\('odoo', 'offerer'\)/)
		await shoot('settings-missing')
	})

	test('and find them done', async () => {
		sql(`SELECT openid4vci.vci_grant('odoo', duty) FROM ${duties}`)
		await page.click('button[name=action_vci_check]:visible')
		await page.waitForSelector('[name=vci_issuer_url]:visible')
		assert.equal((await page.innerText('[name=vci_issuer_url]')).split('\n')[0], ODOO_URL)
	})
})
