import { type Random, random } from './random.ts';

const syllables = [
  'ba',
  'co',
  'di',
  'fu',
  'ga',
  'hel',
  'in',
  'jo',
  'ka',
  'lor',
  'mi',
  'ne',
  'or',
  'pe',
  'qui',
  'ran',
  'so',
  'ti',
  'un',
  'ver',
];
const words = makeWords(random('words'));

/** Text of made-up words, rare and common ones, in lines: what a compressor finds in logs, sources and pages. */
export function text(source: Random, sizeBytes: number): Buffer {
  const target = Buffer.allocUnsafe(sizeBytes);
  const picks = source.bytes(Math.ceil(sizeBytes / 3));
  let at = 0;
  for (let pick = 0; at < sizeBytes; pick = (pick + 1) % picks.length) {
    const common = picks[pick]! & 1;
    const index = common ? picks[pick]! >> 4 : picks[pick]! | ((picks[(pick + 1) % picks.length]! & 15) << 8);
    at += words[index]!.copy(target, at);
  }
  return target;
}

function makeWords(source: Random): Buffer[] {
  return Array.from({ length: 4096 }, (_, index) => {
    const length = 1 + source.below(4);
    const word = Array.from({ length }, () => syllables[source.below(syllables.length)]).join('');
    return Buffer.from(`${word}${index % 11 === 0 ? '\n' : ' '}`);
  });
}
