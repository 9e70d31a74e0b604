import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startMariadb } from '../servers/mariadb.ts';
import { home, yamlFor } from './kit.ts';

test('an apply without changes says what an account has lost since, and that a server is away', async (t) => {
  const server = await startMariadb(t);
  await server.query('CREATE USER probed@localhost; GRANT ALL ON *.* TO probed@localhost');
  const at = await home(t);
  const shop = `shop: { driver: mysql, socket: ${server.socket}, user: probed }`;
  await at.write(yamlFor(at.folder).replace('sources:', `sources:\n  ${shop}`));
  const first = await at.inside('apply', '--auto-approve');
  assert.deepEqual([first.code, first.stderr.includes('warning')], [0, false], first.stderr);
  assert.deepEqual((await at.inside('apply')).stdout, 'nothing to apply\n');

  await server.query('REVOKE TRIGGER ON *.* FROM probed@localhost; REVOKE RELOAD ON *.* FROM probed@localhost');
  const lost = await at.inside('apply');
  assert.deepEqual([lost.code, lost.stdout], [3, ''], lost.stderr);
  assert.match(
    lost.stderr,
    /warning: sources\.shop: the account \S+ lacks RELOAD\n {2}hint: Needed .* Run: GRANT RELOAD/,
  );
  assert.match(
    lost.stderr,
    /error PROBE_FAILED: .* lacks TRIGGER.*\n {2}at sources\.shop\n {2}hint: .* Run: GRANT TRIGGER/,
  );

  await server.stop();
  const away = await at.inside('apply');
  assert.deepEqual([away.code, away.stdout], [0, 'nothing to apply\n'], away.stderr);
  assert.match(away.stderr, /warning: sources\.shop: it does not answer: .*\n {2}hint: /);
});
