import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grantsOf, parseGrant } from '../../../../drivers/mysql/inventory/grants.ts';
import { missingPrivileges } from '../../../../drivers/mysql/inventory/privileges.ts';
import type { Server } from '../../../../drivers/mysql/server.ts';

const databases = ['information_schema', 'mysql', 'shop', 'shop_a', 'blog'];
const all = 'SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE';

/** Server, what SHOW GRANTS prints, the selection, and the GRANTs that are missing (without the account). */
const cases: [string, string[], string[], string[]][] = [
  ['mariadb', ["GRANT ALL PRIVILEGES ON *.* TO `t`@`%` IDENTIFIED BY PASSWORD '*1' WITH GRANT OPTION"], [], []],
  ['mysql5', ["GRANT ALL PRIVILEGES ON *.* TO 't'@'%' IDENTIFIED BY PASSWORD <secret>"], [], []],
  [
    'mysql9',
    [
      'GRANT SELECT, PROCESS, SHOW VIEW, EVENT, TRIGGER ON *.* TO `t`@`%`',
      'GRANT BACKUP_ADMIN,SHOW_ROUTINE ON *.* TO `t`@`%`',
    ],
    [],
    [],
  ],
  ['mariadb', ['GRANT SELECT, PROCESS, SHOW VIEW, EVENT ON *.* TO `t`@`%`'], ['shop.*'], ['TRIGGER ON `shop`.*']],
  ['mariadb', ['GRANT SELECT, PROCESS, SHOW VIEW, TRIGGER ON *.* TO `t`@`%`'], ['shop_a'], ['EVENT ON `shop\\_a`.*']],
  ['mariadb', ['GRANT SELECT, SHOW VIEW, EVENT, TRIGGER ON *.* TO `t`@`%`'], ['shop.*'], ['PROCESS ON *.*']],
  [
    'mariadb',
    ['GRANT PROCESS ON *.* TO `t`@`%`', 'GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `shop`.* TO `t`@`%`'],
    ['shop.*'],
    ['SELECT ON `mysql`.`proc`'],
  ],
  [
    'mysql9',
    ['GRANT PROCESS ON *.* TO `t`@`%`', 'GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `shop`.* TO `t`@`%`'],
    ['shop.*'],
    ['SHOW_ROUTINE ON *.*'],
  ],
  ['mariadb', ['GRANT PROCESS ON *.* TO `t`@`%`', `GRANT ${all} ON \`shop\\_%\`.* TO \`t\`@\`%\``], ['shop_*'], []],
  [
    'mariadb',
    ['GRANT PROCESS ON *.* TO `t`@`%`', `GRANT ${all} ON \`shop_\`.* TO \`t\`@\`%\``],
    ['shop_*'],
    [
      'SHOW DATABASES ON *.*',
      ...all
        .split(', ')
        .slice(0, 4)
        .map((one) => `${one} ON \`shop\\_a\`.*`),
      'SELECT ON `mysql`.`proc`',
    ],
  ],
  [
    'mariadb',
    ['GRANT PROCESS, SHOW DATABASES ON *.* TO `t`@`%`', `GRANT ${all} ON \`shop%\`.* TO \`t\`@\`%\``],
    [],
    [
      ...all
        .split(', ')
        .slice(0, 4)
        .map((one) => `${one} ON \`blog\`.*`),
      'SELECT ON `mysql`.`proc`',
    ],
  ],
  [
    'mariadb',
    [
      'GRANT PROCESS ON *.* TO `t`@`%`',
      `GRANT ${all} ON \`sh%\`.* TO \`t\`@\`%\``,
      `GRANT ${all.replace('EVENT, ', '')} ON \`shop\`.* TO \`t\`@\`%\``,
    ],
    ['shop.*'],
    ['EVENT ON `shop`.*'],
  ],
  [
    'mariadb',
    ['GRANT PROCESS ON *.* TO `t`@`%`', 'GRANT SELECT, SHOW VIEW, TRIGGER ON `shop`.`t` TO `t`@`%`'],
    ['shop.t'],
    [],
  ],
  [
    'mysql9',
    ['GRANT PROCESS ON *.* TO `t`@`%`', 'GRANT SELECT (`id`, `v`), SHOW VIEW, TRIGGER ON `shop`.`t` TO `t`@`%`'],
    ['shop.t'],
    ['SELECT ON `shop`.`t`'],
  ],
  ['mariadb', ['GRANT `r` TO `t`@`%`', 'GRANT USAGE ON *.* TO `t`@`%`', 'GRANT ALL PRIVILEGES ON *.* TO `r`'], [], []],
  [
    'mysql9',
    [
      'GRANT SELECT, PROCESS, SHOW VIEW, EVENT, TRIGGER ON *.* TO `t`@`%`',
      'GRANT SHOW_ROUTINE ON *.* TO `t`@`%`',
      'REVOKE SELECT ON `shop`.* FROM `t`@`%`',
    ],
    ['shop.*', 'blog.*'],
    ['SELECT ON `shop`.*'],
  ],
  [
    'mysql9',
    [
      'GRANT SELECT, PROCESS, SHOW VIEW, EVENT, TRIGGER ON *.* TO `t`@`%`',
      'GRANT SHOW_ROUTINE ON *.* TO `t`@`%`',
      'REVOKE SELECT ON `mysql`.* FROM `t`@`%`',
      'REVOKE SELECT ON `out_of_sight`.* FROM `t`@`%`',
      'REVOKE INSERT ON `elsewhere`.* FROM `t`@`%`',
    ],
    [],
    ['SELECT ON `out\\_of\\_sight`.*'],
  ],
];

const servers: Record<string, Server> = {
  mariadb: server('mariadb', 1011),
  mysql5: server('mysql', 506),
  mysql9: server('mysql', 907),
};

test('what is missing follows from SHOW GRANTS and the selection', () => {
  for (const [name, lines, include, expected] of cases) {
    const grants = grantsOf(
      't@%',
      lines.map(parseGrant).filter((line) => line !== undefined),
    );
    const wish = { include, exclude: [], databases, visible: [{ database: 'shop', name: 't' }] };
    const missing = missingPrivileges(grants, servers[name]!, wish);
    assert.deepEqual(
      missing.map((one) => one.grant),
      expected.map((one) => `GRANT ${one} TO 't'@'%'`),
      lines.join('; '),
    );
  }
});

function server(flavour: 'mariadb' | 'mysql', release: number): Server {
  return { flavour, release } as Server;
}
