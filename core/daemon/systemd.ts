import { TidemarkError } from '../error.ts';

/** What the daemon tells the service manager. Without one, nothing. */
export interface Systemd {
  /** `READY=1`, `RELOADING=1`, `STOPPING=1`, `WATCHDOG=1`. Throws UNSUPPORTED when the manager cannot be told. */
  notify(state: string): void;
  /** How often the manager expects a sign of life; undefined when it does not watch. */
  readonly watchdogMs?: number;
}

/**
 * The protocol of sd_notify(3): one datagram to a unix socket for each message. Node has no unix datagrams, so libc is
 * called. `socket` and `watchdogUsec` are the variables NOTIFY_SOCKET and WATCHDOG_USEC of the environment.
 */
export async function openSystemd(from: { socket?: string; watchdogUsec?: string }): Promise<Systemd> {
  if (from.socket === undefined) return { notify: () => {} };
  const { default: koffi } = await import('koffi');
  const libc = koffi.load(null);
  const socket = libc.func('int socket(int domain, int type, int protocol)');
  const sendto = libc.func('long sendto(int fd, void *bytes, size_t n, int flags, void *address, uint32_t length)');
  const close = libc.func('int close(int fd)');
  const address = unixAddress(from.socket);
  const notify = (state: string) => {
    const bytes = Buffer.from(state);
    const descriptor = socket(afUnix, sockDgram | sockCloexec, 0);
    const sent = sendto(descriptor, bytes, bytes.length, msgDontwait | msgNosignal, address, address.length);
    const errno = koffi.errno();
    if (descriptor >= 0) close(descriptor);
    if (sent !== bytes.length) throw unheard(`errno ${errno}`);
  };
  return { notify, ...watchdog(from.watchdogUsec) };
}

/** Linux, all architectures that Node runs on. */
const afUnix = 1;
const sockDgram = 2;
const sockCloexec = 0o2000000;
const msgDontwait = 0x40;
const msgNosignal = 0x4000;

/** struct sockaddr_un: family in host order, then the path; `@` stands for the zero byte of an abstract name. */
function unixAddress(path: string): Buffer {
  if (!/^[/@]./.test(path)) throw unheard('only paths and abstract names are supported');
  const name = Buffer.from(path.startsWith('@') ? `\0${path.slice(1)}` : path);
  if (name.length > 107) throw unheard('the name is too long');
  const family = Buffer.from(new Uint16Array([afUnix]).buffer);
  return Buffer.concat([family, name]);
}

function watchdog(usec: string | undefined): Pick<Systemd, 'watchdogMs'> {
  const watchdogMs = Number(usec ?? 0) / 1000;
  return watchdogMs > 0 ? { watchdogMs } : {};
}

function unheard(why: string): TidemarkError {
  return new TidemarkError('UNSUPPORTED', `the service manager cannot be notified: ${why}`, {
    hint: 'Check NOTIFY_SOCKET, or start the service with Type=exec.',
  });
}
