import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { waitFor } from './process.ts';
import { atEnd } from './scope.ts';
import { type Faults, startTcpProxy } from './tcp-proxy.ts';
import { tempFolder } from './temp.ts';

/** A server that greets, and then answers each piece with the same in capitals. */
async function startEcho(t: TestContext, place: string | number) {
  const sockets = new Set<Socket>();
  const received: Buffer[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.write('hello ');
    socket.on('data', (bytes) => {
      received.push(bytes);
      socket.write(bytes.toString().toUpperCase());
    });
  });
  await once(server.listen(place as string), 'listening');
  atEnd(t, () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { sockets, received: () => Buffer.concat(received).toString() };
}

/** A client of a proxy before an echo. */
async function startClient(t: TestContext, faults: Faults) {
  const path = join(await tempFolder(t), 'echo.sock');
  const echo = await startEcho(t, path);
  const proxy = await startTcpProxy(t, { path }, faults);
  const socket = connect(proxy.port, proxy.host);
  const got: Buffer[] = [];
  const ended: string[] = [];
  socket.on('data', (bytes) => got.push(bytes));
  socket.on('error', (error: NodeJS.ErrnoException) => ended.push(error.code ?? ''));
  socket.on('end', () => ended.push('end'));
  atEnd(t, () => void socket.destroy());
  const text = () => Buffer.concat(got).toString();
  return { echo, proxy, socket, text, ended, hears: (all: string) => waitFor(all, () => text() === all) };
}

/** Long enough for what must not come. */
const quietMs = 100;
const quiet = () => new Promise((resolve) => setTimeout(resolve, quietMs));

test('without faults all passes, and either side can end', async (t) => {
  const { echo, proxy, socket, hears, ended } = await startClient(t, {});
  socket.write('abc');
  await hears('hello ABC');
  assert.deepEqual([proxy.open, proxy.total, proxy.failed], [1, 1, 0]);
  socket.end();
  await waitFor('both ends', () => echo.sockets.size === 0 && proxy.open === 0);
  assert.deepEqual(ended, ['end']);
});

test('a client that goes away is gone for the server too, also in a stall', async (t) => {
  for (const fault of ['stall', 'lose'] as const) {
    const { echo, proxy, socket } = await startClient(t, { toClient: { fault }, toServer: { fault: 'lose' } });
    await waitFor('the connection', () => echo.sockets.size === 1);
    socket.destroy();
    await waitFor('both ends', () => echo.sockets.size === 0 && proxy.open === 0);
  }
});

test('accepts and says nothing', async (t) => {
  const { echo, socket, text } = await startClient(t, { accept: 'silent' });
  socket.write('abc');
  await quiet();
  assert.deepEqual([text(), echo.sockets.size, socket.destroyed], ['', 0, false]);
});

test('accepts and cuts off; refuses when closed', async (t) => {
  const { proxy, ended } = await startClient(t, { accept: 'reset' });
  await waitFor('the reset', () => ended[0] === 'ECONNRESET');
  await proxy.close();
  const refused = connect(proxy.port, proxy.host);
  const [error] = await once(refused, 'error');
  assert.equal(error.code, 'ECONNREFUSED');
});

test('stalls after so many bytes, while the other direction goes on', async (t) => {
  const { echo, proxy, socket, hears, text } = await startClient(t, { toClient: { at: 8, fault: 'stall' } });
  socket.write('abc');
  await hears('hello AB');
  socket.write('def');
  await waitFor('the rest at the server', () => echo.received() === 'abcdef');
  assert.equal(proxy.failed, 1);
  await quiet();
  assert.deepEqual([text(), socket.destroyed], ['hello AB', false]);
});

test('a stall fills the buffers of the sender, a loss does not', async (t) => {
  const flood = Buffer.alloc(32 * 1024 * 1024);
  for (const fault of ['stall', 'lose'] as const) {
    const { socket } = await startClient(t, { toServer: { fault } });
    let isSent = false;
    socket.write(flood, () => {
      isSent = true;
    });
    if (fault === 'lose') await waitFor('the flood to vanish', () => isSent);
    else await quiet();
    assert.equal(isSent, fault === 'lose');
  }
});

test('begins in front of a word', async (t) => {
  const { echo, socket, hears } = await startClient(t, { toServer: { at: 'stop', fault: 'lose' } });
  socket.write('go stop go');
  await hears('hello GO ');
  socket.write('go');
  await quiet();
  assert.equal(echo.received(), 'go ');
});

test('ends and resets in the middle, both sides', async (t) => {
  for (const [fault, seen] of [
    ['end', 'end'],
    ['reset', 'ECONNRESET'],
  ] as const) {
    const { echo, socket, hears, ended } = await startClient(t, { toServer: { at: 3, fault } });
    await hears('hello ');
    socket.write('abcdef');
    await waitFor(fault, () => ended.includes(seen) && echo.sockets.size === 0);
    assert.ok(!echo.received().includes('d'));
  }
});

test('delays and throttles', async (t) => {
  const startMs = performance.now();
  const slow = await startClient(t, { toClient: { bytesPerSecond: 40, delayMs: 100 } });
  await slow.hears('hello ');
  const tookMs = performance.now() - startMs;
  assert.ok(tookMs > 200, `${tookMs} ms`);
});

test('cuts what is open when told', async (t) => {
  const { proxy, hears, ended } = await startClient(t, {});
  await hears('hello ');
  proxy.set({ accept: 'silent' });
  proxy.cut('reset');
  await waitFor('the reset', () => ended.includes('ECONNRESET') && proxy.open === 0);
});
