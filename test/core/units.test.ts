import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasCode } from '../../core/error.ts';
import { formatBytes, formatDuration, formatNumber, formatRate, formatTime, parseDuration } from '../../core/units.ts';
import { runOk } from '../kit/process.ts';

const invalid = (error: unknown) => hasCode(error, 'CONFIG_INVALID');

test('durations', () => {
  const known = { '0s': 0, '250ms': 250, '90s': 90_000, '5m': 300_000, '26h': 93_600_000, '7d': 604_800_000 };
  for (const [text, ms] of Object.entries({
    ...known,
    '2w': 1_209_600_000,
    '1h30m': 5_400_000,
    '1d2h3m4s5ms': 93_784_005,
  })) {
    assert.equal(parseDuration(text), ms, text);
  }
  for (const text of ['', '6', 's', '6x', '1.5h', '-5m', '5 m', '5M', '30m1h', '1h1h', ' 5m', '5m\n', '99999999999w']) {
    assert.throws(() => parseDuration(text), invalid, text);
  }
});

test('for people', () => {
  const durations = [0, 820, 4_250, 59_999, 60_000, 200_000, 3_599_000, 7_260_000, 183_600_000, 864_000_000];
  assert.deepEqual(durations.map(formatDuration), [
    '0ms',
    '820ms',
    '4.2s',
    '59.9s',
    '1m',
    '3m 20s',
    '59m 59s',
    '2h 1m',
    '2d 3h',
    '10d',
  ]);
  const sizes = [0, 1023, 1024, 1536, 1_048_575, 34_359_738_368, 5e18];
  assert.deepEqual(sizes.map(formatBytes), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '1.0 MiB',
    '32.0 GiB',
    '4440.9 PiB',
  ]);
  assert.equal(formatRate(41_943_040), '40.0 MiB/s');
});

test('times and numbers read as those of Intl, which a process does without', (t) => {
  const { TZ } = process.env;
  t.after(() => {
    if (TZ === undefined) delete process.env.TZ;
    else process.env.TZ = TZ;
  });
  for (const zone of ['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/St_Johns', 'Pacific/Apia']) {
    process.env.TZ = zone;
    const intl = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone: zone });
    for (let ms = 0; ms < 4e12; ms += 97_654_321_987) {
      assert.equal(formatTime(new Date(ms)), intl.format(ms), `${zone} ${ms}`);
    }
  }
  for (const number of [0, 7, 999, 1000, -1000, 123_456, 1_234_567, 2 ** 53 - 1, 2 ** 60, 1.5, -12_345.678]) {
    assert.equal(formatNumber(number), number.toLocaleString('en-US'));
  }
});

test('the words of a verb need no tables of a language', async () => {
  const source = `Intl.DateTimeFormat = Intl.NumberFormat = Number.prototype.toLocaleString = undefined;
    const { count, formatTime } = await import(${JSON.stringify(import.meta.resolve('../../cmd/views/words.ts'))});
    console.log(count(1234, 'backup'), formatTime(new Date(0)));`;
  const { stdout } = await runOk(process.execPath, ['--input-type=module', '-e', source], {
    env: { TZ: 'UTC' },
  });
  assert.equal(stdout, '1,234 backups 1970-01-01 00:00:00\n');
});
