/** The door of this room: the process that does everything on time. */
export type { DaemonContext, ReconcileOutcome } from './context.ts';
export { createReconcile, type ReconcileSources } from './reconcile.ts';
export { type DaemonSignals, runDaemon } from './run-daemon.ts';
export { openSystemd, type Systemd } from './systemd.ts';
