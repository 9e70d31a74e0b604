import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Manifest } from '../../../core/driver/index.ts';
import { runOk } from '../../kit/process.ts';
import { tempFolder } from '../../kit/temp.ts';
import { type MariadbServer, startMariadb } from '../../servers/mariadb.ts';
import { TestRepository } from './repository.ts';

/** Whatever a server may be set to for everybody that is not for whoever reads or writes all of it. */
const hostile = [
  'autocommit = 0',
  "completion_type = 'RELEASE'",
  "tx_isolation = 'SERIALIZABLE'",
  'tx_read_only = 1',
  "sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES,TRADITIONAL,PAD_CHAR_TO_FULL_LENGTH,EMPTY_STRING_IS_NULL'",
  'sql_select_limit = 1',
  'max_join_size = 1',
  'sql_big_selects = 0',
  'sql_safe_updates = 1',
  'sql_auto_is_null = 1',
  'sql_buffer_result = 1',
  'sql_quote_show_create = 0',
  'sql_notes = 0',
  'sql_if_exists = 1',
  "system_versioning_asof = '2001-01-01'",
  "system_versioning_alter_history = 'KEEP'",
  'group_concat_max_len = 4',
  'max_error_count = 0',
  'max_sort_length = 8',
  'max_statement_time = 1',
  'idle_transaction_timeout = 1',
  'idle_write_transaction_timeout = 1',
  'idle_readonly_transaction_timeout = 1',
  'net_read_timeout = 1',
  'net_write_timeout = 1',
  'wait_timeout = 1',
  'interactive_timeout = 1',
  'lock_wait_timeout = 0',
  'innodb_lock_wait_timeout = 0',
  'unique_checks = 0',
  'foreign_key_checks = 1',
  'check_constraint_checks = 1',
  'innodb_strict_mode = 1',
  'innodb_compression_default = 1',
  "innodb_default_row_format = 'compact'",
  "default_storage_engine = 'MyISAM'",
  'explicit_defaults_for_timestamp = 0',
  'max_allowed_packet = 16384',
  'net_buffer_length = 1024',
  'character_set_server = latin1',
  "old_mode = 'NO_DUP_KEY_WARNINGS_WITH_IGNORE,ZERO_DATE_TIME_CAST'",
  "time_zone = '+09:00'",
  "lc_messages = 'ja_JP'",
  "lc_time_names = 'ja_JP'",
  'div_precision_increment = 0',
  'default_week_format = 3',
  'big_tables = 1',
  'tmp_table_size = 1024',
  'max_heap_table_size = 16384',
  'low_priority_updates = 1',
  'query_cache_size = 1048576',
  'max_delayed_threads = 0',
  'keep_files_on_create = 1',
  'auto_increment_increment = 7',
  'auto_increment_offset = 3',
  'log_bin_trust_function_creators = 1',
];

const args = ['--log-bin', '--server-id=5', '--local-infile=1', '--max-allowed-packet=64M', '--query-cache-type=1'];
/** May do all that is needed, and not so much that `init_connect` is spared. */
const plain = { user: 'plain', password: 'p' };
const grants = `SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, TRIGGER, EVENT, CREATE VIEW, SHOW VIEW,
  CREATE ROUTINE, ALTER ROUTINE, EXECUTE, RELOAD, PROCESS, LOCK TABLES, CREATE TEMPORARY TABLES, BINLOG MONITOR, SET USER,
  SLAVE MONITOR, DELETE HISTORY`;

test('a server with hostile settings is backed up and restored as a tame one', async (t) => {
  const [source, target] = await Promise.all([
    startMariadb(t, { args }),
    startMariadb(t, { args: [...args, '--secure-timestamp=YES'] }),
  ]);
  for (const server of [source, target]) {
    await server.query(`CREATE USER plain@localhost IDENTIFIED BY 'p'; GRANT ${grants} ON *.* TO plain@localhost`);
  }
  await makeShop(source);
  const repository = await TestRepository.make(t);
  const tame = await repository.backup(source, { settings: plain });
  const before = await answers(source);

  await beHostile(
    source,
    'SET timestamp = 1, tx_read_only = 0; CREATE TEMPORARY TABLE shop.keyed (id INT); LOCK TABLES shop.doc READ; BEGIN',
  );
  const { id, result } = await repository.backup(source, { settings: plain });
  assert.deepEqual(byPath(result.facts.contents), byPath(tame.result.facts.contents));
  assert.deepEqual(result.facts.warnings, tame.result.facts.warnings);
  assert.ok(Math.abs(Date.parse(result.facts.consistentPoint.time) - Date.now()) < 60_000);
  const folder = await tempFolder(t);
  await repository.download(tame.id, join(folder, 'tame'));
  await repository.download(id, join(folder, 'hostile'));
  await runOk('diff', ['-r', join(folder, 'tame', 'databases'), join(folder, 'hostile', 'databases')]);

  await beHostile(target, 'SET sql_mode = ANSI; SET character_set_results = latin1; START TRANSACTION READ ONLY');
  await repository.restore(id, target, { settings: plain });
  await target.stop(); // what was not committed is gone, and so are the settings
  await target.start();
  assert.deepEqual(await answers(target), before);

  await beHostile(target, 'this is no SQL'); // an account that may do everything is spared it
  await target.query("SET GLOBAL enforce_storage_engine = 'Aria', GLOBAL binlog_format = 'STATEMENT'");
  await repository.restore(id, target, { overwrite: true });
  await target.stop();
  await target.start();
  assert.deepEqual(await answers(target), before);
});

