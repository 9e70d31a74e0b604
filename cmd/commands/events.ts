import { Option } from 'commander';
import { type EventLevel, eventLevels } from '../../core/catalog/index.ts';
import { exitCodes } from '../../core/error-codes.ts';
import { belongingOf, type Label } from '../../core/labels.ts';
import { parseCount, parseTime } from '../arguments.ts';
import { labelOption, listLabelled } from '../label-option.ts';
import type { Register } from '../verb.ts';
import { eventsTable } from '../views/events.ts';

interface Options {
  readonly level?: EventLevel;
  readonly kind?: string;
  readonly subject?: string;
  readonly since?: string;
  readonly label?: readonly Label[];
  readonly limit: number;
}

export const registerEvents: Register = (program, bind) => {
  program
    .command('events')
    .description('List what happened, newest first; equal events in a row are one with a count.')
    .addOption(new Option('--level <level>', 'only those of this level').choices(eventLevels))
    .option('--kind <kind>', 'only those of this kind, such as job.failed')
    .option('--subject <address>', 'only those about this, such as plans.shop-nightly')
    .option('--since <time>', 'only those since this time; also a span such as 7d')
    .addOption(labelOption())
    .option('--limit <number>', 'at most so many', parseCount, 30)
    .action(
      bind(async ({ catalog, output, surroundings }, { since, label: labels, limit, ...filter }: Options) => {
        const from = since === undefined ? undefined : parseTime(since, surroundings.clock.now());
        const known = await catalog();
        const events = await listLabelled(
          known,
          { labels, limit },
          (most) => known.events.list({ ...filter, since: from, limit: most }),
          ({ subject }, state) => belongingOf(state, subject),
        );
        output.result(() => (events.length > 0 ? eventsTable(events, output.look) : 'no events\n'), { events });
        return exitCodes.ok;
      }),
    );
};
