import { type Catalog, openSqliteCatalog } from '../../core/catalog/index.ts';
import { type Clock, systemClock } from '../../core/clock.ts';

/** Opens the catalog that a test's process shares with others. */
export async function openCatalog(url: string, clock: Clock = systemClock): Promise<Catalog> {
  if (url.startsWith('mysql:')) return (await import('./mysql-catalog.ts')).openMysqlCatalog(url, clock);
  return openSqliteCatalog(url.replace(/^sqlite:/, ''), clock);
}
