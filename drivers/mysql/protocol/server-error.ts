import { type ErrorCode, TidemarkError } from '../../../core/error.ts';

/** What the server answered instead of a result. Stays inside this driver: `asSourceError` translates it. */
export class ServerError extends Error {
  readonly errno: number;

  constructor(errno: number, message: string) {
    super(message);
    this.name = 'ServerError';
    this.errno = errno;
  }
}

/** One of these, or any. */
export function isServerError(thrown: unknown, ...errnos: number[]): boolean {
  return thrown instanceof ServerError && (errnos.length === 0 || errnos.includes(thrown.errno));
}

/** Server error numbers that this driver decides by. */
export const errno = {
  unknownCommand: 1047,
  lockWaitTimeout: 1205,
  noSuchTable: 1146,
  unknownColumn: 1054,
  viewInvalid: 1356,
  noSavepoint: 1178,
  specificAccess: 1227,
  commandNotAllowed: 1148,
  localInfileOffMysql: 3948,
  localInfileOffMariadb: 4166,
} as const;

/** Foreign errors of this driver (the server's, the socket's, mysql2's) as a `TidemarkError` about `subject`. */
export function asSourceError(thrown: unknown, subject: string, doing?: string): unknown {
  if (thrown instanceof TidemarkError) return thrown;
  if (!(thrown instanceof Error) || thrown.name === 'AbortError') return thrown;
  const known = knownError(thrown as ForeignError);
  if (known === undefined) return thrown;
  const [code, hint] = known;
  const message = doing === undefined ? thrown.message : `${doing}: ${thrown.message}`;
  return new TidemarkError(code, lowerFirst(message), { subject, hint, cause: thrown });
}

type ForeignError = Error & { errno?: number; code?: string };
type Known = readonly [code: ErrorCode, hint: string | undefined];

const unreachable = 'Check that the server runs, and that host, port or socket are right.';
const silent = 'The server accepts connections and then says nothing: look at its load, and at proxies on the way.';
const denied = 'Check user and password, and that the account may connect from this host.';
const notGranted =
  'Grant the account the privilege that the message names; `tidemark apply` lists all that are missing.';
const changed =
  'A table was changed while it was being read. Run the backup again, or exclude tables that come and go.';

function knownError(error: ForeignError): Known | undefined {
  // A server passes on what its storage engines and its system said to it, with their numbers, below its own.
  if (error instanceof ServerError || Number(error.errno) > 1000)
    return byNumber.get(Number(error.errno)) ?? ['SOURCE_FAILED', undefined];
  if (error.name === 'TimeoutError') return ['SOURCE_UNREACHABLE', silent];
  if (typeof error.code !== 'string') return undefined;
  if (error.code.startsWith('HANDSHAKE') || tlsCode.test(error.code)) {
    return [
      'SOURCE_DENIED',
      'The TLS settings do not fit the server: check `tls.ca`, `tls.verify` and its certificate.',
    ];
  }
  return systemCodes.includes(error.code) || error.code.startsWith('PROTOCOL')
    ? ['SOURCE_UNREACHABLE', unreachable]
    : undefined;
}

const tlsCode = /^(ERR_TLS|ERR_SSL|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_)/;

const systemCodes = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'EACCES',
  'EPIPE',
  'CONNECTION_LOST',
];

const byNumber = new Map<number, Known>([
  [1040, ['SOURCE_UNREACHABLE', 'The server has no free connection; raise max_connections or lower `parallel`.']],
  [1203, ['SOURCE_UNREACHABLE', 'The account has too many connections; lower `parallel`.']],
  [1226, ['SOURCE_UNREACHABLE', 'The account has reached a limit of its own; raise it or lower `parallel`.']],
  [1053, ['SOURCE_UNREACHABLE', unreachable]],
  [1927, ['SOURCE_UNREACHABLE', unreachable]],
  [1184, ['SOURCE_FAILED', 'The `init_connect` of the server fails for this account: correct it there.']],
  [1129, ['SOURCE_DENIED', 'The server blocks this host; run FLUSH HOSTS there.']],
  [1130, ['SOURCE_DENIED', denied]],
  [1044, ['SOURCE_DENIED', notGranted]],
  [1045, ['SOURCE_DENIED', denied]],
  [1698, ['SOURCE_DENIED', denied]],
  [1142, ['SOURCE_DENIED', notGranted]],
  [1143, ['SOURCE_DENIED', notGranted]],
  [1227, ['SOURCE_DENIED', notGranted]],
  [1370, ['SOURCE_DENIED', notGranted]],
  [1412, ['SOURCE_CHANGED', changed]],
  [1146, ['SOURCE_CHANGED', changed]],
  [1054, ['SOURCE_CHANGED', changed]],
  [1049, ['SOURCE_CHANGED', changed]],
  [1305, ['SOURCE_CHANGED', changed]],
  [1360, ['SOURCE_CHANGED', changed]],
  [1539, ['SOURCE_CHANGED', changed]],
]);

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text[0]!.toLowerCase() + text.slice(1) : text;
}

/** What was looked at is gone, or is another thing than it was: a race with who changes it. Looking again may help. */
export function meansChanged(thrown: unknown): boolean {
  if (thrown instanceof ServerError) return changedErrnos.has(thrown.errno);
  return thrown instanceof TidemarkError && thrown.code === 'SOURCE_CHANGED';
}

/** Gone or new tables, columns, keys, databases, partitions, routines, triggers, events; no longer a view, a sequence. */
const changedErrnos = new Set([1412, 1146, 1054, 1049, 1176, 1735, 1305, 1360, 1539, 1347, 4089, 4091]);

/** Somebody else holds it. */
export function meansBusy(thrown: unknown): boolean {
  return isServerError(thrown, errno.lockWaitTimeout, 1213);
}

/** The account may not; the message names the privilege. */
export function isDenied(thrown: unknown): boolean {
  return thrown instanceof ServerError && byNumber.get(thrown.errno)?.[0] === 'SOURCE_DENIED';
}

/**
 * Asked about one table or one object, the server fails, and can be asked about the others: it is crashed, without its
 * files, its engine or a table beneath it, or whatever else this server knows. Not so when the session is at its end, when
 * the account may not, or when looking again may help.
 */
export function meansUnreadable(thrown: unknown): boolean {
  if (!(thrown instanceof ServerError) || sessionErrnos.has(thrown.errno)) return false;
  return !meansChanged(thrown) && !meansBusy(thrown) && !isDenied(thrown);
}

/** Killed, interrupted, shut down, cut off, or over a limit of the account. */
const sessionErrnos = new Set([1040, 1053, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1226, 1317, 1927, 3169, 4031]);

/** The same for a server that is written to. */
export function asTargetError(thrown: unknown, subject: string, doing: string): unknown {
  const full = [1021, 1114, 1030, 3];
  if (!(thrown instanceof ServerError)) return asSourceError(thrown, subject, doing);
  const known = byNumber.get(thrown.errno);
  const isAboutSource = known?.[0] === 'SOURCE_CHANGED';
  if (known !== undefined && !isAboutSource) return asSourceError(thrown, subject, doing);
  return new TidemarkError('TARGET_FAILED', `${doing}: ${lowerFirst(thrown.message)}`, {
    subject,
    hint: full.includes(thrown.errno) ? 'Make room on the server, then restore again with `--overwrite`.' : undefined,
    cause: thrown,
  });
}
