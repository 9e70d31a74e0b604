import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorsOf, load, soundYaml } from './given.ts';
import { mistakes } from './mistakes.ts';

test('a sound configuration has no errors and no warnings', async (t) => {
  const loaded = await load(t, soundYaml);
  assert.deepEqual(errorsOf(loaded), []);
  assert.equal(loaded.configuration?.resources.size, 7);
  assert.deepEqual(loaded.diagnostics, []);
});

for (const { what, line, by, errors } of mistakes) {
  test(`says: ${what}`, async (t) => {
    const before = soundYaml.split(`${line}\n`)[0]!;
    assert.notEqual(before, soundYaml, 'the line to replace is there');
    const loaded = await load(
      t,
      soundYaml.replace(`${line}\n`, () => `${by}\n`),
    );
    const firstLine = before.split('\n').length;
    assert.deepEqual(errorsOf(loaded, firstLine), errors);
    assert.equal(loaded.configuration, undefined);
  });
}
