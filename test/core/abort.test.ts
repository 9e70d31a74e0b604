import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { reasonOfAbort, unlessAborted } from '../../core/abort.ts';

const reason = new Error('enough');
const never = new Promise<never>(() => {});

test('work that hangs ends with its signal, before or after it has begun', async () => {
  const cancel = new AbortController();
  const hanging = unlessAborted(never, cancel.signal);
  cancel.abort(reason);
  await assert.rejects(hanging, reason);
  await assert.rejects(unlessAborted(never, cancel.signal), reason);
});

test('work that ends by itself leaves no listener behind', async () => {
  const { signal } = new AbortController();
  assert.equal(await unlessAborted(Promise.resolve(5), signal), 5);
  await assert.rejects(unlessAborted(Promise.reject(reason), signal), reason);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  assert.equal(await unlessAborted(Promise.resolve(5), undefined), 5);
});

test('whatever a call fails with after its signal, the reason is why', async () => {
  const cancel = new AbortController();
  const failing = async () => {
    cancel.abort(reason);
    throw new Error('connection lost');
  };
  await assert.rejects(reasonOfAbort(cancel.signal, failing), reason);
  await assert.rejects(
    reasonOfAbort(cancel.signal, () => assert.fail('it was begun')),
    reason,
  );
  const own = reasonOfAbort(new AbortController().signal, () => Promise.reject(new Error('its own')));
  await assert.rejects(own, /its own/);
});
