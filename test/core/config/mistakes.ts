/** One line of the sound configuration is replaced, and exactly these errors follow; lines count from the replaced one. */
export const mistakes: readonly { what: string; line: string; by: string; errors: string[] }[] = [
  {
    what: 'an unknown key at the top',
    line: 'daemon:',
    by: 'deamon:',
    errors: ['+0:1 unknown-key unknown key `deamon` [Did you mean `daemon`?]'],
  },
  {
    what: 'an unknown key far from any',
    line: '    window: 6h',
    by: '    colour: red',
    errors: [
      '+0:5 unknown-key plans.shop-nightly: unknown key `colour` [Known keys: `source`, `type`, `schedule`, `manual`, `timezone`, `window`, `jitter`, `destinations`, `retention`, `include`, `exclude`, `retry`, and 4 more.]',
    ],
  },
  {
    what: 'a misspelt key of a plan',
    line: '    schedule: "0 0 * * *"',
    by: '    schedul: "0 0 * * *"',
    errors: ['+0:5 unknown-key plans.shop-nightly: unknown key `schedul` [Did you mean `schedule`?]'],
  },
  {
    what: 'a misspelt key inside a mapping',
    line: '    retry: { attempts: 3, backoff: 5m }',
    by: '    retry: { attemps: 3 }',
    errors: ['+0:14 unknown-key plans.shop-nightly: unknown key `retry.attemps` [Did you mean `attempts`?]'],
  },
  {
    what: "a misspelt key of a driver's own",
    line: '    oneFileSystem: true',
    by: '    one-file-system: true',
    errors: ['+0:5 unknown-key sources.config: unknown key `one-file-system` [Did you mean `oneFileSystem`?]'],
  },
  {
    what: 'a missing key',
    line: '    source: shop',
    by: '    labels: {}',
    errors: ['-1:3 missing-key plans.shop-nightly: `source` is missing [For example: `source: shop`.]'],
  },
  {
    what: 'an unknown driver',
    line: '    driver: files',
    by: '    driver: redis',
    errors: ['+0:13 unknown-driver sources.config: unknown driver `redis` [This version has `mysql`, `files`, `toy`.]'],
  },
  {
    what: 'a misspelt driver',
    line: '    driver: mysql',
    by: '    driver: mysq',
    errors: [
      '+0:13 unknown-driver sources.shop: unknown driver `mysq` [Did you mean `mysql`? This version has `mysql`, `files`, `toy`.]',
    ],
  },
  {
    what: 'a driver of another type',
    line: '    driver: mysql',
    by: '    driver: [mysql]',
    errors: ['+0:13 unknown-driver sources.shop: unknown driver a list [This version has `mysql`, `files`, `toy`.]'],
  },
  {
    what: 'no driver',
    line: '  shop-ro: { driver: mysql, socket: /run/mysqld/mysqld.sock, user: tidemark }',
    by: '  shop-ro: { socket: /run/mysqld/mysqld.sock, user: tidemark }',
    errors: ['+0:3 missing-key sources.shop-ro: `driver` is missing [Add `driver`: one of `mysql`, `files`, `toy`.]'],
  },
  {
    what: 'neither a schedule nor manual',
    line: '  config-now: { source: config, manual: true, destinations: [nas] }',
    by: '  config-now: { source: config, destinations: [nas], window: 6h }',
    errors: [
      '+0:3 missing-key plans.config-now: exactly one of `schedule`, `manual` is needed [Add one of them.]',
      '+0:54 missing-key plans.config-now: `window` has no use without `schedule` [Remove `window`, or add `schedule`.]',
    ],
  },
  {
    what: 'a number for a string',
    line: '    user: tidemark',
    by: '    user: 42',
    errors: [
      '+0:11 wrong-type sources.shop: `user` must be a string, not a number [Put it in quotes if that is what you mean. For example: `tidemark`.]',
    ],
  },
  {
    what: 'a string for a list',
    line: '    destinations: [nas]',
    by: '    destinations: nas',
    errors: [
      '+0:19 wrong-type plans.shop-nightly: `destinations` must be a list, not a string [For example: `["nas"]`.]',
    ],
  },
  {
    what: 'a list for a resource',
    line: '  standard: { last: 3, daily: 7, recovery: 7d, minimum: 1 }',
    by: '  standard: [last]',
    errors: ['+0:13 wrong-type retention.standard: it must be a mapping of settings, not a list'],
  },
  {
    what: 'nothing for a resource',
    line: '  standard: { last: 3, daily: 7, recovery: 7d, minimum: 1 }',
    by: '  standard:',
    errors: ['+0:12 wrong-type retention.standard: it must be a mapping of settings, not nothing'],
  },
  {
    what: 'a string for a collection',
    line: '  standard: { last: 3, daily: 7, recovery: 7d, minimum: 1 }',
    by: '  standard',
    errors: [
      '+0:3 wrong-type `retention` must be a mapping, not a string',
      '+9:16 dangling-reference plans.shop-nightly: `retention` names `standard`, but there is no `retention.standard` [There is nothing under `retention`.]',
    ],
  },
  {
    what: 'a name that cannot be one',
    line: '  shop-ro: { driver: mysql, socket: /run/mysqld/mysqld.sock, user: tidemark }',
    by: '  "shop ro": { driver: mysql, socket: /run/mysqld/mysqld.sock, user: tidemark }',
    errors: [
      '+0:3 bad-name `shop ro` cannot be a name [Use letters, digits, dots, dashes and underscores, 64 at most, the first a letter or digit.]',
    ],
  },
  {
    what: 'the same name twice in a file',
    line: '  standard: { last: 3, daily: 7, recovery: 7d, minimum: 1 }',
    by: '  standard: { last: 3 }\n  standard: { last: 4 }',
    errors: ['+1:3 duplicate `standard` stands here and at line 19, column 3'],
  },
  {
    what: 'a duration without a unit',
    line: '    window: 6h',
    by: '    window: "6"',
    errors: [
      '+0:13 bad-value plans.shop-nightly: `window` is not a duration: 6 [Write a duration such as 90s, 5m, 26h, 7d or 1h30m.]',
    ],
  },
  {
    what: 'a bad cron',
    line: '    schedule: "0 0 * * *"',
    by: '    schedule: "0 25 * * *"',
    errors: [
      '+0:15 bad-value plans.shop-nightly: `schedule` is not a schedule that ever comes: 0 25 * * * [Write minute, hour, day, month and weekday, such as "30 1 * * 1-5"; in this one: Invalid value for hour: 25.]',
    ],
  },
  {
    what: 'a cron of too few parts',
    line: '    schedule: "0 0 * * *"',
    by: '    schedule: hourly',
    errors: [
      '+0:15 bad-value plans.shop-nightly: `schedule` is not a schedule that ever comes: hourly [Write minute, hour, day, month and weekday, such as "30 1 * * 1-5"; in this one there are 1 parts.]',
    ],
  },
  {
    what: 'what has no use for a plan that runs by hand, with advice that works',
    line: '  config-now: { source: config, manual: true, destinations: [nas] }',
    by: '  config-now: { source: config, manual: true, destinations: [nas], jitter: 1h }',
    errors: [
      '+0:68 missing-key plans.config-now: `jitter` has no use without `schedule` [Remove `jitter`, or write `schedule` instead of `manual`.]',
    ],
  },
  {
    what: 'a number without a unit, which quotes would not mend',
    line: '    window: 6h',
    by: '    window: 6',
    errors: ['+0:13 wrong-type plans.shop-nightly: `window` must be a string, not a number [For example: `6h`.]'],
  },
  {
    what: 'a label that is a number, which quotes do mend',
    line: '    labels: { region: eu }',
    by: '    labels: { region: 5 }',
    errors: [
      '+0:23 wrong-type sources.shop: `labels.region` must be a string, not a number [Put it in quotes if that is what you mean.]',
    ],
  },
  {
    what: 'a value of the wrong type once, not also as one that is not among the possible',
    line: '    missed: skip',
    by: '    missed: true',
    errors: [
      '+0:13 wrong-type plans.shop-nightly: `missed` must be a string, not true or false [For example: `run-once`.]',
    ],
  },
  {
    what: 'a path with a NUL in it',
    line: '    paths: [/etc, /srv/www]',
    by: '    paths: [/etc, "/srv\\0www"]',
    errors: [
      '+0:19 bad-value sources.config: `paths[1]` is not an absolute path: /srv\0www [A path has no NUL in it: take it out.]',
    ],
  },
  {
    what: 'a misspelt kind of reference, in a secret',
    line: '    password: ${env:SHOP}',
    by: '    password: ${fil:/x}',
    errors: [
      '+0:15 literal-secret sources.shop: `password` must be a reference to a secret, not the secret itself [Did you mean `${file:/path}`?]',
    ],
  },
  {
    what: 'a misspelt kind of reference, where none belongs',
    line: '    host: db1.internal',
    by: '    host: ${envv:HOST}',
    errors: [
      '+0:11 misplaced-reference sources.shop: `host` is not a secret and cannot be a reference [Write the value itself.]',
    ],
  },
  {
    what: 'a secret in a file by a relative path',
    line: '    password: ${env:SHOP}',
    by: '    password: ${file:shop.key}',
    errors: [
      '+0:15 literal-secret sources.shop: `password` must be a reference to a secret, not the secret itself [Write `${file:/path}`, with the whole path, beginning with /.]',
    ],
  },
  {
    what: 'a cron that never comes',
    line: '    schedule: "0 0 * * *"',
    by: '    schedule: "0 0 30 2 *"',
    errors: [
      '+0:15 bad-value plans.shop-nightly: `schedule` is not a schedule that ever comes: 0 0 30 2 * [Write minute, hour, day, month and weekday, such as "30 1 * * 1-5"; no date fits this one.]',
    ],
  },
  {
    what: 'a city for a time zone',
    line: '    timezone: Asia/Shanghai',
    by: '    timezone: Shanghai',
    errors: [
      '+0:15 bad-value plans.shop-nightly: `timezone` is not a time zone: Shanghai [Did you mean `Asia/Shanghai`?]',
    ],
  },
  {
    what: 'an offset for a time zone',
    line: '    timezone: Asia/Shanghai',
    by: '    timezone: "+08:00"',
    errors: [
      '+0:15 bad-value plans.shop-nightly: `timezone` is not a time zone: +08:00 [Write a name of the IANA list, such as Europe/Berlin, Asia/Shanghai or UTC.]',
    ],
  },
  {
    what: 'a value that is not among the possible',
    line: '    missed: skip',
    by: '    missed: run-onc',
    errors: ['+0:13 bad-value plans.shop-nightly: `missed` cannot be that: run-onc [Did you mean `run-once`?]'],
  },
  {
    what: 'a number out of range',
    line: '    port: 3306',
    by: '    port: 70000',
    errors: ['+0:11 bad-value sources.shop: `port` must be <= 65535: 70000 [For example: `3306`.]'],
  },
  {
    what: 'a relative path',
    line: '    paths: [/etc, /srv/www]',
    by: '    paths: [/etc, srv/www]',
    errors: [
      '+0:19 bad-value sources.config: `paths[1]` is not an absolute path: srv/www [Write the whole path, beginning with /.]',
    ],
  },
  {
    what: 'two ways to reach a server',
    line: '    port: 3306',
    by: '    socket: /run/db.sock',
    errors: ['+0:5 conflicting-keys sources.shop: `host`, `socket` exclude each other [Keep one of them.]'],
  },
  {
    what: 'a retention that keeps nothing',
    line: '  standard: { last: 3, daily: 7, recovery: 7d, minimum: 1 }',
    by: '  standard: { minimum: 1 }',
    errors: [
      '+0:3 missing-key retention.standard: at least one of `last`, `hourly`, `daily`, `weekly`, `monthly`, `yearly`, `within`, `recovery` is needed [Add one of them.]',
    ],
  },
  {
    what: 'a retention whose rules are all 0',
    line: '  standard: { last: 3, daily: 7, recovery: 7d, minimum: 1 }',
    by: '  standard: { minimum: 9, daily: 0, within: 0d }',
    errors: [
      '+0:34 bad-value retention.standard: no rule of it keeps a backup: all of them are 0 [Let at least one keep something, such as `last: 3`. To keep everything, give the plan no retention.]',
    ],
  },
  {
    what: 'a retention that keeps less than nothing',
    line: '  standard: { last: 3, daily: 7, recovery: 7d, minimum: 1 }',
    by: '  standard: { last: -1 }',
    errors: ['+0:21 bad-value retention.standard: `last` must be >= 0: -1 [For example: `3`.]'],
  },
  {
    what: 'a secret in the file',
    line: '    password: ${env:SHOP}',
    by: '    password: hunter2',
    errors: [
      '+0:15 literal-secret sources.shop: `password` must be a reference to a secret, not the secret itself [Write where the secret is: `${file:/path}`, `${env:NAME}` or `${credential:NAME}`.]',
    ],
  },
  {
    what: 'a secret in the file that is a number',
    line: '    password: ${env:SHOP}',
    by: '    password: 12345',
    errors: [
      '+0:15 literal-secret sources.shop: `password` must be a reference to a secret, not the secret itself [Write where the secret is: `${file:/path}`, `${env:NAME}` or `${credential:NAME}`.]',
    ],
  },
  {
    what: 'a reference in braces without quotes',
    line: '  shop-ro: { driver: mysql, socket: /run/mysqld/mysqld.sock, user: tidemark }',
    by: '  shop-ro: { driver: mysql, host: a, user: b, password: ${env:X} }',
    errors: [
      '+0:58 yaml-syntax unexpected flow-map-start at node end [Between braces, write references in quotes: "${file:/path}".]',
    ],
  },
  {
    what: 'a reference where no secret belongs',
    line: '    host: db1.internal',
    by: '    host: ${env:HOST}',
    errors: [
      '+0:11 misplaced-reference sources.shop: `host` is not a secret and cannot be a reference [Write the value itself.]',
    ],
  },
  {
    what: 'a source that does not exist',
    line: '    source: shop',
    by: '    source: shopp',
    errors: [
      '+0:13 dangling-reference plans.shop-nightly: `source` names `shopp`, but there is no `sources.shopp` [Did you mean `shop`?]',
    ],
  },
  {
    what: 'a destination that does not exist',
    line: '    destinations: [nas]',
    by: '    destinations: [elsewhere]',
    errors: [
      '+0:20 dangling-reference plans.shop-nightly: `destinations[0]` names `elsewhere`, but there is no `destinations.elsewhere` [Known: `nas`.]',
    ],
  },
  {
    what: 'a retention that does not exist',
    line: '    retention: standard',
    by: '    retention: standrad',
    errors: [
      '+0:16 dangling-reference plans.shop-nightly: `retention` names `standrad`, but there is no `retention.standrad` [Did you mean `standard`?]',
    ],
  },
  {
    what: 'more than one destination',
    line: '    destinations: [nas]',
    by: '    destinations: [nas, nas2]',
    errors: [
      '+0:25 dangling-reference plans.shop-nightly: `destinations[1]` names `nas2`, but there is no `destinations.nas2` [Did you mean `nas`?]',
      '+0:25 not-yet plans.shop-nightly: copies to further destinations are not supported by this version [Keep one destination, and add a plan for each further one.]',
    ],
  },
  {
    what: 'a collection that a later version will have',
    line: 'daemon:',
    by: 'checks:\n  fresh: { type: freshness, plan: shop-nightly, within: 26h }\ndaemon:',
    errors: [
      '+0:1 not-yet `checks` are not supported by this version: nothing would run them [Remove it: tidemark does not pretend to do what it cannot.]',
    ],
  },
  {
    what: 'a key of a later version',
    line: '    missed: skip',
    by: '    startWhen: { threadsRunning: "< 40" }',
    errors: [
      '+0:5 not-yet plans.shop-nightly: `startWhen` is not supported by this version [Remove it: tidemark does not pretend to do what it cannot.]',
    ],
  },
  {
    what: "a source's key of a later version",
    line: '    port: 3306',
    by: '    standby: { host: db2.internal }',
    errors: [
      '+0:5 not-yet sources.shop: `standby` is not supported by this version [Remove it: tidemark does not pretend to do what it cannot.]',
    ],
  },
  {
    what: 'a type that the driver does not have',
    line: '    type: logical',
    by: '    type: physical',
    errors: [
      '+0:11 unsupported-type plans.shop-nightly: driver `mysql` has no backups of type `physical` in this version [Use `logical`.]',
    ],
  },
  {
    what: 'both a schedule and manual',
    line: '    missed: skip',
    by: '    manual: true',
    errors: ['+0:5 conflicting-keys plans.shop-nightly: `schedule`, `manual` exclude each other [Keep one of them.]'],
  },
  {
    what: 'a prune by a schedule and by hand',
    line: '  concurrency: 3',
    by: '  prune: { schedule: "0 3 * * *", manual: true }',
    errors: ['+0:35 conflicting-keys daemon: `schedule`, `manual` exclude each other [Keep one of them.]'],
  },
  {
    what: 'a rename from what still exists',
    line: '    labels: { region: eu }',
    by: '    renamedFrom: shop-ro',
    errors: [
      '+0:18 rename-conflict sources.shop: `sources.shop-ro` still exists [A resource can take over the state of one that is gone, and only one can.]',
    ],
  },
  {
    what: 'a catalog that is not SQLite',
    line: '  catalog: sqlite:state/catalog.db',
    by: '  catalog: mysql://root:pw@db/tidemark',
    errors: [
      '+0:12 bad-value daemon: `catalog` is not a catalog [Write `sqlite:` and a path; this version keeps its catalog in SQLite only.]',
    ],
  },
  {
    what: 'broken YAML, and nothing else said of that file',
    line: '    host: db1.internal',
    by: '    host: "db1.internal',
    errors: ['+0:24 yaml-syntax missing closing "quote'],
  },
];
