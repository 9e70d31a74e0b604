/** The one function used of sodium-native, which ships no types. */
declare module 'sodium-native' {
  const sodium: { crypto_onetimeauth(mac: Uint8Array, message: Uint8Array, key: Uint8Array): void };
  export default sodium;
}
