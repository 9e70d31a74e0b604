import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSqliteCatalog } from '../../../core/catalog/index.ts';
import { asTidemarkError, TidemarkError } from '../../../core/error.ts';
import { createEmitter, createLogger, eventKinds, eventReference } from '../../../core/observe/index.ts';
import { Secret } from '../../../core/secret.ts';
import { manualClock } from '../../contracts/catalog-samples.ts';
import { tempFolder } from '../../kit/temp.ts';

function captured(level: 'debug' | 'info' = 'info') {
  const lines: string[] = [];
  return { logger: createLogger({ stream: { write: (line) => lines.push(line) }, level }), lines };
}

test('a line is JSON with time, level and text, and debug is left out', () => {
  const { logger, lines } = captured();
  logger.debug('x');
  logger.warn({ plan: 'nightly' }, 'late');
  assert.equal(lines.length, 1);
  const { time, ...rest } = JSON.parse(lines[0]!);
  assert.deepEqual(rest, { level: 'warn', plan: 'nightly', msg: 'late' });
  assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

test('secrets do not reach the log', () => {
  const { logger, lines } = captured();
  logger.info({ password: 'hunter2', spec: { secretKey: 'hunter2', host: 'db1' }, value: new Secret('hunter2') }, 'x');
  logger.error({ err: new TidemarkError('SOURCE_FAILED', 'lost', { cause: new Error('row: hunter2') }) }, 'x');
  assert.ok(!lines.join('').includes('hunter2'));
  assert.deepEqual(JSON.parse(lines[1]!).err, { code: 'SOURCE_FAILED', message: 'lost' });
});

test('a defect shows where it was', () => {
  const { logger, lines } = captured();
  logger.error({ err: asTidemarkError(new RangeError('oops')) }, 'x');
  assert.match(JSON.parse(lines[0]!).err.stack, /RangeError: oops\n +at .*logger\.test/);
});

test('an event goes to the catalog and to the log at the level of its kind', async (t) => {
  await using catalog = await openSqliteCatalog(join(await tempFolder(t), 'catalog.db'), manualClock());
  const { logger, lines } = captured();
  const emit = createEmitter(catalog.events, logger);
  await emit('plan.suspended', 'plans.nightly', 'source shop is down');
  await emit('plan.suspended', 'plans.nightly', 'source shop is down');
  const [event] = await catalog.events.list();
  assert.deepEqual(
    [event?.kind, event?.level, event?.subject, event?.count],
    ['plan.suspended', 'error', 'plans.nightly', 2],
  );
  const { time: _, ...line } = JSON.parse(lines[0]!);
  assert.deepEqual(line, {
    level: 'error',
    event: 'plan.suspended',
    subject: 'plans.nightly',
    msg: 'source shop is down',
  });
});

test('every kind of event is in the reference', () => {
  const reference = eventReference();
  for (const kind of Object.keys(eventKinds)) assert.ok(reference.includes(`\`${kind}\``), kind);
});
