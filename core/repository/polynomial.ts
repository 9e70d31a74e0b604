import crypto from 'node:crypto';

/**
 * restic cuts files with a Rabin fingerprint over a random irreducible polynomial of degree 53, which the repository's
 * config names. Tidemark cuts otherwise, but restic's own backups into the repository need it.
 */
const degree = 53;

/** A random irreducible polynomial over GF(2), as hex digits. About one candidate in 53 is irreducible. */
export function randomPolynomial(): string {
  for (;;) {
    const random = crypto.randomBytes(8).readBigUInt64BE() & ((1n << BigInt(degree)) - 1n);
    const candidate = (1n << BigInt(degree)) | random | 1n;
    if (isIrreducible(candidate)) return candidate.toString(16);
  }
}

/** Ben-Or's test: no factor of a degree up to half of the polynomial's. */
export function isIrreducible(f: bigint): boolean {
  const x = 2n;
  let power = x;
  for (let i = 1; i <= Math.floor(degreeOf(f) / 2); i++) {
    power = remainder(square(power), f); // x^(2^i) mod f
    if (greatestCommonDivisor(f, power ^ x) !== 1n) return false;
  }
  return true;
}

/** Squaring over GF(2) puts a zero between any two digits. */
function square(a: bigint): bigint {
  return BigInt(`0b${[...a.toString(2)].join('0')}`);
}

function remainder(a: bigint, f: bigint): bigint {
  let rest = a;
  for (let shift = degreeOf(rest) - degreeOf(f); shift >= 0; shift = degreeOf(rest) - degreeOf(f)) {
    rest ^= f << BigInt(shift);
  }
  return rest;
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, remainder(a, b));
}

function degreeOf(a: bigint): number {
  return a === 0n ? -1 : a.toString(2).length - 1;
}
