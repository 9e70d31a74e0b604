/**
 * What a source is may be told with the machine that it is on, which older versions did not: `db1:/srv (machine 1f2e…)`.
 * One that tells no machine is that of any machine of its name; two that do are the same when they are equal.
 */
export function sameIdentity(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  if (one === other) return true;
  return withoutMachine(one) === other || withoutMachine(other) === one;
}

export function tellsMachine(identity: string): boolean {
  return withoutMachine(identity) !== identity;
}

/** `machine`: undefined where it is not known. */
export function withMachine(identity: string, machine: string | undefined): string {
  return machine === undefined ? identity : `${identity} (machine ${machine})`;
}

function withoutMachine(identity: string): string {
  return identity.replace(/ \(machine [0-9a-f]{16}\)$/, '');
}
