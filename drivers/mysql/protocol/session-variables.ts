import type { Connection } from './connection.ts';
import { ServerError } from './server-error.ts';

/** Names of session variables and the SQL of their values. Servers have some of them and lack others. */
export interface SessionVariables {
  /** Without them a backup or a restore could lie: where the server has one and it cannot be set, nothing is begun. */
  readonly must: Readonly<Record<string, string>>;
  /** They make things quicker or likelier; some need privileges. */
  readonly may: Readonly<Record<string, string>>;
}

/** What a server's configuration may have set otherwise for everybody, to the harm of whoever reads or writes all of it. */
export const variablesOfAll = {
  must: {
    autocommit: '1', // else all that was written is rolled back at the end
    completion_type: '0', // else COMMIT closes the connection
    tx_isolation: "'REPEATABLE-READ'",
    transaction_isolation: "'REPEATABLE-READ'",
    tx_read_only: '0',
    transaction_read_only: '0',
    time_zone: "'+00:00'",
    sql_mode: "'NO_AUTO_VALUE_ON_ZERO'",
    sql_quote_show_create: '1',
    sql_big_selects: '1', // lifts max_join_size
    sql_safe_updates: '0',
    sql_auto_is_null: '0',
    system_versioning_asof: 'DEFAULT', // else tables with history show an old state
    show_gipk_in_create_table_and_information_schema: '1', // else keys that MySQL made are invisible
    group_concat_max_len: '1048576',
    max_statement_time: '0',
    max_execution_time: '0',
    idle_transaction_timeout: '0',
    idle_readonly_transaction_timeout: '0',
    idle_write_transaction_timeout: '0',
    lock_wait_timeout: '86400',
    net_write_timeout: '3600',
    net_read_timeout: '3600',
    wait_timeout: '86400',
  },
  may: {
    lc_messages: "'en_US'", // its words stand beside ours, and in them are looked for names that it wants
    timestamp: 'DEFAULT', // the server's clock, not what somebody set for it
    information_schema_stats_expiry: '0',
    explain_format: "'TRADITIONAL'",
    old_mode: "'UTF8_IS_UTF8MB3'", // `utf8` means what it meant where it was printed
    sql_buffer_result: '0',
    big_tables: '0',
    low_priority_updates: '0',
    query_cache_type: '0',
    max_sort_length: '4096',
    max_error_count: '64',
    sql_notes: '1',
  },
} satisfies SessionVariables;

/** For whoever makes tables and loads rows, in any order, as they were. */
export const variablesOfLoad: SessionVariables = {
  must: {
    sql_mode: "'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'", // else the 31st of February becomes a zero date
    foreign_key_checks: '0',
    check_constraint_checks: '0',
    // Without them MariaDB 10.11 loads an empty table in a bulk mode that locks it for one connection, and that took longer.
    unique_checks: '1',
  },
  may: {
    innodb_lock_wait_timeout: '3600', // a load holds the counter of a table until it ends
    innodb_strict_mode: '0', // what the source had taken is taken, with a warning
    innodb_compression_default: '0',
    explicit_defaults_for_timestamp: '1', // definitions are printed for this
    enforce_storage_engine: 'NULL',
    // Sequences, among others, cannot be written by statement.
    binlog_format: "IF(@@SESSION.binlog_format = 'STATEMENT', 'MIXED', @@SESSION.binlog_format)",
    sql_require_primary_key: '0',
    sql_generate_invisible_primary_key: '0',
    sql_if_exists: '0',
  },
};

/** Sets those that the server has, in two or three round trips. */
export async function setVariables(connection: Connection, { must, may }: SessionVariables): Promise<void> {
  const names = [...Object.keys(must), ...Object.keys(may)].map((name) => `'${name}'`);
  const rows = await connection.rows(`SHOW SESSION VARIABLES WHERE Variable_name IN (${names.join(', ')})`);
  const known = new Set(rows.map((row) => row.Variable_name));
  const assignments = (variables: Readonly<Record<string, string>>) =>
    Object.entries(variables)
      .filter(([name]) => known.has(name))
      .map(([name, value]) => `${name} = ${value}`);
  await set(connection, assignments(must));
  await setWherePossible(connection, assignments(may));
}

async function set(connection: Connection, assignments: readonly string[]): Promise<void> {
  if (assignments.length > 0) await connection.execute(`SET SESSION ${assignments.join(', ')}`);
}

/** All at once, or, where the server refuses one, those that it takes. */
async function setWherePossible(connection: Connection, assignments: readonly string[]): Promise<void> {
  try {
    await set(connection, assignments);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    if (assignments.length > 1) for (const one of assignments) await setWherePossible(connection, [one]);
  }
}
