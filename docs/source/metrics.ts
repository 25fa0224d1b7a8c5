/** `docs/reference/metrics.md`: what `/metrics` tells. */
import { metrics } from '../../src/observe/metrics.ts';
import { code, codes, heading, page, table } from './markdown.ts';

export async function metricsPage(): Promise<string> {
  const { registry } = metrics();
  // The default metrics depend on the system that the process runs on.
  const own = (await registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith('workshop_'));
  return page(
    heading('Metrics', '`src/observe/metrics.ts`'),
    '`GET /metrics` answers in the text format of Prometheus. Every process has every metric; those of a part that it does not run stay at 0. Which of them to watch is told in [../operations.md](../operations.md).',
    table(
      ['metric', 'type', 'labels', 'meaning'],
      own.map(({ name, type, help }) => [
        code(name),
        String(type),
        codes(labelsOf(registry.getSingleMetric(name))),
        help,
      ]),
    ),
    ofProcess,
  );
}

/** prom-client keeps them on the metric and has no type for that. */
function labelsOf(metric: unknown): string[] {
  const { labelNames } = metric as { labelNames?: string[] };
  return labelNames ?? [];
}

const ofProcess = `
## Of the process

The default metrics of prom-client come with them: \`process_*\` (CPU, memory, open files, as far as the system tells) and
\`nodejs_*\`, of which \`nodejs_eventloop_lag_p99_seconds\`, \`nodejs_heap_size_used_bytes\` and \`nodejs_gc_duration_seconds\` say most
about a node under load.`;
