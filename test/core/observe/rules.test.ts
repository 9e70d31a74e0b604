import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { metricTable } from '../../../core/observe/index.ts';

test('the alerts that ship use metrics and labels that there are', async () => {
  const file = join(import.meta.dirname, '../../../examples/prometheus/rules.yml');
  const { groups } = parse(await readFile(file, 'utf8'));
  const rules: { alert: string; expr: string; annotations: { summary: string } }[] = groups[0].rules;
  assert.ok(rules.length > 5);
  for (const { alert, expr, annotations } of rules) {
    const names = expr.match(/tidemark_\w+/g) ?? [];
    const labels = names.flatMap((name) => {
      assert.ok(name in metricTable, `${alert}: ${name}`);
      return [...metricTable[name as keyof typeof metricTable].labels];
    });
    for (const [, label] of annotations.summary.matchAll(/\$labels\.(\w+)/g)) {
      assert.ok((labels as string[]).includes(label!), `${alert}: label ${label}`);
    }
  }
});