/** The largest come first, by what the server guesses of their sizes, which it guesses anew while nobody asks. */
function byPath(contents: Manifest['contents']): Manifest['contents'] {
  return contents.toSorted((one, other) => (String(one.path) < String(other.path) ? -1 : 1));
}

async function beHostile(server: MariadbServer, initConnect: string): Promise<void> {
  const statements = hostile.map((one) => `SET GLOBAL ${one}`);
  await server.query([`SET GLOBAL init_connect = '${initConnect}'`, ...statements].join('; '));
}

async function makeShop(server: MariadbServer): Promise<void> {
  await server.query(`CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop;
    SET timestamp = UNIX_TIMESTAMP('2020-01-01 00:00:00'), explicit_defaults_for_timestamp = 1, innodb_strict_mode = 0, foreign_key_checks = 0;
    CREATE TABLE keyed (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(20), UNIQUE (v), t TIMESTAMP NOT NULL, u TIMESTAMP NULL);
    INSERT INTO keyed (v, t) SELECT CONCAT('v', seq), '2020-02-02 02:02:02' FROM seq_1_to_5000;
    SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'; INSERT INTO keyed (id, v, t) VALUES (0, '', '1970-01-02 00:00:00');
    CREATE TABLE texts (k VARCHAR(300) CHARACTER SET latin1 PRIMARY KEY, v TEXT, c CHAR(10), d DATE, f FLOAT);
    INSERT INTO texts SELECT CONCAT(REPEAT('same beginning ', 15), seq), 'back\\\\slash ''quote" \\n', 'x', '0000-00-00', 1 / 3
      FROM seq_1_to_100;
    CREATE TABLE doc (id INT PRIMARY KEY, b LONGBLOB);
    INSERT INTO doc VALUES (1, REPEAT('ab\\\\', 1000000)), (2, ''), (3, REPEAT('c', 20000));
    CREATE TABLE odd (id INT PRIMARY KEY) ROW_FORMAT=DYNAMIC KEY_BLOCK_SIZE=8;
    CREATE TABLE isam (id INT) ENGINE=MyISAM; INSERT INTO isam SELECT seq FROM seq_1_to_10;
    CREATE TABLE past (id INT PRIMARY KEY) WITH SYSTEM VERSIONING; INSERT INTO past SELECT seq FROM seq_1_to_10;
    CREATE TABLE child (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES zparent (id));
    CREATE TABLE zparent (id INT PRIMARY KEY, CHECK (id < 5)); SET check_constraint_checks = 0;
    INSERT INTO zparent VALUES (7); INSERT INTO child VALUES (1, 7);
    CREATE VIEW joined AS SELECT a.id, b.v FROM keyed a JOIN keyed b ON a.id = b.id;
    CREATE TRIGGER keyed_t BEFORE INSERT ON keyed FOR EACH ROW SET NEW.v = CONCAT(NEW.v, "!");
    CREATE PROCEDURE p() SELECT "text"; CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 5;
    CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO SELECT 1;
    CREATE SEQUENCE s START WITH 5`);
}

async function answers(server: MariadbServer): Promise<unknown[]> {
  const tables = ['keyed', 'texts', 'doc', 'odd', 'isam', 'past', 'child', 'zparent'];
  const questions = [
    ...tables.flatMap((one) => [`SHOW CREATE TABLE ${one}`, `SELECT COUNT(*) FROM ${one}`]),
    ...tables.filter((one) => one !== 'past').map((one) => `CHECKSUM TABLE ${one}`), // not of when rows were written
    'SHOW CREATE DATABASE shop',
    'SELECT COUNT(*), MAX(v) FROM joined',
    'SELECT id, MD5(b) FROM doc',
    ...['VIEW joined', 'TRIGGER keyed_t', 'PROCEDURE p', 'FUNCTION f', 'EVENT e', 'SEQUENCE s'].map(
      (one) => `SHOW CREATE ${one}`,
    ),
  ];
  const all: unknown[] = [];
  for (const question of questions) {
    const rows = await server.query(question, 'shop');
    all.push([question, rows.map(({ Created, ...row }) => row)]);
  }
  return all;
}
