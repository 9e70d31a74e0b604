import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BackupResult } from '../../../../core/driver/index.ts';
import { type MariadbServer, startMariadb } from '../../../servers/mariadb.ts';
import { openServer, TestRepository } from '../repository.ts';
import { runNow } from './run-now.ts';

/** All that a backup of `shop` needs, as the server takes it. */
const grants = {
  select: 'SELECT ON shop.*',
  views: 'SHOW VIEW ON shop.*',
  triggers: 'TRIGGER ON shop.*',
  events: 'EVENT ON shop.*',
  routines: 'SELECT ON mysql.proc',
  dictionary: 'PROCESS ON *.*',
  lock: 'RELOAD, BINLOG MONITOR ON *.*',
} as const;

const kinds: Record<string, string> = { views: 'view', events: 'event', routines: 'procedure' };

test('what the account may not see fails the backup by name, or makes it partial where the user does without', async (t) => {
  const server = await startMariadb(t);
  await server.query(`CREATE DATABASE shop; USE shop; CREATE TABLE o (id INT PRIMARY KEY, v INT, w INT); INSERT INTO o VALUES (1, 2, 3);
    CREATE TABLE p (id INT PRIMARY KEY); CREATE VIEW totals AS SELECT 1; CREATE TRIGGER tr BEFORE INSERT ON o FOR EACH ROW SET NEW.v = 1;
    CREATE EVENT ev ON SCHEDULE EVERY 1 DAY DO SET @a = 1; CREATE PROCEDURE pr() SELECT 1; CREATE DATABASE other; CREATE TABLE other.x (i INT)`);
  const repository = await TestRepository.make(t);
  const backup = (allowMissing: string[] = [], include = ['shop.*']) =>
    repository.backup(server, { include, settings: { user: 'low', password: '', allowMissing } });

  await grant(server, Object.values(grants));
  const { result } = await backup();
  assert.equal(result.facts.partial, false, result.facts.warnings.join());
  assert.deepEqual(found(result), ['event', 'procedure', 'table', 'table', 'view']);

  for (const what of ['views', 'triggers', 'events', 'routines', 'dictionary'] as const) {
    await grant(
      server,
      Object.values(grants).filter((one) => one !== grants[what]),
    );
    const hint = new RegExp(
      `Run: GRANT ${grants[what].replace(/shop|mysql\.proc/, '.*').replaceAll('*', '.*')} TO 'low'@'localhost';`,
    );
    await assert.rejects(backup(), { code: 'SOURCE_DENIED', hint, subject: 'sources.shop' }, what);
    const less = (await backup([what])).result;
    assert.equal(less.facts.partial, true, what);
    assert.match(less.facts.warnings.join('; '), new RegExp(`out of the account's sight \\(${what}\\)`));
    assert.deepEqual(
      found(less),
      ['event', 'procedure', 'table', 'table', 'view'].filter((one) => one !== kinds[what]),
    );
  }

  await grant(server, ['SELECT (id, v), SHOW VIEW, TRIGGER, INSERT ON shop.o', grants.dictionary, grants.lock]);
  await assert.rejects(backup([], ['shop.o']), { code: 'SOURCE_DENIED', hint: /GRANT SELECT ON `shop`.`o`/ });
  const none = (await backup(['columns'], ['shop.o'])).result;
  assert.deepEqual([found(none), none.facts.partial], [[], true]);
  assert.match(none.facts.warnings.join('; '), /table shop\.o: the account may not read it/);

  await grant(server, Object.values(grants));
  await assert.rejects(backup([], []), { code: 'SOURCE_DENIED', hint: /GRANT SHOW DATABASES ON \*\.\*/ });
  assert.equal((await backup(['databases'], [])).result.facts.partial, true);

  await server.query(
    `CREATE ROLE r; GRANT TRIGGER ON shop.* TO r; REVOKE TRIGGER ON shop.* FROM low@localhost; GRANT r TO low@localhost`,
  );
  await assert.rejects(backup(), { code: 'SOURCE_DENIED' }, 'a role that is not the default');
  await server.query('SET DEFAULT ROLE r FOR low@localhost');
  assert.equal((await backup()).result.facts.partial, false);
});

