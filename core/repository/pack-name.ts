export const packFolder = 'data/';

/** The object of a pack, by its id in hex. */
export function packName(id: string): string {
  return `${packFolder}${id.slice(0, 2)}/${id}`;
}
