/** Every code that a diagnostic of the configuration may have. Scripts match on them: they do not change. */
export const diagnosticCodes = {
  'unreadable-file': 'A file cannot be read, or is not UTF-8 text.',
  'yaml-syntax': 'A file is not YAML. Nothing else is said of that file.',
  duplicate: 'The same name or key stands in two places; both are named.',
  'bad-name': 'A resource has a name that it cannot have.',
  'unknown-key': 'A key is not known; the nearest one is named.',
  'unknown-driver': 'A driver is not known to this version.',
  'missing-key': 'A key is missing.',
  'conflicting-keys': 'Two keys exclude each other.',
  'wrong-type': 'A value is of the wrong kind: a number for a string, a list for a mapping.',
  'bad-value': 'A value is of the right kind, but not one that can be.',
  'literal-secret': 'A secret stands in the file itself; write a reference to it.',
  'misplaced-reference': 'A reference to a secret stands where none is resolved.',
  'unreadable-secret': 'A secret cannot be read: no such file, variable or credential, or it is empty.',
  'dangling-reference': 'A resource names another that does not exist.',
  'rename-conflict': 'The old name of a renamed resource is still, or twice, in use.',
  'unsupported-type': "A plan's type is not one that its source's driver has.",
  'unsupported-selection': 'A plan selects parts of a source whose driver knows none.',
  'not-yet': 'Tidemark knows this, but this version cannot do it.',
} as const;

export type DiagnosticCode = keyof typeof diagnosticCodes;
