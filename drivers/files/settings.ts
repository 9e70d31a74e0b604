import type { JsonSchema } from '../../core/driver/index.ts';

/** The settings of a source `files`. */
export interface FileSettings {
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  readonly oneFileSystem: boolean;
}

export const fileSchema: JsonSchema = {
  type: 'object',
  properties: {
    paths: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', pattern: '^/' },
      description: 'Absolute paths of the folders and files to back up.',
      examples: [['/etc', '/srv/www']],
    },
    exclude: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description:
        'What to leave out, with everything below it. `*` and `?` stay within a name, `**` spans folders; a pattern that starts with `/` is a path from the root, any other matches at any depth.',
      examples: [['**/*.tmp', 'node_modules', '/srv/www/cache']],
    },
    oneFileSystem: {
      type: 'boolean',
      default: false,
      description: 'Do not enter folders where another file system is mounted; they are stored empty.',
      examples: [true],
    },
  },
  required: ['paths'],
  additionalProperties: false,
};

/** Of settings that the schema has accepted. */
export function fileSettings(settings: Readonly<Record<string, unknown>>): FileSettings {
  return {
    paths: settings.paths as string[],
    exclude: (settings.exclude as string[] | undefined) ?? [],
    oneFileSystem: settings.oneFileSystem === true,
  };
}
