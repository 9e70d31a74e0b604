import { type Catalog, openSqliteCatalog } from '../../core/catalog/index.ts';
import { type Clock, systemClock } from '../../core/clock.ts';

/** Opens the catalog that a test's process shares with others. */
export function openCatalog(url: string, clock: Clock = systemClock): Promise<Catalog> {
  return openSqliteCatalog(url.replace(/^sqlite:/, ''), clock);
}
