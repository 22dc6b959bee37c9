// SPDX-License-Identifier: BSD-2-Clause
// A WebSocket echo over mutual TLS and its client, by the npm package ws.
//
//   node websocket.js server PORT CHAIN KEY CLIENT_CA
//   node websocket.js client PORT MESSAGES SECONDS
//
// The client sends so many messages of growing sizes, text and binary, over so many seconds, compares
// each echo, pings, closes with code 4001, and prints one JSON line.
'use strict';

const fs = require('fs');
const https = require('https');
const WebSocket = require('ws');

function serve(port, chain, key, ca) {
	const server = https.createServer({
		cert: fs.readFileSync(chain), key: fs.readFileSync(key), ca: fs.readFileSync(ca),
		requestCert: true, rejectUnauthorized: true,
	});
	const sockets = new WebSocket.Server({ server, maxPayload: 1 << 24 });
	sockets.on('connection', (socket) => {
		socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
		socket.on('close', (code) => console.log(`closed ${code}`));
	});
	server.listen(port, '127.0.0.1');
}

function message(number) {
	const size = number % 50 === 49 ? 1000000 : (number * 37) % 5000;
	return Buffer.alloc(size, String(number));
}

async function talk(port, messages, seconds) {
	const result = { echoes: 0, pongs: 0, code: 0, failure: null };
	const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`);
	const pause = (seconds * 1000) / messages;
	const done = new Promise((resolve) => {
		socket.on('error', (error) => { result.failure = String(error); resolve(); });
		socket.on('close', (code) => { result.code = code; resolve(); });
	});
	const expected = [];
	socket.on('pong', () => { result.pongs++; });
	socket.on('message', (data) => {
		if (!expected.shift().equals(data)) result.failure = 'another echo';
		if (++result.echoes === messages) socket.close(4001, 'done');
	});
	socket.on('open', async () => {
		socket.ping();
		for (let number = 0; number < messages; number++) {
			expected.push(message(number));
			socket.send(message(number), { binary: number % 2 === 0 });
			if (pause) await new Promise((resolve) => setTimeout(resolve, pause));
		}
	});
	await done;
	console.log(JSON.stringify(result));
}

const [role, ...words] = process.argv.slice(2);
if (role === 'server') serve(Number(words[0]), ...words.slice(1));
else talk(Number(words[0]), Number(words[1]), Number(words[2] || 0));
