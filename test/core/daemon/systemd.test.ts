import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import koffi from 'koffi';
import { openSystemd } from '../../../core/daemon/index.ts';
import { waitFor } from '../../kit/process.ts';
import { tempFolder } from '../../kit/temp.ts';
import { home, startDaemon, yaml } from './daemon-kit.ts';

const libc = koffi.load(null);
const socket = libc.func('int socket(int domain, int type, int protocol)');
const bind = libc.func('int bind(int fd, void *address, uint32_t length)');
const recv = libc.func('long recv(int fd, _Out_ uint8_t *bytes, size_t length, int flags)');
const close = libc.func('int close(int fd)');

/** A manager that hears datagrams at an address of its own, as systemd does. */
function manager(t: TestContext, name: string): { heard(): string[] } {
  const descriptor = socket(1, 2, 0);
  t.after(() => close(descriptor));
  const path = Buffer.from(name.replace('@', '\0'));
  const address = Buffer.concat([Buffer.from(new Uint16Array([1]).buffer), path]);
  assert.equal(bind(descriptor, address, address.length), 0);
  const messages: string[] = [];
  return {
    heard() {
      const bytes = Buffer.alloc(4096);
      for (let length = 1; length > 0; ) {
        length = Number(recv(descriptor, bytes, bytes.length, 0x40));
        if (length > 0) messages.push(bytes.toString('utf8', 0, length));
      }
      return messages;
    },
  };
}

test('messages reach a socket in the file system and an abstract one', async (t) => {
  const names = [join(await tempFolder(t), 'notify'), `@tidemark-test-${process.pid}`];
  for (const name of names) {
    const { heard } = manager(t, name);
    const systemd = await openSystemd({ socket: name });
    systemd.notify('READY=1');
    systemd.notify('STATUS=täglich');
    assert.deepEqual(heard(), ['READY=1', 'STATUS=täglich']);
  }
});

test('without a manager nothing is told and nothing is wrong', async () => {
  const systemd = await openSystemd({});
  systemd.notify('READY=1');
  assert.equal(systemd.watchdogMs, undefined);
});

test('a socket that nobody listens to is an error', async (t) => {
  const systemd = await openSystemd({ socket: join(await tempFolder(t), 'none') });
  assert.throws(() => systemd.notify('READY=1'), { code: 'UNSUPPORTED', message: /errno 2/ });
  await assert.rejects(async () => (await openSystemd({ socket: 'vsock:2:1' })).notify('READY=1'), {
    code: 'UNSUPPORTED',
  });
});

test('a daemon tells that it is ready, lives and stops', async (t) => {
  const name = `@tidemark-test-daemon-${process.pid}`;
  const { heard } = manager(t, name);
  const systemd = await openSystemd({ socket: name, watchdogUsec: '4000000' });
  const at = await home(t, yaml({ nightly: { schedule: '0 0 1 1 *' } }));
  const daemon = await startDaemon(t, at, { change: () => ({ systemd }) });
  await waitFor('signs of life', () => heard().filter((text) => text === 'WATCHDOG=1').length >= 3);
  assert.equal(heard()[0], 'READY=1');
  await daemon.drain();
  assert.ok(heard().includes('STOPPING=1'));
});
