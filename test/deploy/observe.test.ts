/** Alerts and dashboard of `deploy/observe/`: each metric that they name is one that a process tells, and each that it tells is shown. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { metrics } from '../../src/observe/metrics.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const alerts = read('deploy/observe/alerts.yml');
const dashboard = read('deploy/observe/dashboard.json');
const operations = read('docs/operations.md');

const named = (text: string) => new Set(text.match(/\b(?:workshop|nodejs|process)_[a-z0-9_]+/g) ?? []);
const { registry } = metrics();
const kinds = new Map(registry.getMetricsAsArray().map(({ name, type }) => [name, String(type)] as const));

/** A histogram is asked for by its buckets. */
const nameOf = (asked: string) => (kinds.has(asked) ? asked : asked.replace(/_(bucket|sum|count)$/, ''));

describe('what deploy/observe/ shows', () => {
  it.each([
    ['alerts', alerts],
    ['dashboard', dashboard],
  ])('[I6] names no metric that there is not: %s', (_, text) => {
    const all = [...named(text)];
    expect(all.length).toBeGreaterThan(10);
    expect(all.filter((name) => !kinds.has(nameOf(name)))).toEqual([]);
  });

  it('[I6] leaves out none of ours in the dashboard', () => {
    const shown = new Set([...named(dashboard)].map(nameOf));
    const ours = [...kinds.keys()].filter((name) => name.startsWith('workshop_'));
    expect(ours.filter((name) => !shown.has(name))).toEqual([]);
  });

  it('[I6] alerts by what the page for operators says is worth an alert', () => {
    const table = operations.slice(operations.indexOf('Worth an alert'), operations.indexOf('## Logs'));
    const rows = new Set([...named(table.slice(0, table.indexOf('`workshop_sockets`')))]);
    const asked = new Set([...named(alerts)].map(nameOf));
    expect([...rows].filter((name) => !asked.has(name))).toEqual([]);
    expect([...asked].filter((name) => !rows.has(name))).toEqual([]);
  });

  it('[I6] shows each panel with a sentence, and every query of it with a legend', () => {
    const { panels } = JSON.parse(dashboard) as {
      panels: { title: string; description: string; targets: { expr: string; legendFormat: string }[] }[];
    };
    for (const { title, description, targets } of panels) {
      expect(description, title).not.toBe('');
      for (const { legendFormat } of targets) expect(legendFormat, title).not.toBe('');
    }
  });
});
