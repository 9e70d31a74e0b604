import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { diagnosticCodes, loadConfiguration, planSettings } from '../../../core/config/index.ts';
import { hasErrors } from '../../../core/diagnostic.ts';
import { tempFolder } from '../../kit/temp.ts';
import { drivers, soundYaml } from './given.ts';

const seed = Number(process.env.FUZZ_SEED ?? 20261120);
const rounds = Number(process.env.FUZZ_ROUNDS ?? 120);

test(`whatever is in the file, loading gives a configuration or errors with places (FUZZ_SEED=${seed})`, async (t) => {
  const file = join(await tempFolder(t), 'tidemark.yaml');
  const random = generator(seed);
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    const text = mutated(soundYaml, random);
    await writeFile(file, text);
    const loaded = await loadConfiguration(file, drivers).catch((error) => {
      throw new Error(`round ${round} threw on:\n${text}`, { cause: error });
    });
    assert.equal(loaded.configuration === undefined, hasErrors(loaded.diagnostics), text);
    for (const { position, code } of loaded.diagnostics) {
      assert.ok(Object.hasOwn(diagnosticCodes, code), code);
      assert.equal(position?.file, file);
      assert.ok(position.line >= 1 && position.line <= text.split('\n').length + 1 && position.column >= 1, text);
    }
    for (const plan of loaded.configuration?.resources.values() ?? []) {
      if (plan.collection === 'plans') planSettings(plan, loaded.configuration!.resources, drivers);
    }
    refused += loaded.configuration === undefined ? 1 : 0;
  }
  assert.ok(refused > rounds / 3 && refused < rounds, `${refused} of ${rounds} were refused`);
});

type Random = (below: number) => number;

function mutated(text: string, random: Random): string {
  let lines = text.split('\n');
  for (let left = 1 + random(3); left > 0; left--) lines = mutations[random(mutations.length)]!(lines, random);
  return lines.join('\n');
}

const odd = [
  '',
  'null',
  '[]',
  '{}',
  '7',
  '-1',
  '.inf',
  '"x"',
  '*a',
  '&a x',
  '!!binary AA==',
  '${env:X}',
  '? [a]: b',
  '\t',
  '\0',
];

const mutations: readonly ((lines: readonly string[], random: Random) => string[])[] = [
  (lines, random) => lines.toSpliced(random(lines.length), 1),
  (lines, random) => lines.toSpliced(random(lines.length), 0, lines[random(lines.length)]!),
  (lines, random) => changed(lines, random, (line) => line.replace(/: .*/, () => `: ${odd[random(odd.length)]}`)),
  (lines, random) => changed(lines, random, (line) => `  ${line}`),
  (lines, random) => changed(lines, random, (line) => spliced(line, random)),
  (lines, random) => changed(lines, random, (line) => line.replace(/[a-z]{3,}/, () => odd[random(odd.length)]!)),
  (lines, random) => changed(lines, random, (line) => line.replace(/\d+/, () => String(random(100_000)))),
  (lines) => [...lines],
];

function changed(lines: readonly string[], random: Random, change: (line: string) => string): string[] {
  const at = random(lines.length);
  return lines.with(at, change(lines[at]!));
}

function spliced(line: string, random: Random): string {
  const at = random(line.length + 1);
  const inserted = String.fromCharCode(32 + random(95));
  return line.slice(0, at) + inserted + line.slice(at + random(2));
}

/** mulberry32. */
function generator(start: number): Random {
  let state = start;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
