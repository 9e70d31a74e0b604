import type { JsonSchema } from '../driver/index.ts';
import { type CollectionSchema, collectionSchemas, type DescribedDrivers } from './schema.ts';
import { collections } from './types.ts';

/** `docs/reference/configuration.md`: every field of every collection and driver, from the schemas. */
export function configurationReference(drivers: DescribedDrivers): string {
  const schemas = collectionSchemas(drivers);
  const sections = [...collections, 'daemon' as const].map((name) => collectionSection(name, schemas[name]));
  return `${[introduction, ...sections].join('\n\n')}\n`;
}

const introduction = `# Configuration reference

A configuration is a file, or a folder of \`*.yaml\` and \`*.yml\` files (those right in it, merged in the order of their
names). The top-level keys are collections of named resources, and \`daemon\`. A name has letters, digits, dots, dashes
and underscores, 64 at most, the first a letter or digit. The same name twice is an error, wherever it stands, and so is
an unknown key. A file may hold several documents; anchors and aliases work, merge keys (\`<<\`) do not.

| kind of value | how it is written |
|---|---|
| duration | \`90s\` \`5m\` \`26h\` \`7d\` \`2w\`, also \`1h30m\`; \`m\` is minutes |
| cron | minute, hour, day, month, weekday; with 6 fields, seconds first |
| timezone | a name of the IANA list: \`Europe/Berlin\` |
| secret | a reference, never the secret itself: \`\${file:/absolute/path}\`, \`\${env:NAME}\`, \`\${credential:NAME}\` (systemd). Between braces it needs quotes. |`;

function collectionSection(name: string, { description, byDriver, variants }: CollectionSchema): string {
  const parts = [...variants].map(([kind, schema]) => (byDriver ? driverSection(kind, schema) : fieldTable(schema)));
  return [`## ${name}`, description, ...parts].join('\n\n');
}

function driverSection(kind: string, schema: JsonSchema): string {
  return [`### driver: ${kind}`, String(schema.description ?? ''), fieldTable(schema)].filter(Boolean).join('\n\n');
}

function fieldTable(schema: JsonSchema): string {
  const rows = fieldRows(schema, '');
  return ['| field | value | default | what it does | example |', '|---|---|---|---|---|', ...rows].join('\n');
}

function fieldRows(schema: JsonSchema, prefix: string): string[] {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>);
  const required = Array.isArray(schema.required) ? schema.required : [];
  return properties.flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    return [fieldRow(path, field, required.includes(name)), ...nestedRows(field, path)];
  });
}

function nestedRows(field: JsonSchema, path: string): string[] {
  if (field.type === 'object') return fieldRows(field, `${path}.`);
  const items = field.items as JsonSchema | undefined;
  return items?.type === 'object' ? fieldRows(items, `${path}[].`) : [];
}

function fieldRow(path: string, field: JsonSchema, required: boolean): string {
  const otherwise = required ? '**required**' : field.default === undefined ? '' : code(field.default);
  const example = Array.isArray(field.examples) ? code(field.examples[0]) : '';
  const cells = [`\`${path}\``, valueKind(field), otherwise, String(field.description ?? ''), example];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function valueKind(field: JsonSchema): string {
  if (field.const !== undefined) return code(field.const);
  if (Array.isArray(field.enum)) return field.enum.map(code).join(', ');
  if (field.type === 'array') return `list of ${valueKind((field.items ?? {}) as JsonSchema)}`;
  const words: Record<string, string> = { object: 'mapping', integer: 'whole number', boolean: 'true or false' };
  const kind = String(field.format ?? words[String(field.type)] ?? field.type ?? 'anything');
  return kind.replace('-', ' ') + limits(field);
}

function limits({ minimum, maximum }: JsonSchema): string {
  if (minimum !== undefined && maximum !== undefined) return ` ${minimum} to ${maximum}`;
  return minimum === undefined ? '' : `, at least ${minimum}`;
}

function code(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text === '' ? '' : `\`${text}\``;
}
