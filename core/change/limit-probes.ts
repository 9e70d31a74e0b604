import type { Clock } from '../clock.ts';
import type { Resource } from '../config/index.ts';
import { TidemarkError } from '../error.ts';
import { withinLimit } from '../within-limit.ts';
import type { Probed, Probes } from './probe.ts';

/** The same probes, each of which gives up in this time: what does not answer is unreachable. */
export function limitProbes(probes: Probes, clock: Clock, limitMs: number): Probes {
  const limited = (resource: Resource, signal: AbortSignal, probe: (within: AbortSignal) => Promise<Probed>) => {
    const code = resource.collection === 'sources' ? 'SOURCE_UNREACHABLE' : 'DESTINATION_UNREACHABLE';
    const late = new TidemarkError(code, `no answer within ${limitMs / 1000} s`, { subject: resource.address });
    return withinLimit({ clock, limitMs, late, signal }, probe);
  };
  return {
    source: (resource, signal) => limited(resource, signal, (within) => probes.source(resource, within)),
    destination: (resource, signal, missing) =>
      limited(resource, signal, (within) => probes.destination(resource, within, missing)),
  };
}
