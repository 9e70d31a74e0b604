import type { TestContext } from 'node:test';
import type { Catalog } from '../../core/catalog/index.ts';
import type { Clock } from '../../core/clock.ts';
import { backupCases } from './catalog-backups.ts';
import { exclusionCases } from './catalog-exclusion.ts';
import { jobCases } from './catalog-jobs.ts';
import { processCases } from './catalog-processes.ts';
import { type ManualClock, manualClock } from './catalog-samples.ts';
import { stateCases } from './catalog-state.ts';
import { watchCases } from './catalog-watch.ts';

/** An empty catalog of the kind under test, which several processes may open by `url`. */
export interface CatalogPlace {
  readonly url: string;
  open(clock: Clock): Promise<Catalog>;
}

export type CatalogCase = (t: TestContext, catalog: Catalog, clock: ManualClock, place: CatalogPlace) => Promise<void>;

/** What every catalog does. `makePlace` gives a new empty one each time. */
export async function catalogContract(
  t: TestContext,
  makePlace: (t: TestContext) => Promise<CatalogPlace>,
): Promise<void> {
  const cases = { ...stateCases, ...backupCases, ...jobCases, ...exclusionCases, ...watchCases, ...processCases };
  for (const [name, run] of Object.entries(cases)) {
    await t.test(name, async (t) => {
      const clock = manualClock();
      const place = await makePlace(t);
      await using catalog = await place.open(clock);
      await run(t, catalog, clock, place);
    });
  }
}
