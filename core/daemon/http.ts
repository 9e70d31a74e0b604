import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { asTidemarkError, TidemarkError } from '../error.ts';
import { parseHostPort } from '../host-port.ts';
import type { Logger, Metrics } from '../observe/index.ts';

export interface HttpSources {
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** The parts that do not work; none is healthy. */
  sick(): readonly string[];
  ready(): boolean;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

/** `/metrics`, `/healthz` and `/readyz` for GET and HEAD, nothing else. Listens until it is disposed. Throws USAGE. */
export async function listenHttp(
  listen: string,
  sources: HttpSources,
): Promise<AsyncDisposable & { readonly address: string }> {
  const address = parseHostPort(listen);
  if (address === undefined) throw new TidemarkError('USAGE', `cannot listen on \`${listen}\``, { hint: listenHint });
  const server = createServer((request, response) => void respond(request, response, sources));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(unusable(listen, error)));
    server.listen(address.port, address.host, resolve);
  });
  const bound = server.address() as AddressInfo;
  return {
    address: `${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const listenHint = 'Set `daemon.listen` to a free address and port, such as 127.0.0.1:9631.';

function unusable(listen: string, error: Error): TidemarkError {
  return new TidemarkError('USAGE', `cannot listen on ${listen}: ${error.message}`, { hint: listenHint, cause: error });
}

async function respond(request: IncomingMessage, response: ServerResponse, sources: HttpSources): Promise<void> {
  request.resume();
  const { status, body, type } = await answer(request, sources);
  const headers = { 'content-type': type ?? 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, status === 405 ? { ...headers, allow: 'GET, HEAD' } : headers);
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function answer({ method, url }: IncomingMessage, sources: HttpSources): Promise<Answer> {
  const path = url?.split('?')[0];
  if (path !== '/metrics' && path !== '/healthz' && path !== '/readyz') return { status: 404, body: 'not found\n' };
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: 'only GET\n' };
  if (path === '/metrics') return metricsAnswer(sources);
  if (path === '/readyz')
    return sources.ready() ? { status: 200, body: 'ready\n' } : { status: 503, body: 'not ready\n' };
  const sick = sources.sick();
  return sick.length === 0 ? { status: 200, body: 'ok\n' } : { status: 503, body: `not working: ${sick.join(', ')}\n` };
}

async function metricsAnswer({ metrics, logger }: HttpSources): Promise<Answer> {
  try {
    return { status: 200, body: await metrics.render(), type: metrics.contentType };
  } catch (thrown) {
    const error = asTidemarkError(thrown);
    logger.error({ err: error }, 'metrics could not be read');
    return { status: 503, body: `${error.code}: ${error.message}\n` };
  }
}
