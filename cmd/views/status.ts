import type {
  DestinationOverview,
  Overview,
  PlanOverview,
  SourceOverview,
  SourceState,
} from '../../core/overview/index.ts';
import { formatBytes } from '../../core/units.ts';
import { type Look, type Paint, paint, printable } from './look.ts';
import { table } from './table.ts';
import { count, formatAge, formatTime } from './words.ts';

export function statusText(overview: Overview, safe: boolean, look: Look): string {
  const { sources, destinations } = overview;
  const blocks = [
    ...(sources.length > 0 ? [sourcesTable(sources, look)] : []),
    ...(destinations.length > 0 ? [destinationsTable(destinations, look)] : []),
    `${daemonText(overview, look)}\n`,
    verdict(overview, safe, look),
  ];
  return blocks.join('\n');
}

interface Row {
  readonly source: SourceOverview;
  readonly plan?: PlanOverview;
  readonly first: boolean;
}

function sourcesTable(sources: readonly SourceOverview[], look: Look): string {
  const rows = sources.flatMap((source): Row[] =>
    source.plans.length === 0
      ? [{ source, first: true }]
      : source.plans.map((plan, at) => ({ source, plan, first: at === 0 })),
  );
  return table(
    rows,
    [
      { title: 'SOURCE', cell: ({ source, first }) => (first ? source.name : undefined) },
      { title: 'STATE', cell: ({ source, first }) => (first ? stateText(source.state, look) : undefined) },
      { title: 'PLAN', cell: ({ plan }) => plan?.settings.name },
      { title: 'NEWEST BACKUP', cell: ({ plan }) => newestText(plan, look) },
      {
        title: 'SIZE',
        minor: true,
        right: true,
        cell: ({ plan }) => plan?.newest && formatBytes(plan.newest.sizeBytes),
      },
      {
        title: 'RECOVERY POINT',
        minor: true,
        cell: ({ plan }) => plan?.newest && formatTime(plan.newest.consistentAt),
      },
      { title: 'NEXT RUN', cell: ({ plan }) => nextText(plan, look) },
    ],
    look,
  );
}

const colours: Readonly<Record<SourceState, Paint>> = {
  running: 'cyan',
  'no plan': 'red',
  suspended: 'red',
  failing: 'red',
  paused: 'yellow',
  waiting: 'cyan',
  scheduled: 'green',
  manual: 'green',
};

function stateText(state: SourceState, look: Look): string {
  return paint(look, colours[state], state);
}

function newestText(plan: PlanOverview | undefined, look: Look): string | undefined {
  if (plan === undefined) return undefined;
  return plan.newest === undefined ? paint(look, 'red', 'none') : formatAge(plan.newest.endedAt, look.now);
}

function nextText(plan: PlanOverview | undefined, look: Look): string | undefined {
  if (plan === undefined) return undefined;
  if (plan.active !== undefined) return plan.active.state === 'running' ? 'runs now' : 'queued';
  if (plan.status.pausedAt !== undefined) return 'paused';
  return plan.nextRun === undefined ? 'by hand' : formatAge(plan.nextRun, look.now);
}

function destinationsTable(destinations: readonly DestinationOverview[], look: Look): string {
  return table(
    destinations,
    [
      { title: 'DESTINATION', cell: ({ name }) => name },
      { title: 'DRIVER', minor: true, cell: ({ driver }) => driver },
      { title: 'BACKUPS', right: true, cell: ({ copies }) => String(copies) },
      { title: 'RESTORE TO', right: true, cell: ({ sizeBytes }) => formatBytes(sizeBytes) },
    ],
    look,
  );
}

function daemonText({ daemons }: Overview, look: Look): string {
  if (daemons.length === 0) return 'daemon: none is running';
  return daemons
    .map(({ pid, host, startedAt, configuration: { state, text } }) => {
      const since = `pid ${pid} on ${host}, started ${formatAge(startedAt, look.now)}`;
      return `daemon: ${since}; configuration ${state}: ${printable(text)}`;
    })
    .join('\n');
}

function verdict({ problems, sources }: Overview, safe: boolean, look: Look): string {
  if (safe) return `${paint(look, ['green', 'bold'], 'safe')}: ${count(sources.length, 'source')}, no problems\n`;
  const all = [...problems, ...sources.flatMap((source) => source.problems.map((text) => `${source.name}: ${text}`))];
  const lines = all.map((text) => `  ${printable(text)}\n`);
  return `${paint(look, ['red', 'bold'], 'not safe')}: ${count(all.length, 'problem')}\n${lines.join('')}`;
}
