/** What `tidemark init` writes. A test loads it. */
export const starter = `# Tidemark: backups as code. Every field: docs/reference/configuration.md, or the schema for editors: tidemark schema
#
#   tidemark validate    says what is wrong with this file
#   tidemark apply       shows what will change, asks, and makes it so
#   tidemark backup etc-nightly
#   tidemark daemon      runs the schedules

sources:
  etc:
    driver: files
    paths: [/etc]
    exclude: ["**/*.tmp"]

  # shop:
  #   driver: mysql # MySQL, MariaDB or Percona
  #   socket: /run/mysqld/mysqld.sock # or host and port
  #   user: tidemark
  #   password: \${file:/etc/tidemark/shop.password}

destinations:
  disk:
    driver: local
    path: /srv/backup/tidemark
    # requireMount: true # when the folder is on a disk that may be missing
    # The password encrypts the repository. Without it the backups are lost: keep a copy elsewhere.
    #   (umask 077; mkdir -p /etc/tidemark; head -c 24 /dev/urandom | base64 > /etc/tidemark/disk.password)
    password: \${file:/etc/tidemark/disk.password}

plans:
  etc-nightly:
    source: etc
    schedule: "30 1 * * *"
    timezone: UTC
    destinations: [disk]

daemon:
  catalog: sqlite:/var/lib/tidemark/catalog.db # what tidemark remembers; can be rebuilt from the destinations
`;
