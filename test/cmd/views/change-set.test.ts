import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeSetMarkdown, changeSetText } from '../../../cmd/views/change-set.ts';
import { change, edit, shop, twelve } from '../../core/change/samples.ts';

const changed = edit(shop, {
  'sources.more': { driver: 'files', paths: ['/a|b', '/<c>'] },
  'destinations.nas': { ...shop['destinations.nas'], path: '/mnt/new', requireMount: true },
  'plans.nightly': undefined,
});
const set = change(shop, changed, twelve);

test('a change set reads as text', () => {
  assert.equal(
    changeSetText(set, { color: false }),
    `! refuse plans.nightly: it still holds 12 backups (3.0 GiB) in nas
    hint: If only its name changed, write \`renamedFrom: nightly\` in the one with the new name. Otherwise set \`onRemove: orphan\` on it and apply, then remove it: its backups are kept and can be restored.

+ add sources.more: not applied yet  /etc/tidemark.yaml:4
    driver: "files"
    paths: ["/a|b","/<c>"]

~ change destinations.nas (destructive): differs in path, requireMount  /etc/tidemark.yaml:2
    path: "/mnt/nas" -> "/mnt/new"
    requireMount: true
    => unless its repository was moved along, 12 backups (3.0 GiB) in nas stay at the old place and are no longer listed; \`tidemark catalog import\` finds them when it is declared again with the old place

1 to add, 1 to change, 0 to remove, 1 refused, 1 destructive
`,
  );
});

test('colour is added to the same text and nothing else', () => {
  const colored = changeSetText(set, { color: true });
  assert.match(colored, /\u001b\[31m! refuse plans\.nightly\u001b\[0m/);
  assert.equal(colored.replaceAll(/\u001b\[\d+m/g, ''), changeSetText(set, { color: false }));
});

test('a change set reads as a comment on a pull request', () => {
  const markdown = changeSetMarkdown(set);
  assert.match(markdown, /^\*\*tidemark plan\*\*: 1 to add, 1 to change/);
  const rows = markdown.split('\n').filter((line) => line.startsWith('| '));
  assert.equal(rows.length, 4);
  for (const row of rows) assert.equal(row.split(/(?<!\\)\|/).length, 6, row);
  assert.match(markdown, /\n! path: "\/mnt\/nas" -> "\/mnt\/new"\n\+ requireMount: true\n```/);
});

test('no changes is one line', () => {
  const none = change(shop, shop);
  assert.match(changeSetText(none, { color: true }), /^no changes.*\n$/);
  assert.match(changeSetMarkdown(none), /^\*\*tidemark plan\*\*: no changes.*\n$/);
});
