import { type Action, type ChangeSet, type FieldChange, formatPath, isEmpty } from '../../core/change/index.ts';

/** A change set for a terminal. */
export function changeSetText(changeSet: ChangeSet, { color }: { color: boolean }): string {
  if (isEmpty(changeSet)) return `${noChanges}\n`;
  const paint = color ? paintAnsi : (text: string) => text;
  const blocks = changeSet.actions.map((action) => actionLines(action, paint).join('\n'));
  return `${[...blocks, summaryLine(changeSet)].join('\n\n')}\n`;
}

/** A change set for a comment on a pull request. */
export function changeSetMarkdown(changeSet: ChangeSet): string {
  if (isEmpty(changeSet)) return `**tidemark plan**: ${noChanges}\n`;
  const rows = changeSet.actions.map(markdownRow);
  const table = ['| | resource | why | what follows |', '|---|---|---|---|', ...rows].join('\n');
  const diffs = changeSet.actions.flatMap((action) => fieldLines(action).map(([sign, text]) => `${sign} ${text}`));
  const details = ['<details><summary>Fields</summary>', `${fence}diff\n${diffs.join('\n')}\n${fence}`, '</details>'];
  return `${[`**tidemark plan**: ${summaryLine(changeSet)}`, table, ...details].join('\n\n')}\n`;
}

const noChanges = 'no changes: the applied state is what the configuration says';
const fence = '```';
const signs: Readonly<Record<Action['kind'], string>> = { refuse: '!', add: '+', change: '~', remove: '-' };

type Paint = (text: string, color: Color) => string;
type Color = keyof typeof ansi;
const ansi = { red: 31, green: 32, yellow: 33, dim: 2 } as const;
const colors: Readonly<Record<Action['kind'], Color>> = {
  refuse: 'red',
  add: 'green',
  change: 'yellow',
  remove: 'red',
};

function paintAnsi(text: string, color: Color): string {
  return `\u001b[${ansi[color]}m${text}\u001b[0m`;
}

function actionLines(action: Action, paint: Paint): readonly string[] {
  const { kind, address, reason, hint, position, consequences } = action;
  const place = position === undefined ? '' : paint(`  ${position.file}:${position.line}`, 'dim');
  const flag = action.destructive ? paint(' (destructive)', 'red') : '';
  return [
    `${paint(`${signs[kind]} ${kind} ${address}`, colors[kind])}${flag}: ${reason}${place}`,
    ...(kind === 'refuse' && hint !== undefined ? [`    hint: ${hint}`] : []),
    ...fieldLines(action).map(([, text]) => `    ${text}`),
    ...consequences.map(({ text }) => `    ${paint('=>', 'dim')} ${text}`),
  ];
}

/** A removal shows no fields: that it goes is all there is to say. */
function fieldLines({ kind, fields }: Action): readonly (readonly [string, string])[] {
  if (kind === 'remove') return [];
  return fields.map((field) => [fieldSign(field), `${formatPath(field.path)}: ${fieldText(field)}`] as const);
}

function fieldSign(field: FieldChange): string {
  if (!('before' in field)) return '+';
  return 'after' in field ? '!' : '-';
}

function fieldText(field: FieldChange): string {
  if (!('before' in field)) return valueText(field.after);
  return `${valueText(field.before)} -> ${'after' in field ? valueText(field.after) : '(not set)'}`;
}

function valueText(value: unknown): string {
  return JSON.stringify(value);
}

function summaryLine({ summary }: ChangeSet): string {
  const { add, change, remove, refuse, destructive } = summary;
  const parts = [`${add} to add`, `${change} to change`, `${remove} to remove`];
  if (refuse > 0) parts.push(`${refuse} refused`);
  if (destructive > 0) parts.push(`${destructive} destructive`);
  return parts.join(', ');
}

function markdownRow(action: Action): string {
  const { kind, address, reason, hint, consequences, destructive } = action;
  const label = `${kind}${destructive ? ' ⚠' : ''}`;
  const why = kind === 'refuse' && hint !== undefined ? `${reason}. ${hint}` : reason;
  return `| ${[label, `\`${address}\``, cell(why), cell(consequences.map(({ text }) => text).join('\n'))].join(' | ')} |`;
}

/** A bar would end the cell; a line break becomes HTML's; what looks like HTML stays text. */
function cell(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('|', '\\|').replaceAll('\n', '<br>');
}
