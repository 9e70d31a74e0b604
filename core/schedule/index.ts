/** The door of this room: when plans run. Pure; nothing here reads the time. */
export * from './due.ts';
export {
  expectedIntervalMs,
  nextStart,
  nextTimes,
  passedUntil,
  sameTimes,
  startDelayMs,
  type Timetable,
} from './times.ts';
