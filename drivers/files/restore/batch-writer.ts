import { manifestFolder, type RestoreThreads } from '../../../core/driver/index.ts';
import type { NotRestoredList } from './not-restored-list.ts';
import type { BatchFile, BatchLink, RestoreBatch } from './restore-batch.ts';
import { childPath, type Refusal, type RestoreReport, type RestoreTask } from './restore-task.ts';

export interface BatchWriterOptions {
  readonly threads: RestoreThreads<RestoreTask, RestoreReport>;
  readonly verify: boolean;
  readonly keepDamaged: boolean;
  readonly notRestored: NotRestoredList;
}

/** Writes batches, one after the other. Goes on past what is damaged or refused, and names it. */
export class BatchWriter {
  readonly #options: BatchWriterOptions;
  /** Folders that the target refused. */
  readonly #refusedFolders = new Set<string>();
  /** Of files with several names: the first names that are not whole, and why. */
  readonly #brokenNames = new Map<string, { why: 'damaged' | 'refused'; detail: string }>();
  /** The batch that is being written, or was when the restore failed. */
  current: RestoreBatch | undefined;
  /** What is whole in the target, counted as the backup does: no folders, and not core's own file. */
  items = 0;
  bytes = 0;
  readonly counts = { owners: 0, modes: 0, times: 0, attributes: 0 };

  constructor(options: BatchWriterOptions) {
    this.#options = options;
  }

