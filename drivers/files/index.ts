/** The door of this room: file trees as sources, folders as destinations. */
export { files } from './files.ts';
export { local } from './local/local.ts';
