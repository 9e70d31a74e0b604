import type { Register } from '../verb.ts';

/** Every verb, in the order of the help, and what adds it. Each is a module of its own: a verb starts without the others. */
const verbs: Readonly<Record<string, () => Promise<Register>>> = {
  init: async () => (await import('./init.ts')).registerInit,
  validate: async () => (await import('./validate.ts')).registerValidate,
  plan: async () => (await import('./plan.ts')).registerPlan,
  apply: async () => (await import('./apply.ts')).registerApply,
  daemon: async () => (await import('./daemon.ts')).registerDaemon,
  status: async () => (await import('./status.ts')).registerStatus,
  backup: async () => (await import('./backup.ts')).registerBackup,
  backups: async () => (await import('./backups.ts')).registerBackups,
  show: async () => (await import('./show.ts')).registerShow,
  download: async () => (await import('./download.ts')).registerDownload,
  restore: async () => (await import('./restore.ts')).registerRestore,
  pin: async () => (await import('./pin.ts')).registerPin,
  unpin: async () => (await import('./pin.ts')).registerUnpin,
  delete: async () => (await import('./delete.ts')).registerDelete,
  prune: async () => (await import('./prune.ts')).registerPrune,
  restores: async () => (await import('./jobs.ts')).registerRestores,
  jobs: async () => (await import('./jobs.ts')).registerJobs,
  events: async () => (await import('./events.ts')).registerEvents,
  cancel: async () => (await import('./cancel.ts')).registerCancel,
  pause: async () => (await import('./pause.ts')).registerPause,
  resume: async () => (await import('./pause.ts')).registerResume,
  key: async () => (await import('./key.ts')).registerKey,
  repository: async () => (await import('./repository/index.ts')).registerRepository,
  catalog: async () => (await import('./catalog.ts')).registerCatalog,
  schema: async () => (await import('./schema.ts')).registerSchema,
  completion: async () => (await import('./completion.ts')).registerCompletion,
};

export function allVerbs(): Promise<readonly Register[]> {
  return Promise.all(Object.values(verbs).map((load) => load()));
}

/** The verb of a command line alone, where it is the first word; otherwise all, as help, hints and completions need them. */
export async function verbsOf(argv: readonly string[]): Promise<readonly Register[]> {
  const first = argv.find((word, at) => !isOption(word) && !takesNext(argv[at - 1]));
  if (first === undefined && argv.includes('--version')) return [];
  const asksForHelp = first === undefined || argv.slice(0, argv.indexOf(first)).some(isHelp);
  const load = asksForHelp || !Object.hasOwn(verbs, first) ? undefined : verbs[first];
  return load === undefined ? allVerbs() : [await load()];
}

function isOption(word: string): boolean {
  return word.startsWith('-');
}

/** `-c PATH`, also behind other letters. */
function takesNext(word: string | undefined): boolean {
  return word === '--config' || /^-[a-z]*c$/.test(word ?? '');
}

function isHelp(word: string): boolean {
  return word === '--help' || /^-[a-z]*h/.test(word);
}
