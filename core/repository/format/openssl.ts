import { TidemarkError } from '../../error.ts';
import type { Cipher } from './cipher.ts';
import { clamp, type KeyMaterial } from './key-material.ts';
import { type Declare, fromLibrary } from './native-library.ts';

export interface OpenSsl {
  cipher(key: KeyMaterial): Cipher;
}

let loaded: { readonly openSsl: OpenSsl | undefined } | undefined;

/** OpenSSL's own functions, which Node's program exports; once per thread. Undefined where they cannot be called. */
export function openSsl(): OpenSsl | undefined {
  loaded ??= { openSsl: fromLibrary(null, (declare) => whenRight(makeOpenSsl(declare))) };
  return loaded.openSsl;
}

type Functions = ReturnType<typeof declareFunctions>;

function declareFunctions(declare: Declare) {
  return {
    newCipher: declare('void *EVP_CIPHER_CTX_new()'),
    freeCipher: declare('void EVP_CIPHER_CTX_free(void *)'),
    ctr: declare('void *EVP_aes_256_ctr()'),
    ecb: declare('void *EVP_aes_128_ecb()'),
    initCipher: declare('int EVP_EncryptInit_ex(void *, void *, void *, const void *, const void *)'),
    setPadding: declare('int EVP_CIPHER_CTX_set_padding(void *, int)'),
    updateCipher: declare('int EVP_EncryptUpdate(void *, void *, void *, const void *, int)'),
    fetchMac: declare('void *EVP_MAC_fetch(void *, const char *, const char *)'),
    newMac: declare('void *EVP_MAC_CTX_new(void *)'),
    freeMac: declare('void EVP_MAC_CTX_free(void *)'),
    initMac: declare('int EVP_MAC_init(void *, const void *, size_t, const void *)'),
    updateMac: declare('int EVP_MAC_update(void *, const void *, size_t)'),
    finalMac: declare('int EVP_MAC_final(void *, void *, void *, size_t)'),
  };
}

function makeOpenSsl(declare: Declare): OpenSsl {
  const functions = declareFunctions(declare);
  const poly1305 = functions.fetchMac(null, 'POLY1305', null);
  const unused = new FinalizationRegistry<() => void>((free) => free());
  return {
    cipher(key) {
      const counter = newCipher(functions, functions.ctr(), key.encrypt);
      const nonce = newCipher(functions, functions.ecb(), key.macK);
      const mac = made(functions.newMac(poly1305));
      const cipher = cipherWith(functions, { counter, nonce, mac }, key);
      unused.register(cipher, () => {
        functions.freeCipher(counter);
        functions.freeCipher(nonce);
        functions.freeMac(mac);
      });
      return cipher;
    },
  };
}

function newCipher(functions: Functions, algorithm: unknown, key: Uint8Array): unknown {
  const context = made(functions.newCipher());
  check(functions.initCipher(context, algorithm, null, key, null));
  check(functions.setPadding(context, 0));
  return context;
}

interface Contexts {
  readonly counter: unknown;
  readonly nonce: unknown;
  readonly mac: unknown;
}

function cipherWith(functions: Functions, { counter, nonce, mac: macContext }: Contexts, key: KeyMaterial): Cipher {
  const macKey = Buffer.alloc(32);
  const nonceKey = macKey.subarray(16);
  clamp(key.macR).copy(macKey, 0);
  const written = new BigUint64Array(1);
  return {
    crypt(from, iv, into) {
      if (from.length > into.length || iv.length !== 16) throw new TidemarkError('BUG', 'no room for a cipher text');
      if (from.length === 0) return;
      check(functions.initCipher(counter, null, null, null, iv));
      check(functions.updateCipher(counter, into, written, from, from.length));
    },
    authenticate(cipherText, iv, mac) {
      if (mac.length !== 16 || iv.length !== 16) throw new TidemarkError('BUG', 'no room for an authentication code');
      check(functions.updateCipher(nonce, nonceKey, written, iv, 16));
      check(functions.initMac(macContext, macKey, macKey.length, null));
      if (cipherText.length > 0) check(functions.updateMac(macContext, cipherText, cipherText.length));
      check(functions.finalMac(macContext, mac, written, mac.length));
    },
  };
}

function check(result: number): void {
  if (result !== 1) throw new TidemarkError('BUG', 'a function of OpenSSL failed');
}

function made(context: unknown): unknown {
  if (context === null) throw new TidemarkError('BUG', 'OpenSSL has no memory');
  return context;
}

/** What it should give for one input, known from Node's own AES and from sodium: a library that gives another is not used. */
function whenRight(openSsl: OpenSsl): OpenSsl | undefined {
  const key = { encrypt: Buffer.alloc(32, 1), macK: Buffer.alloc(16, 2), macR: Buffer.alloc(16, 3) };
  const cipher = openSsl.cipher(key);
  const [text, mac] = [Buffer.alloc(40), Buffer.alloc(16)];
  cipher.crypt(Buffer.alloc(40, 4), Buffer.alloc(16, 255), text);
  cipher.authenticate(text, Buffer.alloc(16, 5), mac);
  return Buffer.concat([text, mac]).toString('hex') === expected ? openSsl : undefined;
}

const expected =
  '085789610d5183c34dd26fb6144a3ee7769ccea161071aa9c2ca27d63aa2677caaacaa8d40b23dc9d9e18a0ad500a79aa6f0c859b11136cd';
