import { copyFile, mkdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { CheckOptions } from '../../../../core/repository/index.ts';
import type { Place } from '../repository-kit.ts';
import { filesIn, flip, twoFiles } from './check-kit.ts';

/** Of a repository with two backups: one index file, one pack of data and one of trees each. */
export interface Damage {
  readonly does: (place: Place, files: Files) => Promise<void>;
  readonly options?: Partial<CheckOptions>;
  readonly finds: readonly RegExp[];
  readonly hurtBackups: number;
  /** Whether stock restic is content when it reads all; asked where one might think otherwise. */
  readonly isFineForRestic?: boolean;
}

export interface Files {
  readonly snapshots: readonly [string, string];
  readonly dataPack: string;
  readonly treePack: string;
  readonly index: string;
}

export const damages: Record<string, Damage> = {
  nothing: { does: async () => {}, finds: [], hurtBackups: 0, isFineForRestic: true },
  'a flipped bit in data': {
    does: (_, { dataPack }) => flip(dataPack, 100),
    finds: [/^pack-damaged data\/..\/[0-9a-f]{64}: 1 of \d blobs in it cannot be read -> \/one\.bin$/],
    hurtBackups: 1,
  },
  'a flipped bit in a tree': {
    does: (_, { treePack }) => flip(treePack, 40),
    finds: [/^pack-damaged .*1 of \d blobs in it cannot be read -> \/folder\/$/],
    hurtBackups: 1,
  },
  'a flipped bit in a tree, and no data read': {
    does: (_, { treePack }) => flip(treePack, 40),
    options: { read: 'none' },
    finds: [/^pack-damaged .*a folder in it cannot be read -> \/folder\/$/],
    hurtBackups: 1,
  },
  'a flipped bit in the header of a pack': {
    does: async (_, { dataPack }) => flip(dataPack, (await readFile(dataPack)).length - 20),
    finds: [/^pack-damaged .*own list of blobs is damaged, its blobs are whole; no backup loses anything by it$/],
    hurtBackups: 0,
    isFineForRestic: false,
  },
  'a pack that is gone': {
    does: (_, { dataPack }) => rm(dataPack),
    options: { read: 'none' },
    finds: [/^pack-missing .*the index names it, and it is gone -> \/folder\/two\.bin \/one\.bin$/],
    hurtBackups: 1,
  },
  'a pack in a wrong folder': {
    does: async ({ folder }, { dataPack }) => {
      await mkdir(join(folder, 'data', 'misplaced'));
      await rename(dataPack, join(folder, 'data', 'misplaced', basename(dataPack)));
    },
    finds: [
      /^pack-misplaced data\/misplaced\/[0-9a-f]{64}: a pack lies here that belongs to data\/../,
      /^pack-missing .*the index names it, and it is gone -> \/folder\/two\.bin \/one\.bin$/,
    ],
    hurtBackups: 1,
  },
  'a pack in a wrong folder, cut short': {
    does: async ({ folder }, { dataPack }) => {
      await mkdir(join(folder, 'data', 'misplaced'));
      await rename(dataPack, join(folder, 'data', 'misplaced', basename(dataPack)));
      await truncate(join(folder, 'data', 'misplaced', basename(dataPack)), 700_000);
    },
    finds: [/^pack-misplaced data\/misplaced\/[0-9a-f]{64}: /, /^pack-missing /],
    hurtBackups: 1,
  },
  'a whole pack in a wrong folder, a damaged one in its own': {
    does: async ({ folder }, { dataPack }) => {
      await mkdir(join(folder, 'data', 'misplaced'));
      await copyFile(dataPack, join(folder, 'data', 'misplaced', basename(dataPack)));
      await flip(dataPack, 100);
    },
    finds: [/^pack-damaged data\/..\/[0-9a-f]{64}: 1 of /, /^pack-misplaced .*one of its name is there, too$/],
    hurtBackups: 1,
  },
  'a pack that is cut short': {
    does: (_, { dataPack }) => truncate(dataPack, 700_000),
    options: { read: 'none' },
    finds: [
      /^pack-damaged .*1 of \d blobs in it cannot be read, and its size is 700000 bytes .* -> \/folder\/two\.bin$/,
    ],
    hurtBackups: 1,
  },
  'a pack with bytes behind its end': {
    does: async (_, { dataPack }) => writeFile(dataPack, Buffer.alloc(10), { flag: 'a' }),
    options: { read: 'none' },
    finds: [/^pack-damaged .*own list of blobs is damaged, its blobs are whole, and its size is/],
    hurtBackups: 0,
    isFineForRestic: false,
  },
  'two packs in the place of each other': {
    does: async (_, { dataPack, treePack }) => {
      await rename(dataPack, `${dataPack}.x`);
      await rename(treePack, dataPack);
      await rename(`${dataPack}.x`, treePack);
    },
    options: { read: 'none' },
    finds: [
      /^pack-(damaged|disagrees).*its bytes are those of data\/(..)\/\2.*; what belongs here lies whole at data\/\2\/.*, where nobody finds it/,
      /^pack-(damaged|disagrees).*its bytes are those of data\/(..)\/\2.*; what belongs here lies whole at data\/\2\/.*, where nobody finds it/,
    ],
    hurtBackups: 1,
  },
  'an index file that is gone': {
    does: (_, { index }) => rm(index),
    finds: [/^index-incomplete index\/: backups need what lies in packs that no index names \(2 packs of/],
    hurtBackups: 0,
    isFineForRestic: false,
  },
  'an index file that is gone, and a flipped bit in data': {
    does: async (_, { index, dataPack }) => {
      await rm(index);
      await flip(dataPack, 100);
    },
    finds: [
      /^index-incomplete/,
      /^pack-damaged data\/..\/[0-9a-f]{64}: 1 of \d blobs in it cannot be read -> \/one\.bin$/,
    ],
    hurtBackups: 1,
  },
  'an index file that is damaged': {
    does: (_, { index }) => flip(index),
    finds: [/^index-damaged index\/[0-9a-f]{64}: it cannot be read: .* is damaged$/, /^index-incomplete/],
    hurtBackups: 0,
  },
  'an index file and its pack that are gone': {
    does: async (_, { index, dataPack }) => {
      await rm(index);
      await rm(dataPack);
    },
    finds: [/^index-incomplete/, /^blob-missing index\/: backups need .* -> \/folder\/two\.bin \/one\.bin$/],
    hurtBackups: 1,
  },
  'a snapshot that is damaged': {
    does: ({ folder }, { snapshots }) => flip(join(folder, 'snapshots', snapshots[0])),
    finds: [/^snapshot-damaged snapshots\/[0-9a-f]{64}: the backup cannot be read/],
    hurtBackups: 0,
  },
  'a damaged key beside a good one': {
    does: async ({ folder }) => writeFile(join(folder, 'keys', '0'.repeat(64)), '{}'),
    finds: [/^key-damaged keys\/0{64}: it is damaged/],
    hurtBackups: 0,
  },
  'a pack that no index names': {
    does: async ({ folder }, { dataPack }) => {
      await mkdir(join(folder, 'data/00'), { recursive: true });
      await copyFile(dataPack, join(folder, 'data/00', '0'.repeat(64)));
    },
    finds: [/^pack-unindexed data\/: no index names 1 packs/],
    hurtBackups: 0,
    isFineForRestic: true,
  },
};

export async function twoBackups(place: Place): Promise<Files> {
  const first = await twoFiles(place, 'first');
  const before = await filesIn(place.folder, 'data');
  const [index] = await filesIn(place.folder, 'index');
  const sizes = await Promise.all(before.map(async (path) => (await readFile(path)).length));
  const [dataPack, treePack] = sizes[0]! > sizes[1]! ? before : before.toReversed();
  return {
    snapshots: [first, await twoFiles(place, 'second')],
    dataPack: dataPack!,
    treePack: treePack!,
    index: index!,
  };
}

/** Data only where all else is fine: restic asks for a pack that is gone again and again, for a quarter of an hour. */
export async function isFine({ restic }: Place): Promise<boolean> {
  try {
    await restic(['check']);
    await restic(['check', '--read-data']);
    return true;
  } catch {
    return false;
  }
}
