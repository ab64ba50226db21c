// Headless Chromium, and a wallet's website on the loopback interface.
import { createHash, randomBytes } from 'node:crypto'
import { accessSync, constants } from 'node:fs'
import { createServer } from 'node:http'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'

// Debian's package calls it chromium; CHROMIUM names any other.
function chromiumProgram() {
	if (process.env.CHROMIUM) return process.env.CHROMIUM
	for (const folder of process.env.PATH.split(delimiter))
		for (const name of ['chromium', 'chromium-browser', 'google-chrome'])
			try {
				accessSync(join(folder, name), constants.X_OK)
				return join(folder, name)
			} catch {
				// not in this folder
			}
	throw new Error('no Chromium on the PATH; install one, or name it in CHROMIUM')
}

export function openBrowser() {
	return chromium.launch({
		executablePath: chromiumProgram(),
		args: ['--no-proxy-server', '--disable-dev-shm-usage']
	})
}

const page = (body) => `<!DOCTYPE html><html lang="en"><title>Wallet</title>
<link rel="icon" href="data:,"><body>${body}</body></html>`

// A wallet that lives on http://localhost:PORT, another site than an issuer at 127.0.0.1. Its
// pages are made by the handlers given: {path: (url) => html}.
export async function openWalletSite(pages) {
	const server = createServer((request, response) => {
		const url = new URL(request.url, 'http://localhost')
		const make = pages[url.pathname]
		response.writeHead(make ? 200 : 404, { 'Content-Type': 'text/html; charset=utf-8' })
		response.end(make ? page(make(url)) : '')
	})
	await new Promise((resolve) => server.listen(0, 'localhost', resolve))
	return {
		url: `http://localhost:${server.address().port}`,
		close: () =>
			new Promise((resolve) => {
				server.close(resolve)
				server.closeAllConnections()
			})
	}
}

// PKCE (RFC 7636).
export function newPkce() {
	const verifier = randomBytes(32).toString('base64url')
	return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

// What a page complains of: scripts, the content security policy, resources. The status of a
// document itself is no complaint.
export function watchComplaints(context) {
	const complaints = []
	context.on('console', (message) => {
		if (!message.text().startsWith('Failed to load resource: the server responded with a status of 4'))
			complaints.push(`${message.type()}: ${message.text()}`)
	})
	context.on('weberror', (error) => complaints.push(error.error().message))
	return complaints
}

// The smallest contrast (WCAG 2.2, 1.4.3) between text and what lies behind it.
export function smallestContrast(tab) {
	return tab.evaluate(() => {
		const channels = (color) => color.match(/[\d.]+/g).map(Number)
		const luminance = (color) =>
			channels(color)
				.slice(0, 3)
				.map((value) => value / 255)
				.map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
				.reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0)
		const background = (element) => {
			const color = getComputedStyle(element).backgroundColor
			return channels(color)[3] === 0 ? background(element.parentElement) : color
		}
		const texts = [...document.querySelectorAll('body *')].filter((element) =>
			[...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '')
		)
		const contrasts = texts.map((element) => {
			const pair = [luminance(getComputedStyle(element).color), luminance(background(element))]
			return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05)
		})
		return Math.min(...contrasts)
	})
}
