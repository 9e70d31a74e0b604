import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { resticPrograms } from '../../bench/restic-programs.ts';
import { soakMinutes, soakSeed } from '../kit/soak.ts';
import { Turns } from './turns.ts';

const turnsPerRepository = 150;

test('tidemark and every restic that can be had use one repository in turn and at once, and nothing is lost', async (t) => {
  const programs = await resticPrograms(join(tmpdir(), 'tidemark-soak'));
  t.diagnostic(`with ${programs.map(({ name }) => name).join(', ')}`);
  const commands = programs.map(({ command }) => command).reverse(); // the newest last
  const end = performance.now() + soakMinutes * 60_000;
  let sound = true;
  for (let round = 1; sound && performance.now() < end; round++) {
    const seed = `${soakSeed} ${round}`;
    await t.test(`seed ${seed}`, { timeout: Number.POSITIVE_INFINITY }, async (t) => {
      sound = false;
      const turns = await Turns.start(t, seed, commands);
      let turn = 1;
      for (; turn <= turnsPerRepository && performance.now() < end; turn++) {
        await turns.turn();
        if (turn % 15 === 0) await turns.judge('some');
      }
      await turns.judge('all');
      t.diagnostic(`${turn - 1} turns`);
      sound = true;
    });
  }
});
