import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { openOutput } from '../../../cmd/output.ts';
import type { Surroundings } from '../../../cmd/surroundings.ts';
import { contentsTable } from '../../../cmd/views/contents.ts';
import { diagnosticsText, warningText } from '../../../cmd/views/errors.ts';
import { logLine } from '../../../cmd/views/log-line.ts';
import { type Look, paint, printable } from '../../../cmd/views/look.ts';
import { notRestoredText } from '../../../cmd/views/not-restored.ts';
import { showProgress } from '../../../cmd/views/progress.ts';
import { table } from '../../../cmd/views/table.ts';
import type { Job } from '../../../core/catalog/index.ts';

const plain: Look = { colour: false, columns: 80, now: new Date('2026-11-20T12:00:00Z') };
const coloured: Look = { ...plain, colour: true };

test('a table is as wide as its cells, leaves out what says nothing, and colours do not count', () => {
  const rows = [
    { name: 'a', size: 5 },
    { name: 'longer', size: 12345 },
  ];
  const shown = (look: Look) =>
    table(
      rows,
      [
        { title: 'NAME', cell: ({ name }) => paint(look, 'red', name) },
        { title: 'NOTHING', cell: () => undefined },
        { title: 'SIZE', right: true, cell: ({ size }) => String(size) },
      ],
      look,
    );
  assert.equal(shown(plain), 'NAME     SIZE\na           5\nlonger  12345\n');
  assert.notEqual(shown(coloured), shown(plain));
  assert.equal(stripVTControlCharacters(shown(coloured)), shown(plain));
});

const jobs = [
  { id: '01HZ', kind: 'backup', by: 'schedule', what: 'SOURCE_FAILED: the server went away while it was being read' },
  { id: '01J0', kind: 'restore', by: 'manual', what: '' },
];
const jobsAt = (columns: number) =>
  table(
    jobs,
    [
      { title: 'ID', cell: ({ id }) => id },
      { title: 'KIND', cell: ({ kind }) => kind },
      { title: 'BY', minor: true, cell: ({ by }) => by },
      { title: 'WHAT', cell: ({ what }) => what },
    ],
    { ...plain, columns },
  );

test('a table that is wider than the terminal drops minor columns, then wraps its last, then stands as records', () => {
  const all = jobsAt(90);
  assert.match(all, /^ID {4}KIND {5}BY {8}WHAT\n01HZ {2}backup {3}schedule {2}SOURCE_FAILED: .* read\n/);
  assert.equal(jobsAt(Number.POSITIVE_INFINITY), all);
  assert.match(jobsAt(80), /^ID {4}KIND {5}WHAT\n01HZ {2}backup {3}SOURCE_FAILED: .* read\n01J0 {2}restore\n$/);
  const indent = ' '.repeat(15);
  assert.equal(
    jobsAt(50),
    `ID    KIND     WHAT\n01HZ  backup   SOURCE_FAILED: the server went away\n${indent}while it was being read\n01J0  restore\n`,
  );
  const records = jobsAt(30);
  assert.match(records, /^ID {4}01HZ\nKIND {2}backup\nBY {4}schedule\nWHAT {2}SOURCE_FAILED: .* read\n\nID {4}01J0\n/);
  for (const columns of [80, 60, 50, 40]) {
    assert.ok(
      jobsAt(columns)
        .split('\n')
        .every((line) => line.length <= columns),
      `${columns}`,
    );
  }
});

test('what is far too long to read is shown without its middle', () => {
  const path = `/${'x'.repeat(10_000)}/end`;
  const text = warningText(`${path} cannot be read`, plain, `Look at ${path}.`);
  assert.ok(text.length < 2_500, `${text.length}`);
  assert.match(text, /^warning: \/x+ \.\.\. x+\/end cannot be read\n {2}hint: Look at/);
});