  async write(batch: RestoreBatch): Promise<void> {
    this.current = batch;
    await this.#makeFolders(batch.folders);
    await this.#makeEntries(batch);
    await this.#writeFiles(batch.files.filter(({ task }) => this.#isReachable(task.folder)));
    await this.#makeLinks(batch.links.filter(({ link }) => this.#isReachable(link.folder)));
    const finished = batch.finished.filter(({ path }) => this.#isReachable(path));
    const { refused } = await this.#run({ kind: 'folder-metadata', folders: finished });
    this.#refuse(refused);
    this.current = undefined;
  }

  async #makeFolders(folders: readonly string[]): Promise<void> {
    const { refused } = await this.#run({ kind: 'folders', paths: folders.filter((path) => this.#isReachable(path)) });
    for (const { path, detail } of refused) {
      // What lies below was refused for the same reason.
      if (this.#isReachable(path)) this.#refuse([{ path, detail: `${detail}; nothing below it is restored` }]);
      this.#refusedFolders.add(path);
    }
  }

  async #makeEntries({ entries }: RestoreBatch): Promise<void> {
    const wanted = entries.filter(({ folder }) => this.#isReachable(folder));
    const tasks = portions(wanted, this.#options.threads.count).map(
      (part) => ({ kind: 'entries', entries: part }) as const,
    );
    const reports = await Promise.all(tasks.map((task) => this.#run(task)));
    const refused = reports.flatMap((report) => report.refused);
    this.#refuse(refused);
    this.items += wanted.length - refused.length;
  }

  async #writeFiles(files: readonly BatchFile[]): Promise<void> {
    if (files.length === 0) return;
    const { threads } = this.#options;
    const broken = new Set<string>();
    for (const { file, detail } of await threads.scatter(files)) {
      broken.add(pathOf(files[file]!));
      this.#breaks(files[file]!, 'damaged', detail);
    }
    const refused = new Map((await this.#reports()).flatMap((report) => report.refused).map((one) => [one.path, one]));
    for (const file of files) {
      const refusal = refused.get(pathOf(file));
      if (refusal === undefined || broken.has(refusal.path)) continue;
      broken.add(refusal.path);
      this.#breaks(file, 'refused', refusal.detail);
    }
    const whole = broken.size === 0 ? files : files.filter((file) => !broken.has(pathOf(file)));
    await this.#count(whole);
  }

  /** Counts files as restored, once they are compared where that was asked for. */
  async #count(files: readonly BatchFile[]): Promise<void> {
    const differing = this.#options.verify ? await this.#compare(files) : new Set<string>();
    for (const file of files) {
      if (file.task.folder === manifestFolder || (differing.size > 0 && differing.has(pathOf(file)))) continue;
      this.items += 1;
      this.bytes += file.content.sizeBytes;
    }
  }

  async #compare(files: readonly BatchFile[]): Promise<Set<string>> {
    const { threads, notRestored } = this.#options;
    const tasks = files.map(({ task, content }) => ({ task: { ...task, verify: true }, content }));
    const differing = new Set<string>();
    for (const { file, detail } of await threads.scatter(tasks)) {
      differing.add(pathOf(files[file]!));
      notRestored.add(pathOf(files[file]!), 'damaged', `it could not be compared: ${detail}`);
    }
    for (const path of (await this.#reports()).flatMap((report) => report.differing)) {
      if (differing.has(path)) continue;
      differing.add(path);
      notRestored.add(path, 'differs', 'the target gives back other bytes than were written');
    }
    return differing;
  }

  /** Where a name cannot be a link, it becomes a file of its own. */
  async #makeLinks(links: readonly BatchLink[]): Promise<void> {
    const linkable = links.filter((one) => this.#isLinkable(one));
    const { refused, unlinked } = await this.#run({ kind: 'links', links: linkable.map(({ link }) => link) });
    this.#refuse(refused);
    const failed = new Set([...refused.map(({ path }) => path), ...unlinked]);
    for (const one of linkable) if (!failed.has(pathOf(one.file))) this.#countLink(one);
    const apart = new Set(unlinked);
    await this.#writeFiles(
      links.filter((one) => apart.has(pathOf(one.file)) || !this.#isLinkable(one)).map(({ file }) => file),
    );
  }

  /** Not to a name that has other bytes, or none. */
  #isLinkable({ link }: BatchLink): boolean {
    if (!this.#isReachable(link.toFolder)) return false;
    const broken = this.#brokenNames.get(childPath(link.toFolder, link.toName));
    return broken === undefined || (broken.why === 'damaged' && this.#options.keepDamaged);
  }

  #countLink({ link, file }: BatchLink): void {
    const broken = this.#brokenNames.get(childPath(link.toFolder, link.toName));
    if (broken !== undefined) {
      this.#options.notRestored.add(pathOf(file), broken.why, broken.detail);
    } else {
      this.items += 1;
      this.bytes += file.content.sizeBytes;
    }
  }

  #breaks(file: BatchFile, why: 'damaged' | 'refused', detail: string): void {
    this.#options.notRestored.add(pathOf(file), why, detail);
    if (file.linked) this.#brokenNames.set(pathOf(file), { why, detail });
  }

  #refuse(refusals: readonly Refusal[]): void {
    for (const { path, detail } of refusals) this.#options.notRestored.add(path, 'refused', detail);
  }

  /** Whether neither a folder nor one above it was refused. */
  #isReachable(folder: string): boolean {
    if (this.#refusedFolders.size === 0) return true;
    for (let end = folder.length; end > 0; end = folder.lastIndexOf('/', end - 1)) {
      if (this.#refusedFolders.has(folder.slice(0, end))) return false;
    }
    return true;
  }

  async #run(task: RestoreTask): Promise<RestoreReport> {
    return this.#add(await this.#options.threads.run(task));
  }

  async #reports(): Promise<RestoreReport[]> {
    const { threads } = this.#options;
    const numbers = Array.from({ length: threads.count }, (_, thread) => thread);
    const reports = await Promise.all(numbers.map((thread) => threads.runOn(thread, { kind: 'report' })));
    return reports.map((report) => this.#add(report));
  }

  #add(report: RestoreReport): RestoreReport {
    this.counts.owners += report.owners;
    this.counts.modes += report.modes;
    this.counts.times += report.times;
    this.counts.attributes += report.attributes;
    return report;
  }
}

function pathOf({ task }: BatchFile): string {
  return childPath(task.folder, task.name);
}

function portions<T>(items: readonly T[], count: number): T[][] {
  const size = Math.ceil(items.length / count);
  const parts = Array.from({ length: count }, (_, part) => items.slice(part * size, (part + 1) * size));
  return parts.filter((part) => part.length > 0);
}
