import assert from "node:assert/strict";
import { METRICS } from "../../../../tests/support/metrics.ts";
import { metricsText } from "./metrics_text.ts";
import type { MeasuredNode } from "../../store/metrics.ts";

const node: MeasuredNode = {
  id: 3,
  name: "Alpha",
  organization_id: 7,
  collaboration_id: 2,
  collaboration: "Heart",
  online: true,
  report: { reported_at: new Date(), age_seconds: 1.5, metrics: METRICS },
};
const names = new Map([[7, "Clinic A"]]);

/** Every sample must have this form, and stand with the others of its name below its type. */
function samplesOf(text: string): Map<string, string> {
  const samples = new Map<string, string>();
  const done = new Set<string>();
  let family = "";
  assert.ok(text.endsWith("\n"));
  for (const line of text.slice(0, -1).split("\n")) {
    const type = /^# TYPE (\w+) gauge$/.exec(line)?.[1];
    if (type) {
      assert.ok(!done.has(type), type);
      done.add(family = type);
    }
    if (line.startsWith("#")) continue;
    const [, name, labels, value] =
      /^(\w+)\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+)\} ([-+0-9.e]+)$/.exec(line) ?? [];
    assert.ok(name !== undefined, line);
    assert.equal(name, family);
    assert.ok(!samples.has(`${name}{${labels}}`), `twice: ${line}`);
    samples.set(`${name}{${labels}}`, value!);
  }
  return samples;
}

Deno.test("metricsText() gives every measure of a node with its names", () => {
  const samples = samplesOf(metricsText([node, { ...node, id: 4, report: undefined }], names));
  const labels = 'node_id="3",node="Alpha",organization="Clinic A",collaboration="Heart"';
  const expected = {
    [`online{${labels}}`]: "1",
    [`report_age_seconds{${labels}}`]: "1.5",
    [`info{${labels},version="0.1.0"}`]: "1",
    [`uptime_seconds{${labels}}`]: "90",
    [`cpus{${labels}}`]: "4",
    [`load{${labels},minutes="1"}`]: "0.5",
    [`load{${labels},minutes="5"}`]: "0.25",
    [`load{${labels},minutes="15"}`]: "0",
    [`agent_memory_bytes{${labels}}`]: "100000000",
    [`memory_total_bytes{${labels}}`]: "8000000000",
    [`memory_available_bytes{${labels}}`]: "6000000000",
    [`disk_total_bytes{${labels}}`]: "1000000000000",
    [`disk_free_bytes{${labels}}`]: "500000000000",
    [`runs{${labels},state="waiting"}`]: "2",
    [`runs{${labels},state="under_way"}`]: "1",
    [`runs{${labels},state="to_be_reported"}`]: "0",
    [`max_runs{${labels}}`]: "4",
  };
  for (const [name, value] of Object.entries(expected)) {
    assert.equal(samples.get(`sextant_node_${name}`), value, name);
  }
  // Of the node without a report only its presence.
  assert.equal(samples.size, Object.keys(expected).length + 1);
});

Deno.test("metricsText() lets no name end its label", () => {
  const names = [
    'x"} 1\nsextant_node_online{node="forged"} 1',
    "back\\slash",
    "\\",
    '\\"',
    "line\nfeed",
    '"',
    "ünï 🏥",
  ];
  for (const name of names) {
    const twisted = { ...node, name, collaboration: name };
    const samples = [...samplesOf(metricsText([twisted], new Map([[7, name]]))).keys()];
    assert.equal(samples.length, 17, name);
    const read = /node="((?:[^"\\]|\\.)*)"/.exec(samples[0]!)![1]!
      .replace(/\\(.)/g, (_, letter) => letter === "n" ? "\n" : letter);
    assert.equal(read, name);
  }
});
