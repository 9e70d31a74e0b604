/** A file is stored in blobs of at least so many bytes, its last one and what a driver cuts itself apart. */
export const minBlobBytes = 512 * 1024;
/** restic reads no larger ones. */
export const maxBlobBytes = 8 * 1024 * 1024;
