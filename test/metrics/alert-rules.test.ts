import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';

import { findPromtool } from '../support/promtool.ts';

const FOLDER = fileURLToPath(new URL('../../config/', import.meta.url));
const ABSENT = "promtool is not here (Debian's package prometheus has it)";

let promtool: string | undefined;
beforeAll(async () => {
  promtool = await findPromtool();
});

/** Names that a PromQL text may use: our own metrics, and Prometheus's `up`. */
const METRICS = [
  ...readFileSync(`${FOLDER}../src/metrics/service-metrics.ts`, 'utf8').matchAll(/'([a-z]+(?:_[a-z]+)+)'/g),
].flatMap(([, name]) => name ?? []);

function unknownMetrics(promql: string): string[] {
  const words = promql.replaceAll(/\{[^}]*\}|"[^"]*"|\[[^\]]*\]/g, '').match(/[a-z_]+_[a-z_]+/g) ?? [];
  const functions = ['histogram_quantile', 'last_over_time', 'predict_linear'];
  return words
    .map((word) => word.replace(/_(bucket|sum|count)$/, ''))
    .filter((word) => !METRICS.includes(word) && !functions.includes(word));
}

interface Rule {
  alert: string;
  expr: string;
}

const rules = (
  parse(readFileSync(`${FOLDER}prometheus/backstop.rules.yml`, 'utf8')) as { groups: { rules: Rule[] }[] }
).groups.flatMap((group) => group.rules);

describe('the alert rules', () => {
  test('fire when they must, and only then', (context) => {
    context.skip(promtool === undefined, ABSENT);
    const args = ['test', 'rules', `${FOLDER}prometheus/backstop.rules.test.yml`];
    const tested = spawnSync(promtool!, args, { encoding: 'utf8' });
    expect(tested.stdout + tested.stderr).toContain('SUCCESS');
    expect(tested.status).toBe(0);
  });

  test('are taken by the example of prometheus.yml', (context) => {
    context.skip(promtool === undefined, ABSENT);
    const args = ['check', 'config', `${FOLDER}prometheus/prometheus.example.yml`];
    const checked = spawnSync(promtool!, args, { encoding: 'utf8' });
    expect(checked.stdout + checked.stderr).toContain('1 rule files found');
    expect(checked.status).toBe(0);
  });

  test('are each tried by a test of their own', () => {
    const tried = readFileSync(`${FOLDER}prometheus/backstop.rules.test.yml`, 'utf8');
    for (const { alert } of rules) expect(tried).toContain(`alertname: ${alert}\n        exp_alerts:\n`);
    expect(rules.length).toBeGreaterThan(5);
  });

  test('ask for metrics that there are', () => {
    expect(rules.flatMap(({ expr }) => unknownMetrics(expr))).toEqual([]);
    expect(unknownMetrics('rate(backups_totall[5m])')).toEqual(['backups_totall']);
  });
});

describe('the dashboard', () => {
  interface Panel {
    title: string;
    targets?: { expr: string }[];
    gridPos: { x: number; y: number; w: number; h: number };
  }
  const dashboard = JSON.parse(readFileSync(`${FOLDER}grafana/backstop.json`, 'utf8')) as {
    panels: Panel[];
    templating: { list: { name: string }[] };
  };

  test('asks for metrics that there are', () => {
    const asked = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(asked.length).toBeGreaterThan(8);
    expect(asked.flatMap(unknownMetrics)).toEqual([]);
  });

  test('asks in a language that Prometheus understands', (context) => {
    context.skip(promtool === undefined, ABSENT);
    const rules = dashboard.panels.flatMap(({ targets = [] }) =>
      targets.map(({ expr }) => ({
        record: 'of_a_panel',
        expr: expr.replaceAll('$database', '.*').replaceAll('$__range', '1h'),
      })),
    );
    const folder = mkdtempSync(join(tmpdir(), 'backstop-rules-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'panels.yml'), JSON.stringify({ groups: [{ name: 'panels', rules }] }));
    const checked = spawnSync(promtool!, ['check', 'rules', '--lint=none', join(folder, 'panels.yml')], {
      encoding: 'utf8',
    });
    expect(checked.stdout + checked.stderr).toContain(`SUCCESS: ${rules.length} rules found`);
    expect(checked.status).toBe(0);
  });
});
