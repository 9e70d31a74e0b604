/** The door of this room: the life of a job. */
export * from './state.ts';
