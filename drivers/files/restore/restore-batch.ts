import type { Content } from '../../../core/driver/index.ts';
import type { Entry, FileTask, FinishedFolder, HardLink } from './restore-task.ts';

/** What is written at one go: some thousand entries, folders before what is in them. */
export interface RestoreBatch {
  /** Parents before children. */
  readonly folders: string[];
  readonly files: BatchFile[];
  readonly entries: Entry[];
  readonly links: BatchLink[];
  /** Folders that get nothing more, children before parents. */
  readonly finished: FinishedFolder[];
  blobs: number;
}

export interface BatchFile {
  readonly task: FileTask;
  readonly content: Content;
  /** Other names of the same file may follow. */
  readonly linked: boolean;
}

/** Another name of a file; `file` is for where it cannot be a link. */
export interface BatchLink {
  readonly link: HardLink;
  readonly file: BatchFile;
}

export function newBatch(): RestoreBatch {
  return { folders: [], files: [], entries: [], links: [], finished: [], blobs: 0 };
}
