import type { MariadbServer } from '../../test/servers/mariadb.ts';

/** What a user would write, with a schedule that nobody would: every few seconds. */
export function configuration(folder: string, server: MariadbServer, port: number): string {
  return `sources:
  shop:
    driver: mysql
    socket: ${server.socket}
    user: ${server.user}
    password: \${file:${folder}/shop.password}
  site:
    driver: files
    paths: [${folder}/site]

destinations:
  box:
    driver: local
    path: ${folder}/box
    password: \${file:${folder}/box.password}

plans:
  shop-often: { source: shop, type: logical, include: ["shop.*"], schedule: "*/10 * * * * *", destinations: [box] }
  site-often: { source: site, schedule: "*/10 * * * * *", destinations: [box] }

daemon:
  catalog: sqlite:${folder}/catalog.db
  listen: 127.0.0.1:${port}
`;
}
