// Preloaded, also in threads: Node does not export zstd and OpenSSL, as where it is linked with those of a distribution.
const koffi = require('koffi');

const load = (name, ...rest) => {
  const library = koffi.load(name, ...rest);
  return {
    func: (declaration, ...more) => {
      if (/\b(ZSTD|EVP)_/.test(declaration)) throw new Error(`Cannot find function in library: ${declaration}`);
      return library.func(declaration, ...more);
    },
  };
};
require.cache[require.resolve('koffi')].exports = { ...koffi, load };
