import { type Connection, isNamed, quoteText } from '../protocol/connection.ts';

/** Where `information_schema` has the comment of a routine or event. */
export interface CommentPlace {
  readonly of: 'routine' | 'event';
  readonly database: string;
  readonly name: string;
  /** `FUNCTION`, of a routine. */
  readonly type?: string;
}

/**
 * The definition with its comment as it has to be written where no backslash escapes: SHOW CREATE writes it with escapes
 * whatever the sql_mode is, and so each restore would double the backslashes.
 */
export async function withPlainComment(
  connection: Connection,
  definition: Buffer,
  place: CommentPlace,
): Promise<Buffer> {
  const [row] = await connection.bytes(commentSql(place));
  const comment = row?.comment?.toString('latin1') ?? '';
  const escaped = `COMMENT '${comment.replaceAll(/[\\\n\r\0']/g, (one) => escapes[one]!)}'`;
  const at = definition.indexOf(Buffer.from(escaped, 'latin1'));
  if (at < 0 || comment === '') return definition;
  const plain = Buffer.from(`COMMENT '${comment.replaceAll("'", "''")}'`, 'latin1');
  return Buffer.concat([definition.subarray(0, at), plain, definition.subarray(at + escaped.length)]);
}

const escapes: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\0': '\\0', "'": "''" };

function commentSql({ of, database, name, type }: CommentPlace): string {
  const isType = type === undefined ? '' : ` AND routine_type = ${quoteText(type)}`;
  return (
    `SELECT ${of}_comment AS comment FROM information_schema.${of}s ` +
    `WHERE ${isNamed(`${of}_schema`, database)} AND ${of}_name = ${quoteText(name)}${isType}`
  );
}
