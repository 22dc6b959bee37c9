// SPDX-License-Identifier: BSD-2-Clause
// Node's own http as a client: node node_client.js PORT. One JSON line: what went right, what failed.
'use strict';

const http = require('http');

const port = Number(process.argv[2]);
const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });

function ask(options, body) {
	return new Promise((resolve, reject) => {
		const request = http.request({ port, host: '127.0.0.1', agent, ...options }, (response) => {
			const pieces = [];
			response.on('data', (piece) => pieces.push(piece));
			response.on('aborted', () => reject(new Error('aborted')));
			response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(pieces) }));
		});
		request.on('error', reject);
		for (const piece of body || []) request.write(piece);
		request.end();
	});
}

async function main() {
	const result = { right: 0, failures: [] };
	const check = (what, right) => { if (right) result.right++; else result.failures.push(what); };
	await Promise.all(Array.from({ length: 200 }, async (_, number) => {
		const answer = await ask({ path: `/n/${number}` });
		check(`GET ${number}`, answer.status === 200 && String(answer.body) === `GET /n/${number}\n`);
	}));
	const pieces = Array.from({ length: 100 }, (_, number) => Buffer.alloc(10000, String(number)));
	check('chunks', String((await ask({ path: '/', method: 'POST' }, pieces)).body).startsWith('1000000 '));
	const sized = { path: '/', method: 'PUT', headers: { 'Content-Length': 1000000 } };
	check('sized', / sized\n$/.test(String((await ask(sized, pieces)).body)));
	check('chunks down', (await ask({ path: '/chunks/3000000' })).body.length === 3000000);
	check('HEAD', (await ask({ path: '/bytes/500', method: 'HEAD' })).body.length === 0);
	const waiting = { path: '/', method: 'POST', headers: { Expect: '100-continue', 'Content-Length': 5 } };
	check('Expect', String((await ask(waiting, ['hello'])).body).startsWith('5 '));
	console.log(JSON.stringify(result));
	agent.destroy();
}

main().catch((error) => console.log(JSON.stringify({ right: 0, failures: [String(error)] })));
