import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notCarried } from '../../../../drivers/mysql/format/contents.ts';
import schema from '../../../../schemas/source.mysql.json' with { type: 'json' };

test('the reference names what logical backups do not carry', () => {
  const sentence = `Logical backups do not carry: ${notCarried.join('; ')}.`;
  assert(schema.description.endsWith(sentence), sentence);
});
