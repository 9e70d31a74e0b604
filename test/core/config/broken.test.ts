import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorsOf, load } from './given.ts';

const text = `sources:
  shop:
    driver: mysql
    hots: db1
    user: tidemark
    password: hunter2
  web: { driver: files, paths: [] }
  cache: { driver: redis, url: "redis://cache:6379" }
destinations:
  nas:
    driver: local
    path: mnt/nas
    requireMount: "yes"
gateways:
  office: { upload: 40 }
retention:
  standard: { daly: 7, within: 7x }
plans:
  nightly:
    source: shop
    type: phisical
    corn: "0 0 * * *"
    destinations: [nas, nas2, nas]
    retention: standart
    retry: { attempts: 0, backof: 5m }
    bandwidth: 60MiB/s
  "bad name": {}
checks:
  fresh: { type: freshness, plan: nightli, within: 26 }
notify: {}
policies:
daemon:
  listen: 9631
  runner: { engine: embedded }
surces: {}
`;

test('a file with everything wrong is told everything at once, in order, without repeating itself', async (t) => {
  const loaded = await load(t, text);
  const said = errorsOf(loaded).map((error) => error.replace(/ \[.*/, ''));
  assert.deepEqual(said, [
    '4:5 unknown-key sources.shop: unknown key `hots`',
    '6:15 literal-secret sources.shop: `password` must be a reference to a secret, not the secret itself',
    '7:32 bad-value sources.web: `paths` must not be empty',
    '8:20 unknown-driver sources.cache: unknown driver `redis`',
    '10:3 missing-key destinations.nas: `password` is missing',
    '12:11 bad-value destinations.nas: `path` is not an absolute path: mnt/nas',
    '13:19 wrong-type destinations.nas: `requireMount` must be true or false, not a string',
    '14:1 not-yet `gateways` are not supported by this version: nothing would go through them',
    '17:15 unknown-key retention.standard: unknown key `daly`',
    '17:32 bad-value retention.standard: `within` is not a duration: 7x',
    '19:3 missing-key plans.nightly: exactly one of `schedule`, `manual` is needed',
    '21:11 bad-value plans.nightly: `type` cannot be that: phisical',
    '22:5 unknown-key plans.nightly: unknown key `corn`',
    '23:19 bad-value plans.nightly: `destinations` says the same thing twice',
    '23:25 dangling-reference plans.nightly: `destinations[1]` names `nas2`, but there is no `destinations.nas2`',
    '23:25 not-yet plans.nightly: copies to further destinations are not supported by this version',
    '24:16 dangling-reference plans.nightly: `retention` names `standart`, but there is no `retention.standart`',
    '25:24 bad-value plans.nightly: `retry.attempts` must be >= 1: 0',
    '25:27 unknown-key plans.nightly: unknown key `retry.backof`',
    '26:5 not-yet plans.nightly: `bandwidth` is not supported by this version',
    '27:3 bad-name `bad name` cannot be a name',
    '28:1 not-yet `checks` are not supported by this version: nothing would run them',
    '30:1 not-yet `notify` are not supported by this version: nobody would be told',
    '31:1 not-yet `policies` are not supported by this version: nothing would enforce them',
    '33:11 wrong-type daemon: `listen` must be a string, not a number',
    '34:3 not-yet daemon: `runner` is not supported by this version',
    '35:1 unknown-key unknown key `surces`',
  ]);
  assert.doesNotMatch(JSON.stringify(loaded.diagnostics), /hunter2/);
});