test('of thousands of mistakes the first fifty are shown, errors first, and how many there are', () => {
  const mistake = { severity: 'error', code: 'x', summary: 'wrong' } as const;
  const warning = { severity: 'warning', code: 'y', summary: 'odd' } as const;
  const lines = diagnosticsText([warning, ...Array(20_000).fill(mistake)], '/', plain)
    .trimEnd()
    .split('\n');
  assert.deepEqual(
    [lines.length, lines[0], lines[50]],
    [51, 'error: wrong', 'and 19,951 more; `--json` gives all of them'],
  );
  assert.equal(diagnosticsText([warning, mistake], '/', plain), 'warning: odd\nerror: wrong\n');
});

test('what would move the cursor is shown as an escape', () => {
  assert.equal(printable('a\x1b[31mb\nc\u202ed\x9b'), 'a\\x1b[31mb\\nc\\u202ed\\x9b');
  assert.equal(printable('\udc80'), '\ufffd');
  assert.equal(printable('grün 🐟'), 'grün 🐟');
});

test('contents show the plain fields of any driver', () => {
  const text = contentsTable(
    [
      { table: 'a.b', rows: 1234, checksums: ['x'] },
      { table: 'c', rows: 5, note: 'new' },
    ],
    plain,
  );
  assert.equal(text, 'TABLE   ROWS  NOTE\na.b    1,234\nc          5  new\n');
});

test('what a restore could not bring back is shown up to a count', () => {
  const one = { item: 'view shop.a\n', why: 'refused', detail: 'unknown column' } as const;
  assert.equal(notRestoredText([], 0, plain), '');
  assert.equal(notRestoredText([one], 1, plain), 'not restored: view shop.a\\n (refused): unknown column\n');
  const lines = notRestoredText(Array(10_000).fill(one), 12_345, plain).split('\n');
  assert.deepEqual([lines.length, lines[50]], [52, 'and 12,295 more; `tidemark restores --json` lists them']);
});

test('a line of the log for people', () => {
  const line = logLine('{"level":"warn","time":"2026-11-20T12:00:00.000Z","msg":"text","subject":"plans.x"}', plain);
  assert.match(line, /^\S+ \S+ warn {2}text subject=plans\.x$/);
  const failed = logLine(
    '{"level":"error","time":"2026-11-20T12:00:00.000Z","err":{"code":"BUG","message":"m"}}',
    plain,
  );
  assert.match(failed, / error BUG: m$/);
});

test('progress is drawn over itself on a terminal, and told in few lines elsewhere', () => {
  const told: string[] = [];
  let ms = 0;
  const clock = { now: () => new Date(ms), monotonicMs: () => ms, sleep: () => Promise.resolve() };
  const stream = (isTTY: boolean) => ({ isTTY, columns: 100, write: (text: string) => told.push(text) });
  const view = (isTTY: boolean) => {
    const surroundings = { env: {}, cwd: '/', clock, stdout: stream(isTTY), stderr: stream(isTTY) };
    const globals = { json: false, quiet: false, color: false };
    return showProgress(openOutput(surroundings as unknown as Surroundings, globals), 'backup x', clock);
  };
  const job = (doneBytes: number) =>
    ({
      state: 'running',
      progress: { step: 'reading', doneBytes, totalBytes: 100 * 2 ** 20, doneItems: 0, at: new Date(ms) },
    }) as Job;

  const live = view(true);
  live.update(job(0));
  ms = 2000;
  live.update(job(25 * 2 ** 20));
  live.end();
  assert.deepEqual(told.splice(0), [
    '\r\x1b[2Kbackup x [--------------------] 0%  0 B of 100.0 MiB  reading',
    '\r\x1b[2Kbackup x [#####---------------] 25%  25.0 MiB of 100.0 MiB  12.5 MiB/s  6s left  reading',
    '\r\x1b[2K',
  ]);

  const lines = view(false);
  for (const step of [0, 1, 2, 3, 4, 5, 6, 7]) {
    ms = 2000 + step * 1000;
    lines.update(job(step * 2 ** 20));
  }
  lines.end();
  assert.deepEqual(told, ['backup x: reading, 5.0 MiB of 100.0 MiB, 1.0 MiB/s, 1m 35s left\n']);
});