test('a name selects what is like a table: a routine or event of that name is no part of it, seen or not', async (t) => {
  const server = await startMariadb(t);
  await server.query(`CREATE DATABASE shop; USE shop; CREATE TABLE orders (id INT PRIMARY KEY); CREATE VIEW totals AS SELECT 1; CREATE SEQUENCE ids;
    CREATE PROCEDURE orders() SELECT 1; CREATE EVENT orders ON SCHEDULE EVERY 1 DAY DO SET @a = 1; CREATE FUNCTION f() RETURNS INT RETURN 1`);
  const repository = await TestRepository.make(t);
  const names = ['shop.orders', 'shop.totals', 'shop.ids'];
  const backup = async (user: string, include: string[], exclude: string[] = []) => {
    const password = user === 'low' ? '' : server.password;
    return (await repository.backup(server, { include, exclude, settings: { user, password } })).result;
  };

  await grant(server, [grants.select, grants.views, grants.triggers, grants.dictionary, grants.lock]);
  for (const user of ['low', 'tidemark']) {
    const result = await backup(user, names);
    assert.deepEqual(found(result), ['sequence', 'table', 'view'], user);
    assert.deepEqual([result.facts.partial, result.facts.warnings], [false, []], user);
  }
  for (const include of [['shop.orders*'], [...names, 'shop.o*'], ['shop']]) {
    await assert.rejects(backup('low', include), {
      code: 'SOURCE_DENIED',
      hint: /GRANT EVENT .*GRANT SELECT ON `mysql`/,
    });
  }
  assert.deepEqual(found(await backup('tidemark', ['shop.orders*'])), ['event', 'procedure', 'table']);
  assert.deepEqual(found(await backup('tidemark', ['shop.*'], ['shop.orders'])), ['function', 'sequence', 'view']);
  await assert.rejects(backup('tidemark', ['shop.f']), { code: 'CONFIG_INVALID', hint: /Routines and events match/ });
  const less = await backup('tidemark', ['shop.orders', 'shop.f']);
  assert.deepEqual([found(less), less.facts.partial], [['table'], true]);
  assert.deepEqual(less.facts.warnings, ['nothing matches include shop.f']);
});

test('what was out of sight when the backup began, or is found then, is named', async (t) => {
  const server = await startMariadb(t);
  await server.query(`CREATE DATABASE shop; USE shop; CREATE TABLE o (id INT PRIMARY KEY, v INT);
    CREATE TRIGGER tr BEFORE INSERT ON o FOR EACH ROW SET NEW.v = 1; CREATE TABLE p (id INT PRIMARY KEY);
    CREATE DATABASE store; CREATE TABLE store.q (i INT) ENGINE=MyISAM`);
  const repository = await TestRepository.make(t);
  const during = async (sql: string, allowMissing: string[], include: string[]) => {
    let isFirst = true;
    const step = (text: string) => {
      if (text.startsWith('reading') && isFirst) runNow(server, sql);
      isFirst &&= !text.startsWith('reading');
    };
    const settings = { user: 'low', password: '', allowMissing };
    return (await repository.backup(server, { include, step, settings })).result.facts;
  };

  await grant(
    server,
    Object.values(grants).filter((one) => one !== grants.triggers),
  );
  const granted = await during('GRANT TRIGGER ON shop.* TO low@localhost', ['triggers'], ['shop']);
  assert.equal(granted.partial, true);
  assert.match(granted.warnings.join('; '), /out of the account's sight \(triggers\)/);

  const some = ['SELECT, SHOW VIEW, TRIGGER ON shop.o', 'INSERT ON shop.*', 'EVENT ON shop.*'];
  await grant(server, [...some, grants.routines, grants.dictionary, grants.lock]);
  const made = await during('RENAME TABLE store.q TO shop.q', ['tables', 'views', 'triggers'], ['shop']);
  assert.equal(made.partial, true);
  assert.match(made.warnings.join('; '), /table shop\.q: the account may not read it/);
});

test('a probe finds what a backup would', async (t) => {
  const server = await startMariadb(t);
  await server.query('CREATE DATABASE shop; CREATE TABLE shop.o (id INT)');
  await grant(server, [grants.select, grants.views, grants.dictionary]);
  await using session = await openServer(server, { user: 'low', password: '', allowMissing: ['events'] });
  const { problems } = await session.probe(new AbortController().signal);
  const texts = problems.map(
    (one) => `${one.severity}: ${one.summary.replace('the account low@localhost lacks ', '')}`,
  );
  assert.deepEqual(texts.sort(), [
    'error: TRIGGER on `shop`.*',
    'warning: BINLOG MONITOR',
    'warning: EVENT on `shop`.*',
    'warning: RELOAD',
    'warning: SELECT on `mysql`.`proc`',
    'warning: SHOW DATABASES',
  ]);
});

async function grant(server: MariadbServer, what: readonly string[]): Promise<void> {
  const statements = what.map((one) => `GRANT ${one} TO low@localhost`);
  await server.query(`DROP USER IF EXISTS low@localhost; CREATE USER low@localhost; ${statements.join('; ')}`);
}

function found({ facts }: BackupResult): string[] {
  const kinds = facts.contents.map((one) => String(one.kind));
  return kinds.filter((kind) => kind !== 'server' && kind !== 'database').toSorted();
}
