import type { EntryState, NodeType, Owner } from '../../driver/index.ts';
import { goMode } from './go-mode.ts';
import { jsonString } from './go-text.ts';
import { isAt } from './split-nodes.ts';

const [zero, nine, dot, utc] = [...Buffer.from('09.Z')];
const keys = textBytes({
  mode: ',"mode":',
  mtime: ',"mtime":"',
  atime: '","atime":"',
  ctime: '","ctime":"',
  inode: ',"inode":',
  deviceId: ',"device_id":',
  size: ',"size":',
  links: ',"links":',
  attributes: ',"extended_attributes":[',
  content: ',"content":',
});
const types: Partial<Record<NodeType, Uint8Array>> = textBytes({ file: ',"type":"file"', dir: ',"type":"dir"' });
const secondsPerDay = 86_400;
/** Years of four digits from 1970 on; other times are left to the encoder. */
const lastSecond = 253_402_300_799;

/**
 * Tells whether the encoder would write what is there, without writing it: every field of a node from its type to its links.
 * Goes over the bytes once and stops at the first difference. One per thread: it remembers days and owners.
 */
export class NodeMatcher {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  readonly #days = new Map<number, Uint8Array>();
  readonly #owners = new Map<Owner, Uint8Array>();

  /** `at` is behind the name. Of files and folders only; other nodes have more to them. */
  matches(bytes: Uint8Array, at: number, state: EntryState, owner: Owner): boolean {
    const type = types[state.type];
    if (type === undefined) return false;
    this.#bytes = bytes;
    this.#at = at;
    const mode = goMode(state.type, state.mode);
    return (
      this.#text(type) &&
      (mode === 0 || (this.#text(keys.mode) && this.#number(mode))) &&
      this.#text(keys.mtime) &&
      this.#time(state.mtimeSeconds, state.mtimeNanos) &&
      this.#text(keys.atime) &&
      this.#time(state.atimeSeconds, state.atimeNanos) &&
      this.#text(keys.ctime) &&
      this.#time(state.ctimeSeconds, state.ctimeNanos) &&
      this.#text(this.#owner(owner)) &&
      this.#unlessZero(keys.inode, Number(state.inode)) &&
      this.#unlessZero(keys.deviceId, Number(state.deviceId)) &&
      this.#unlessZero(keys.size, state.type === 'file' ? state.sizeBytes : 0) &&
      this.#unlessZero(keys.links, state.type === 'file' ? state.links : 0) &&
      (isAt(bytes, this.#at, keys.content) || isAt(bytes, this.#at, keys.attributes))
    );
  }

  #unlessZero(key: Uint8Array, value: number): boolean {
    return value === 0 || (this.#text(key) && this.#number(value));
  }

  #text(text: Uint8Array): boolean {
    const at = this.#at;
    this.#at += text.length;
    return isAt(this.#bytes, at, text);
  }

  /** In decimal, as it is and no longer. */
  #number(value: number): boolean {
    if (!Number.isSafeInteger(value)) return false;
    let found = 0;
    const start = this.#at;
    for (; this.#isDigit(); this.#at++) found = found * 10 + this.#bytes[this.#at]! - zero!;
    const length = this.#at - start;
    return found === value && (this.#bytes[start] !== zero || length === 1) && length > 0 && length <= 16;
  }

  #isDigit(): boolean {
    const byte = this.#bytes[this.#at]!;
    return byte >= zero! && byte <= nine!;
  }

  #time(seconds: number, nanos: number): boolean {
    if (seconds < 0 || seconds > lastSecond) return false;
    const day = Math.floor(seconds / secondsPerDay);
    const rest = seconds - day * secondsPerDay;
    return (
      this.#text(this.#day(day)) &&
      this.#pair(Math.floor(rest / 3600)) &&
      this.#byte(0x3a) &&
      this.#pair(Math.floor(rest / 60) % 60) &&
      this.#byte(0x3a) &&
      this.#pair(rest % 60) &&
      this.#fraction(nanos)
    );
  }

  #byte(value: number): boolean {
    return this.#bytes[this.#at++] === value;
  }

  #pair(value: number): boolean {
    return this.#byte(zero! + Math.floor(value / 10)) && this.#byte(zero! + (value % 10));
  }

  /** Without zeros at its end. */
  #fraction(nanos: number): boolean {
    if (nanos === 0) return this.#byte(utc!);
    if (!this.#byte(dot!)) return false;
    let rest = nanos;
    for (let unit = 100_000_000; rest > 0; unit /= 10) {
      const digit = Math.floor(rest / unit);
      if (!this.#byte(zero! + digit)) return false;
      rest -= digit * unit;
    }
    return this.#byte(utc!);
  }

  /** `2026-11-27T`. Files have few days. */
  #day(day: number): Uint8Array {
    let text = this.#days.get(day);
    if (text === undefined) {
      if (this.#days.size >= 10_000) this.#days.clear();
      text = Buffer.from(new Date(day * secondsPerDay * 1000).toISOString().slice(0, 11));
      this.#days.set(day, text);
    }
    return text;
  }

  #owner(owner: Owner): Uint8Array {
    const known = this.#owners.get(owner);
    if (known !== undefined) return known;
    const { uid, gid, user, group } = owner;
    const names = (user ? `,"user":${jsonString(user)}` : '') + (group ? `,"group":${jsonString(group)}` : '');
    const text = Buffer.from(`","uid":${uid},"gid":${gid}${names}`);
    this.#owners.set(owner, text);
    return text;
  }
}

function textBytes<Key extends string>(texts: Readonly<Record<Key, string>>): Readonly<Record<Key, Uint8Array>> {
  return Object.fromEntries(Object.entries<string>(texts).map(([key, text]) => [key, Buffer.from(text)])) as never;
}
