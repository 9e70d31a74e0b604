import type { BackupRecord } from '../catalog/index.ts';
import { firstOf } from '../first-of.ts';

interface Seen {
  readonly record: BackupRecord;
  readonly replaces?: string;
}

/**
 * Of several snapshots of one backup in a repository, as `restic copy` and `restic rewrite` leave them, or a repair that was
 * cut off, one counts: two would take two counts of a retention, and push a backup out that there is once. It is the one
 * that a repair put in the other's place, the one that says whole, or the one that the catalog had first.
 */
export class EqualCopies {
  readonly #known: ReadonlyMap<string, BackupRecord>;
  readonly #counting = new Map<string, Seen>();
  /** The backups of those that do not count, by snapshot. */
  readonly #others = new Map<string, string>();

  constructor(known: readonly BackupRecord[]) {
    this.#known = new Map(known.map((record) => [record.snapshot, record]));
  }

  /** Gives the snapshot that does not count: this one, or one that was seen before. */
  see(record: BackupRecord, replaces?: string): string | undefined {
    const { id } = record;
    const seen = { record, ...(replaces !== undefined && { replaces }) };
    const before = this.#counting.get(id);
    const counts = before === undefined || this.#isBefore(seen, before) ? seen : before;
    this.#counting.set(id, counts);
    if (before === undefined) return undefined;
    const other = counts === seen ? before.record.snapshot : record.snapshot;
    this.#others.set(other, id);
    return other;
  }

  get others(): ReadonlySet<string> {
    return new Set(this.#others.keys());
  }

  get warnings(): string[] {
    const others = [...this.#others].map(([snapshot, id]) => [short(snapshot), id] as const);
    if (others.length === 0) return [];
    const texts = others.map(
      ([other, id]) => `${other} of ${id}, which is ${short(this.#counting.get(id)!.record.snapshot)}`,
    );
    const [are, them] = others.length === 1 ? ['1 snapshot is', 'it'] : [`${others.length} snapshots are`, 'them'];
    const command = `restic forget ${others
      .slice(0, named)
      .map(([other]) => other)
      .join(' ')}`;
    return [
      `${are} of a backup that counts by another one, and no retention or deletion lets go of ${them}: ${firstOf(texts, named)}; \`${command}\` removes ${them}`,
    ];
  }

  #isBefore(one: Seen, other: Seen): boolean {
    if (one.replaces === other.record.snapshot) return true;
    if (other.replaces === one.record.snapshot) return false;
    return this.#rank(one.record) - this.#rank(other.record) > 0;
  }

  #rank(record: BackupRecord): number {
    const known = this.#known.get(record.snapshot);
    const stays = known?.expiringAt === undefined;
    const isWhole = !(known?.partial ?? false) && !record.partial;
    const isMadeHere = known?.addedBytes !== undefined;
    return [stays, isWhole, known !== undefined, isMadeHere].reduce((rank, yes) => rank * 2 + Number(yes), 0);
  }
}

const named = 12;

function short(snapshot: string): string {
  return snapshot.slice(0, 8);
}
