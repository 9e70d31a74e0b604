import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestRepository } from '../../drivers/mysql/repository.ts';
import { mysql97, startServer } from './server.ts';

test('a library, which is not carried, makes a backup partial that selects it, and is named', async (t) => {
  const server = await startServer(t, mysql97);
  const connection = await server.connect({ multipleStatements: true });
  await connection.query(`CREATE DATABASE shop; CREATE TABLE shop.t (i INT); CREATE DATABASE code;
    CREATE LIBRARY code.tools LANGUAGE JAVASCRIPT AS $$ export function f(n) { return n + 1 } $$`);
  await connection.end();
  const repository = await TestRepository.make(t);
  const backup = async (...include: string[]) => {
    const { partial, warnings } = (await repository.backup(server, { include })).result.facts;
    return { partial, warnings };
  };
  const named = { partial: true, warnings: ['not in this backup: library code.tools: not carried by this version'] };
  assert.deepEqual(await backup(), named);
  assert.deepEqual(await backup('code.too*'), named);
  assert.deepEqual(await backup('shop.*'), { partial: false, warnings: [] });
});
