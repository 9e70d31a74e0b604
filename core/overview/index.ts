/** The door of this room: what a person may know about safety, from the catalog alone. */
export { backupJson, jobJson, overviewJson } from './json.ts';
export {
  type DestinationOverview,
  isSafe,
  type Overview,
  type PlanOverview,
  type SourceOverview,
  type SourceState,
  sourceStates,
} from './overview.ts';
export { type OverviewSources, readOverview } from './read-overview.ts';
