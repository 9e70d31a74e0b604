/** The door of this room: file trees as sources, folders as destinations. */
export { local } from './local.ts';
