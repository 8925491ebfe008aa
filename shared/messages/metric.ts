/**
 * A figure that a service tells of itself and its database, in Prometheus' words. Every replica
 * would tell the same: what a single process has counted is not among them.
 * @module
 */
import { z } from "zod";

export const metricSchema = z.object({
  /** As Prometheus recommends: with its unit, in base units; a counter's ends with `_total`. */
  name: z.string(),
  help: z.string(),
  type: z.enum(["gauge", "counter"]),
  samples: z.array(z.object({ value: z.number(), labels: z.record(z.string(), z.string()) })),
});
export type Metric = z.infer<typeof metricSchema>;

/** A gauge by one label, from rows of a count each. */
export function gaugeBy<Label extends string>(
  label: Label,
  { name, help, rows }: {
    name: string;
    help: string;
    rows: readonly ({ value: number } & Record<Label, string>)[];
  },
): Metric {
  const samples = rows.map((row) => ({ value: row.value, labels: { [label]: row[label] } }));
  return { name, help, type: "gauge", samples };
}

export function gauge(name: string, help: string, value: number): Metric {
  return { name, help, type: "gauge", samples: [{ value, labels: {} }] };
}
