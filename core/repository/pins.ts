import { hasCode, TidemarkError } from '../error.ts';
import type { SealedObjects } from './objects.ts';

/** Says that a backup is kept. In `pins/`, a folder of ours that restic leaves alone. */
export interface PinDocument {
  readonly format: 1;
  /** The id of the backup: a snapshot that is rewritten keeps it. */
  readonly backup: string;
  /** ISO. */
  readonly pinnedAt: string;
  /** The host that it was set on. */
  readonly by: string;
  readonly reason?: string;
  /** The damaged pins of this backup in whose place a repair put this one. */
  readonly replaces?: readonly string[];
}

export interface SeenPin extends PinDocument {
  /** The object's. */
  readonly id: string;
}

/** A pin as a catalog has it. */
export interface KnownPin extends PinDocument {
  /** The object that said so, where the catalog has learned that. */
  readonly object?: string;
}

export interface BadPin {
  readonly id: string;
  readonly error: TidemarkError;
  /** Its bytes are whole: a newer version may know what it says. */
  readonly isWhole: boolean;
}

/** The pins of a repository. They change nothing that restic sees, so no lock is needed for them. */
export class Pins {
  readonly #objects: SealedObjects;

  constructor(objects: SealedObjects) {
    this.#objects = objects;
  }

  /**
   * By the id of the backup; of several for one the newest. Throws REPOSITORY_CORRUPT for one that cannot be read, which
   * could be of any backup: whoever is about to delete backups must not go on. `onDamaged` gets it instead.
   */
  async list(signal?: AbortSignal, onDamaged?: (error: TidemarkError) => void): Promise<ReadonlyMap<string, SeenPin>> {
    const pins = new Map<string, SeenPin>();
    const { read, bad } = await this.#read(signal);
    for (const { id, error } of bad) {
      if (onDamaged === undefined) throw unreadable(id, error);
      onDamaged(unreadable(id, error));
    }
    for (const { id, pin } of read) {
      const other = pins.get(pin.backup);
      if (other === undefined || other.pinnedAt < pin.pinnedAt) pins.set(pin.backup, { ...pin, id });
    }
    return pins;
  }

  /** All of them, also several of one backup, and those that cannot be read. */
  async look(signal?: AbortSignal): Promise<{ pins: readonly SeenPin[]; bad: readonly BadPin[] }> {
    const { read, bad } = await this.#read(signal);
    return { pins: read.map(({ id, pin }) => ({ ...pin, id })), bad };
  }

  /** Gives the id of the object when it is stored. What it says replaces an earlier pin of the same backup. */
  async add(pin: PinDocument, signal?: AbortSignal): Promise<string> {
    const earlier = await this.#of(pin.backup, signal);
    const id = await this.#objects.put('pins', pin, signal);
    await this.#objects.delete('pins', earlier, signal);
    return id;
  }

  /** Takes every pin of a backup away; none is fine. `left` cannot be read, and may be one of them. */
  async remove(
    backup: string,
    signal?: AbortSignal,
  ): Promise<{ readonly removed: number; readonly left: readonly TidemarkError[] }> {
    const { read, bad } = await this.#read(signal);
    const own = read.filter(({ pin }) => pin.backup === backup).map(({ id }) => id);
    await this.#objects.delete('pins', own, signal);
    return { removed: own.length, left: bad.map(({ id, error }) => unreadable(id, error)) };
  }

  /** Others that are damaged do not keep anybody from pinning, nor from taking a pin away. */
  async #of(backup: string, signal?: AbortSignal): Promise<string[]> {
    const { read } = await this.#read(signal);
    return read.filter(({ pin }) => pin.backup === backup).map(({ id }) => id);
  }

  async #read(signal: AbortSignal | undefined): Promise<{ read: { id: string; pin: PinDocument }[]; bad: BadPin[] }> {
    const [read, bad]: [{ id: string; pin: PinDocument }[], BadPin[]] = [[], []];
    for await (const id of this.#objects.list('pins', signal)) {
      let isWhole = false;
      try {
        const document = await this.#objects.get('pins', id, signal);
        isWhole = true;
        read.push({ id, pin: pinOf(id, document) });
      } catch (error) {
        if (hasCode(error, 'OBJECT_NOT_FOUND')) continue; // taken away after it was listed
        if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
        bad.push({ id, error, isWhole });
      }
    }
    return { read, bad };
  }
}

function pinOf(id: string, document: unknown): PinDocument {
  const { format, backup, pinnedAt, by } = document as Partial<PinDocument>;
  const whole = [backup, pinnedAt, by].every((text) => typeof text === 'string');
  if (format !== 1 || !whole || Number.isNaN(Date.parse(pinnedAt!))) {
    throw new TidemarkError('REPOSITORY_CORRUPT', `pins/${id} is no pin that this version knows`);
  }
  return document as PinDocument;
}

function unreadable(id: string, cause: TidemarkError): TidemarkError {
  return new TidemarkError(
    'REPOSITORY_CORRUPT',
    `a pin cannot be read, so nobody knows which backup it keeps: ${cause.message}`,
    {
      hint: `\`tidemark repository repair\` puts anew what the catalog knows to have been this pin. Where it does not know, ask everybody who pins backups here, pin again what is to stay, then delete pins/${id} in the repository and run \`tidemark catalog import\`. No backup needs the file to be restored.`,
      cause,
    },
  );
}
