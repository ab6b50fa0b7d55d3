/**
 * Metrics in Prometheus' text format, written by prom-client. Counting isn't done here, nor by it: what is counted, is counted in
 * plain numbers where it happens, and comes here only when somebody asks. So the package is loaded with the first question.
 */
import type { Metric as ClientMetric } from "prom-client";
import type { Distribution, Metric } from "./types.js";

/** The answer. */
export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

/** One line of it. */
interface Value {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** The text for these metrics, in their order. */
export async function metricsText(
  metrics: readonly Metric[],
): Promise<MetricsText> {
  const { Registry } = await import("prom-client");
  const registry = new Registry();
  for (const metric of metrics) {
    const { name, help, type } = metric;
    const values = valuesOf(metric);
    const told = { name, help, type, values, aggregator: "sum" };
    // The package's own metrics count by themselves. All that a registry asks of one is its name, and this.
    const readable = { name, get: () => Promise.resolve(told) };
    registry.registerMetric(readable as unknown as ClientMetric);
  }
  return { contentType: registry.contentType, text: await registry.metrics() };
}

function valuesOf(metric: Metric): Value[] {
  if (metric.type === "histogram")
    return metric.distributions.flatMap((each) => linesOf(metric.name, each));
  return metric.samples.map(({ labels = {}, value }) => ({
    ...{ metricName: metric.name, labels, value },
  }));
}

function linesOf(
  name: string,
  { labels = {}, count, sumSeconds, buckets }: Distribution,
): Value[] {
  const bounded = buckets.map((bucket) => ({
    metricName: `${name}_bucket`,
    labels: { ...labels, le: bucket.upToSeconds },
    value: bucket.count,
  }));
  return [
    ...bounded,
    {
      metricName: `${name}_bucket`,
      labels: { ...labels, le: "+Inf" },
      value: count,
    },
    { metricName: `${name}_sum`, labels, value: sumSeconds },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
