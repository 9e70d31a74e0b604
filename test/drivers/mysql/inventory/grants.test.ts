import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountText, type Grants, readGrants } from '../../../../drivers/mysql/inventory/grants.ts';
import { openSession } from '../../../../drivers/mysql/protocol/session.ts';
import { startMariadb } from '../../../servers/mariadb.ts';

test('what an account may do, by whatever way it was granted', async (t) => {
  const server = await startMariadb(t);
  await server.query(`CREATE DATABASE shop; CREATE DATABASE sh_p; CREATE TABLE shop.t (id INT, v INT); CREATE ROLE r;
    GRANT INSERT ON shop.* TO r; GRANT EVENT ON shop.* TO PUBLIC;
    CREATE USER 'o''dd'@'local%' IDENTIFIED BY 'x'; GRANT r TO 'o''dd'@'local%'; SET DEFAULT ROLE r FOR 'o''dd'@'local%';
    GRANT SELECT (id), UPDATE ON shop.t TO 'o''dd'@'local%'; GRANT CREATE ON \`sh\\_p\`.* TO 'o''dd'@'local%';
    GRANT DROP ON \`sh_p\`.* TO 'o''dd'@'local%'; GRANT PROCESS ON *.* TO 'o''dd'@'local%'`);
  const grants = await of({ socketPath: server.socket, user: "o'dd", password: 'x' });
  const cases: [boolean, ...Parameters<Grants['may']>][] = [
    [true, 'INSERT', 'shop'],
    [true, 'INSERT', 'shop', 't'],
    [false, 'INSERT', 'other'],
    [false, 'INSERT'],
    [true, 'EVENT', 'shop'],
    [false, 'SELECT', 'shop', 't'],
    [true, 'UPDATE', 'shop', 't'],
    [false, 'UPDATE', 'shop'],
    [false, 'UPDATE', 'shop', 'u'],
    [true, 'CREATE', 'sh_p'],
    [false, 'CREATE', 'shop'],
    [true, 'DROP', 'shop'],
    [true, 'PROCESS'],
    [false, 'SUPER'],
  ];
  for (const [expected, ...what] of cases) assert.equal(grants.may(...what), expected, what.join(' '));
  assert.equal(accountText("ti'de@mark@%"), "'ti''de@mark'@'%'");
  const all = await of({ socketPath: server.socket, user: server.user, password: server.password });
  assert.deepEqual([all.may('SET USER'), all.may('EVENT', 'any'), all.account], [true, true, 'tidemark@localhost']);
});

async function of(address: { socketPath: string; user: string; password: string }): Promise<Grants> {
  await using connection = await openSession({ subject: 'sources.shop', ...address });
  return await readGrants(connection, 'mariadb');
}
