/** A backup in a process of its own, to be killed: `crash-child.ts FOLDER TASKS`, a JSON list. Says the folder of every stored object. */
import type { Content } from '../../../core/driver/index.ts';
import { RecordingStore } from '../../kit/recording-store.ts';
import { fileNode, localStore, reopen, writeBackup } from './repository-kit.ts';
import { moduleUrl, type Result, type Setup, type Task } from './work-thread.ts';

const [folder, tasks] = process.argv.slice(2);

class TellingStore extends RecordingStore {
  override async put(...args: Parameters<RecordingStore['put']>): Promise<void> {
    await super.put(...args);
    process.stdout.write(`${args[0].split('/')[0]}\n`);
  }
}

const repository = await reopen(new TellingStore(await localStore(folder!)));
await writeBackup(repository, async (sink) => {
  await using threads = await sink.threads<Setup, Task, Result>(moduleUrl, {});
  const contents: Content[] = [];
  for (const task of JSON.parse(tasks!) as Task[]) {
    contents.push((await threads.runOn(0, task)) as Content);
    await sink.content(Buffer.from(`beside ${contents.length}`));
  }
  return contents.map((content, at) => fileNode(`${at}`, content));
});
