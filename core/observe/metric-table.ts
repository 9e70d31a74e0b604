interface MetricEntry {
  readonly help: string;
  readonly labels: readonly string[];
}

const plan = ['plan', 'source'] as const;

/** Every metric of ours; all are gauges. `docs/reference/metrics.md` is generated from this table. */
export const metricTable = {
  tidemark_build_info: { help: 'Always 1; the label tells the version.', labels: ['version'] },
  tidemark_config_state: {
    help: '1 for the state of the watched configuration: applied, pending (waits for `tidemark apply`) or invalid.',
    labels: ['state'],
  },
  tidemark_config_read_timestamp_seconds: { help: 'When the configuration was last read.', labels: [] },
  tidemark_pending_changes: { help: 'Changes of the configuration that wait for `tidemark apply`.', labels: [] },
  tidemark_applied_serial: { help: 'Grows by one with every apply.', labels: [] },
  tidemark_jobs: { help: 'Jobs that are queued or running now.', labels: ['kind', 'state'] },
  tidemark_source_up: { help: '0 while plans are suspended because the source is down.', labels: ['source'] },
  tidemark_destination_up: {
    help: '0 while plans are suspended because the destination is down.',
    labels: ['destination'],
  },
  tidemark_destination_created_timestamp_seconds: {
    help: 'When the destination was first applied.',
    labels: ['destination'],
  },
  tidemark_prune_last_success_timestamp_seconds: {
    help: 'When space was last freed in the destination with nothing left undone; absent until it was.',
    labels: ['destination'],
  },
  tidemark_prune_expected_interval_seconds: {
    help: 'The longest time between two scheduled prunes; absent with `manual`. Alert on the age of the last success against it.',
    labels: ['destination'],
  },
  tidemark_prune_last_freed_bytes: {
    help: 'By how much less is stored since the last prune that ended, whether whole or not: what it deleted, less what it wrote anew.',
    labels: ['destination'],
  },
  tidemark_plan_created_timestamp_seconds: { help: 'When the plan was first applied.', labels: plan },
  tidemark_plan_last_success_timestamp_seconds: {
    help: 'When the last complete backup ended; absent until there is one.',
    labels: plan,
  },
  tidemark_plan_expected_interval_seconds: {
    help: 'The longest time between two scheduled runs; absent for manual plans. Alert on the age of the last success against it.',
    labels: plan,
  },
  tidemark_plan_next_run_timestamp_seconds: {
    help: 'When the plan starts next; absent for manual plans.',
    labels: plan,
  },
  tidemark_plan_last_duration_seconds: { help: 'How long the newest backup took.', labels: plan },
  tidemark_plan_last_read_bytes: { help: 'Size of what the newest backup holds.', labels: plan },
  tidemark_plan_last_added_bytes: { help: 'What the newest backup added to the repository.', labels: plan },
  tidemark_plan_consecutive_failures: {
    help: 'Jobs that failed or were missed since the last one that did not; at most 100.',
    labels: plan,
  },
  tidemark_plan_running: { help: '1 while a backup of the plan runs.', labels: plan },
  tidemark_plan_paused: { help: '1 while a person has paused the plan.', labels: plan },
  tidemark_plan_suspended: { help: '1 while the source or destination of the plan is down.', labels: plan },
} as const satisfies Record<string, MetricEntry>;

export type MetricName = keyof typeof metricTable;

/** The table as Markdown. */
export function metricReference(): string {
  const rows = Object.entries(metricTable).map(([name, { help, labels }]) => {
    return `| \`${name}\` | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`;
  });
  return ['| metric | labels | meaning |', '|---|---|---|', ...rows].join('\n');
}
