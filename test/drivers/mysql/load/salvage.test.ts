import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NotRestored } from '../../../../core/driver/index.ts';
import { type MariadbServer, startMariadb } from '../../../servers/mariadb.ts';
import { TestRepository } from '../repository.ts';

const args = ['--local-infile=1'];

test('damage in the repository costs what it touches', async (t) => {
  const [source, target] = await Promise.all([startMariadb(t, { args }), startMariadb(t, { args })]);
  await source.query(tenTables);
  const fresh = async () => {
    const repository = await TestRepository.make(t);
    const { id } = await repository.backup(source);
    await target.query('DROP DATABASE IF EXISTS shop');
    return { repository, id };
  };

  await t.test(
    'in the rows of a table: it is named with blobs and packs and dropped, the others are there',
    async () => {
      const { repository, id } = await fresh();
      await repository.damageFile(id, 'databases/shop/t5/00000.tsv', 1);
      await repository.damageFile(id, 'databases/shop/t5/00000.tsv', 3);
      const { items, partial, notRestored } = await repository.restore(id, target);
      assert.deepEqual(
        [items, partial, named(notRestored)],
        [
          9,
          true,
          [
            'table shop.t5: damaged',
            'view shop.v5: skipped',
            'view shop.vv5: skipped',
            'triggers of table shop.t5: skipped',
          ],
        ],
      );
      const { detail } = notRestored[0]!;
      assert.equal([...detail.matchAll(/[0-9a-f]{64}/g)].length >= 3, true, detail);
      assert.match(detail, /the table is dropped again; with `--keep-damaged` its whole rows stay/);
      assert.match(
        notRestored[1]!.detail,
        /^needs table shop\.t5, which is not restored: Table 'shop\.t5' doesn't exist$/,
      );
      assert.match(notRestored[2]!.detail, /^needs view shop\.v5/);
      assert.deepEqual(await tablesOf(target), ['t0', 't1', 't2', 't3', 't4', 't6', 't7', 't8', 't9', 'v1']);
      await sameRows(source, target, ['t0', 't1', 't2', 't3', 't4', 't6', 't7', 't8', 't9']);
    },
  );

  await t.test('kept on request, with every row that is whole', async () => {
    const { repository, id } = await fresh();
    await repository.damageFile(id, 'databases/shop/t5/00000.tsv', 1);
    const { items, partial, notRestored } = await repository.restore(id, target, { keepDamaged: true });
    assert.deepEqual([items, partial, named(notRestored)], [9, true, ['table shop.t5: damaged']]);
    const [{ rows } = { rows: 0 }] = await target.query('SELECT COUNT(*) AS `rows` FROM shop.t5');
    assert(rows > 2000 && rows < 6000, `${rows}`);
    assert.match(notRestored[0]!.detail, new RegExp(`; ${rows} of its 6000 rows are there$`));
    await source.query('CREATE OR REPLACE TABLE shop.kept AS SELECT * FROM shop.t5 WHERE 0');
    const kept = await target.query('SELECT id, MD5(pad) AS pad FROM shop.t5 ORDER BY id');
    const all = new Map(
      (await source.query('SELECT id, MD5(pad) AS pad FROM shop.t5')).map((row) => [row.id, row.pad]),
    );
    assert.deepEqual(
      kept.filter(({ id, pad }) => all.get(id) !== pad),
      [],
    );
    assert.equal((await target.query('SELECT COUNT(*) AS n FROM shop.vv5'))[0]!.n, rows);
    await source.query('DROP TABLE shop.kept');
  });

  await t.test('what is in the target is not replaced by what is damaged', async () => {
    const { repository, id } = await fresh();
    await repository.restore(id, target);
    await target.query('UPDATE shop.t5 SET n = 77 WHERE id = 1; UPDATE shop.t6 SET n = 77 WHERE id = 1');
    await target.query('CREATE OR REPLACE VIEW shop.v5 AS SELECT 77 AS id, 77 AS n');
    await repository.damageFile(id, 'databases/shop/v5.view.sql');
    await repository.damageFile(id, 'databases/shop/t5/00000.tsv', 2);
    await repository.damageFile(id, 'databases/shop/t6/schema.sql');
    const { notRestored } = await repository.restore(id, target, { overwrite: true });
    assert.deepEqual(named(notRestored).sort(), [
      'table shop.t5: damaged',
      'table shop.t6: damaged',
      'triggers of table shop.t5: skipped',
      'view shop.v5: damaged',
    ]);
    assert.deepEqual(await target.query('SELECT id FROM shop.v5'), [{ id: 77 }]);
    assert.match(
      notRestored.find(({ item }) => item === 'table shop.t5')!.detail,
      /what was there before is still there$/,
    );
    assert.deepEqual(
      await target.query('SELECT n FROM shop.t5 WHERE id = 1 UNION ALL SELECT n FROM shop.t6 WHERE id = 1'),
      [{ n: 77 }, { n: 77 }],
    );
  });

  await t.test('in definitions: each costs its object', async () => {
    const { repository, id } = await fresh();
    for (const path of ['t2/schema.sql', 'v5.view.sql', 't5/triggers.sql', 'twice.function.sql', 'schema.sql']) {
      await repository.damageFile(id, `databases/shop/${path}`);
    }
    const { items, notRestored } = await repository.restore(id, target);
    assert.equal(items, 9);
    assert.deepEqual(named(notRestored), [
      'database shop: damaged',
      'table shop.t2: damaged',
      'function shop.twice: damaged',
      'view shop.v5: damaged',
      'view shop.vv5: skipped',
      'triggers of table shop.t5: damaged',
    ]);
    assert.match(notRestored[0]!.detail, /it was made with the server's own character set$/);
  });

  await t.test('in a folder: what is below it', async () => {
    const { repository, id } = await fresh();
    await repository.damageFolder(id, 'databases/shop/t5');
    const one = await repository.restore(id, target);
    assert.deepEqual([one.items, named(one.notRestored)[0]], [9, 'table shop.t5: damaged']);
    await target.query('DROP DATABASE shop');
    await repository.damageFolder(id, 'databases/shop');
    const all = await repository.restore(id, target);
    assert.deepEqual([all.items, all.partial], [0, true]);
    assert.deepEqual(new Set(all.notRestored.map(({ why }) => why)), new Set(['damaged', 'skipped']));
    assert.deepEqual(named(all.notRestored).filter((text) => /^table .*damaged/.test(text)).length, 10);
  });
});

test('what the target refuses costs what needs it', async (t) => {
  const [source, target] = await Promise.all([startMariadb(t, { args }), startMariadb(t, { args })]);
  await source.query(tenTables);
  await source.query(`USE shop;
    CREATE TABLE shapes (id INT PRIMARY KEY); INSERT INTO shapes SELECT seq FROM seq_1_to_5;
    SET sql_mode = ''; ALTER TABLE shapes ADD COLUMN g GEOMETRY NOT NULL;
    CREATE VIEW on_shapes AS SELECT id FROM shapes;
    ALTER TABLE t1 ADD COLUMN extra INT DEFAULT 4; CREATE VIEW broken AS SELECT extra FROM t1; CREATE VIEW on_broken AS SELECT * FROM broken;
    ALTER TABLE t1 DROP COLUMN extra;
    CREATE DEFINER=ghost@nowhere VIEW haunted AS SELECT id FROM t2;
    ALTER DATABASE shop COLLATE utf8mb4_bin`);
  await target.query(
    'CREATE DATABASE shop; CREATE TABLE shop.other (id INT); CREATE TRIGGER shop.count5 BEFORE INSERT ON shop.other FOR EACH ROW SET @a = 1',
  );
  const repository = await TestRepository.make(t);
  const { id } = await repository.backup(source);
  const { items, partial, notRestored, warnings } = await repository.restore(id, target);
  assert.deepEqual([items, partial], [10, true], JSON.stringify(notRestored));
  const why = (item: string) => notRestored.find((one) => one.item === item);
  assert.deepEqual(named(notRestored).sort(), [
    'table shop.shapes: refused',
    'trigger shop.count5: refused',
    'view shop.broken: refused',
    'view shop.on_broken: skipped',
    'view shop.on_shapes: skipped',
  ]);
  assert.match(
    why('table shop.shapes')!.detail,
    /^Cannot get geometry object from data you send to the GEOMETRY field; the table is dropped again$/,
  );
  assert.match(why('view shop.broken')!.detail, /^Unknown column/);
  assert.match(why('view shop.on_broken')!.detail, /^needs view shop\.broken/);
  const collation = "SELECT default_collation_name AS c FROM information_schema.schemata WHERE schema_name = 'shop'";
  assert.deepEqual(await target.query(collation), [{ c: 'utf8mb4_general_ci' }]); // its own, set back after what was refused
  assert.match(why('trigger shop.count5')!.detail, /already exists/);
  assert.match(
    warnings.join('\n'),
    /view shop\.haunted: The user specified as a definer \('ghost'@'nowhere'\) does not exist/,
  );
  assert.equal(
    (await target.query("SELECT COUNT(*) AS n FROM information_schema.triggers WHERE trigger_name = 'log5'"))[0]!.n,
    1,
  );
  assert.deepEqual(await tablesOf(target), [
    'haunted',
    'other',
    't0',
    't1',
    't2',
    't3',
    't4',
    't5',
    't6',
    't7',
    't8',
    't9',
    'v1',
    'v5',
    'vv5',
  ]);
});

test('what the target does not know is foretold, replaces nothing, and is not substituted in silence', async (t) => {
  const [source, target] = await Promise.all([
    startMariadb(t, { args }),
    startMariadb(t, { args: [...args, '--skip-innodb', '--default-storage-engine=Aria'] }),
  ]);
  await source.query(`CREATE DATABASE shop; CREATE TABLE shop.a (id INT PRIMARY KEY) ENGINE=InnoDB;
    CREATE TABLE shop.b (id INT PRIMARY KEY) ENGINE=MyISAM; INSERT INTO shop.a VALUES (1); INSERT INTO shop.b VALUES (1)`);
  const repository = await TestRepository.make(t);
  const { id } = await repository.backup(source);
  const steps: string[] = [];
  const { items, notRestored, warnings } = await repository.restore(id, target, { step: (text) => steps.push(text) });
  const foretold = 'the target lacks storage engine InnoDB, which these need: shop.a';
  assert.deepEqual([warnings, steps.indexOf(foretold) < steps.indexOf('loading shop.b')], [[foretold], true]);
  const refused = { item: 'table shop.a', why: 'refused', detail: "Unknown storage engine 'InnoDB'" };
  assert.deepEqual([items, notRestored], [1, [refused]]);
  assert.deepEqual(await tablesOf(target), ['b']);

  await target.query('CREATE TABLE shop.a (id INT) ENGINE=Aria; INSERT INTO shop.a VALUES (77)');
  const again = await repository.restore(id, target, { overwrite: true });
  assert.equal(again.notRestored[0]?.detail, refused.detail);
  assert.deepEqual(await target.query('SELECT id FROM shop.a'), [{ id: 77 }]);
});

/** `t5` has several blobs of rows, two triggers, and views above it. */
const tenTables = `CREATE DATABASE shop CHARACTER SET latin1; USE shop;
  ${Array.from({ length: 10 }, (_, n) => `CREATE TABLE t${n} (id INT PRIMARY KEY, n INT, pad TEXT)`).join(';')};
  ${Array.from({ length: 10 }, (_, n) => `INSERT INTO t${n} SELECT seq, seq % 7, MD5(seq) FROM seq_1_to_200`).join(';')};
  TRUNCATE t5;
  INSERT INTO t5 SELECT seq, seq % 7, (SELECT GROUP_CONCAT(SHA2(CONCAT(a.seq, '-', b.seq), 512) SEPARATOR '') FROM seq_1_to_8 b) FROM seq_1_to_6000 a;
  CREATE VIEW v1 AS SELECT id FROM t1; CREATE VIEW v5 AS SELECT id, n FROM t5; CREATE VIEW vv5 AS SELECT id FROM v5;
  CREATE TRIGGER count5 BEFORE INSERT ON t5 FOR EACH ROW SET @count = @count + 1;
  CREATE TRIGGER log5 AFTER INSERT ON t5 FOR EACH ROW SET @log = 1;
  CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2`;

function named(all: readonly NotRestored[]): string[] {
  return all.map(({ item, why }) => `${item}: ${why}`);
}

async function tablesOf(server: MariadbServer): Promise<string[]> {
  const rows = await server.query(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'shop' ORDER BY 1",
  );
  return rows.map(({ name }) => name);
}

async function sameRows(a: MariadbServer, b: MariadbServer, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const sql = `CHECKSUM TABLE shop.${name}`;
    assert.deepEqual(await b.query(sql), await a.query(sql));
  }
}
