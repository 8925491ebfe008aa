/**
 * The library under rules beside itself without, on public data, output by output: what differs is
 * what the result says was withheld, and what it says was withheld does differ.
 * @module
 */
import assert from "node:assert/strict";
import { libraryPackages } from "../../services/node/algorithms/library.ts";
import { type Result, run } from "../support/under_rules.ts";
import { SPLITS } from "./splits.ts";

const PENGUINS = new URL("./reference/data/penguins.csv", import.meta.url);
const QUESTIONS: readonly (readonly [name: string, kwargs: Record<string, unknown>])[] = [
  ["summary", { columns: ["bill_length_mm", "body_mass_g", "island", "sex"], group: "species" }],
  ["summary", { columns: ["flipper_length_mm", "year"], categories: ["year"] }],
  ["crosstab", { row: "species", column: "island" }],
  ["crosstab", { row: "sex", column: "species", stratum: "year" }],
  ["quantiles", { column: "bill_length_mm", probabilities: [0.01, 0.25, 0.5, 0.75] }],
  ["histogram", { column: "body_mass_g", from: 3000, to: 6000, bins: 12 }],
  ["compare_means", { column: "body_mass_g", group: "species" }],
  ["correlation", { columns: ["bill_length_mm", "bill_depth_mm", "body_mass_g"] }],
  ["pca", { columns: ["bill_length_mm", "bill_depth_mm", "body_mass_g"] }],
  ["glm", { outcome: "body_mass_g", predictors: ["flipper_length_mm", "species", "sex"] }],
  ["glm", { outcome: "died", predictors: ["bill_depth_mm", "species"], family: "binomial" }],
  ["mixed_model", { outcome: "body_mass_g", predictors: ["flipper_length_mm", "species"] }],
  ["meta_analysis", { outcome: "body_mass_g", predictors: ["flipper_length_mm", "species"] }],
  ["cox", { time: "mass", event: "died", predictors: ["bill_depth_mm", "species"] }],
  ["cox", { time: "mass", event: "died", predictors: ["year"], show_baseline: true }],
  ["kaplan_meier", { time: "mass", event: "died", group: "species", horizon: 4000 }],
  ["incidence_rates", { events: "died", person_time: "mass", group: "species" }],
  ["k_means", { columns: ["bill_length_mm", "bill_depth_mm"], start: [[40, 18], [50, 15]] }],
];

/** By what a part says was withheld: where in the result of all it shows. */
const REACH: Readonly<Record<string, RegExp>> = {
  left_out: /^left_out/,
  leftOut: /^(sites\/\d+\/left_out|left_out\/)/,
  // Told again with the rows that were left out.
  "columns.*.missing": /^left_out\/(rows|missing)/,
  // Of a level that an organization leaves out nobody knows how many have it in all.
  levels:
    /^(left_out|sites\/\d+\/left_out|n$|counts|strata|chi_squared|yates|cramers|smallest|groups|total|columns)/,
  rows: /^(n$|groups\/|sites\/\d+\/n|left_out\/|columns\/[^/]+\/(all|groups\/[^/]+)\/missing)/,
  columns: /^columns\//,
  cells: /^(counts|strata|chi_squared|yates|cramers_v|smallest_expected|fisher|odds_ratio|risk_)/,
  groups: /^(groups|total|rate_ratio|smr|directly|indirectly)/,
  // In place of what they are of, coarser.
  counts: /^quantiles\//,
  runs: /^(bins|below|above)/,
  "groups.*.times": /^(groups\/[^/]+\/(median|restricted_mean|curve)|log_rank)/,
  baselines: /^baselines\//,
  means: /^(centres|sizes|within|inertia|iterations|converged)/,
};
/** Outputs that a site tells coarser, and not with null. */
const COARSE = ["counts", "runs", "groups.*.times", "baselines", "means"];

function reachOf(output: string): RegExp {
  const reach = REACH[output];
  assert.ok(reach, `Nobody knows what ${output} is`);
  return reach;
}

interface Difference {
  path: string;
  free: unknown;
  ruled: unknown;
}

function differencesOf(free: Result, ruled: Result, path = ""): Difference[] {
  if (Object.is(free, ruled)) return [];
  const isPair = [free, ruled].every((one) => typeof one === "object" && one !== null);
  const isAlike = isPair && Array.isArray(free) === Array.isArray(ruled) &&
    (!Array.isArray(free) || free.length === ruled.length);
  if (!isAlike) return [{ path, free, ruled }];
  return [...new Set([...Object.keys(free), ...Object.keys(ruled)])].flatMap((key) =>
    differencesOf(free[key], ruled[key], path === "" ? key : `${path}/${key}`)
  );
}

async function penguins(): Promise<string> {
  const [head, ...rows] = (await Deno.readTextFile(PENGUINS)).trim().split("\n");
  const more = rows.map((row, i) => `${row},${i * 7 % 5 < 2 ? 0 : 1},${row.split(",")[5]}`);
  return [`${head},died,mass`, ...more, ""].join("\n");
}

interface Sites {
  files: string[];
  /** Those in which nobody has what too few have. */
  reduced: string[];
}

/** The penguins at three sites of many and one of none. */
async function alike(): Promise<Sites> {
  const files = SPLITS["3 sites in turn, one more empty"]!(await penguins());
  return { files, reduced: files };
}

/** One site of many, one with two of a species, and one of two penguins. */
async function unlike(): Promise<Sites> {
  const [head, ...rows] = (await penguins()).trim().split("\n");
  const file = (some: string[]) => [head, ...some, ""].join("\n");
  const isChinstrap = (row: string) => row.startsWith("Chinstrap");
  const some = rows.filter((_, i) => i % 3 === 1);
  const others = some.filter((row) => !isChinstrap(row));
  const first = file(rows.filter((_, i) => i % 3 === 0));
  const last = file(rows.slice(0, 2));
  const few = some.filter(isChinstrap).slice(0, 2);
  return {
    files: [first, file([...others, ...few]), last],
    reduced: [first, file(others), last],
  };
}

for (const [what, sites] of Object.entries({ alike, unlike })) {
  for (const [name, kwargs] of QUESTIONS) {
    Deno.test(`${name} differs by what it says was withheld, and by nothing else: sites ${what}, ${Object.values(kwargs)}`, async () => {
      const { files, reduced } = await sites();
      const { result } = await run({ name, kwargs, files });
      const { withheld } = result;
      const isOut = (organization: number) =>
        (withheld as Result[]).some((one) =>
          one.organization === organization && one.output === "*"
        );
      const organizations = files.map((_, i) => i + 1).filter((one) => !isOut(one));
      const hasLevels = (withheld as Result[]).some(({ output }) => output === "levels");
      const free = (await run({
        name,
        kwargs: { ...kwargs, organizations },
        files: hasLevels ? reduced : files,
        profile: "none",
      })).result;
      const { withheld: _w, notes: _n, ...ruled } = result;
      const { notes: _m, ...truth } = free;
      const found = differencesOf(truth, ruled);
      const outputs = [...new Set((withheld as Result[]).map(({ output }) => output as string))]
        .filter((output) => output !== "*");
      for (const { path, ...values } of found) {
        const by = outputs.filter((output) => reachOf(output).test(path));
        assert.ok(by.length > 0, `${path} ${JSON.stringify(values)} is not said: ${outputs}`);
        // Null or nothing in its place, and no other number.
        // Rows of levels of too few are left out, and counted there where others are.
        const isGone = values.ruled === null || values.ruled === undefined ||
          hasLevels && path.includes("left_out");
        if (!by.some((output) => COARSE.includes(output))) {
          assert.ok(isGone, `${path} ${JSON.stringify(values)}`);
        }
      }
      for (const output of outputs) {
        const shows = found.some(({ path }) => reachOf(output).test(path)) ||
          // Its rows are not among those of the truth any more.
          output === "levels" && hasLevels;
        assert.ok(shows, `${output} is said to be withheld, and differs nowhere`);
      }
      if (organizations.length < files.length) {
        const all = (await run({ name, kwargs, files, profile: "none" })).result;
        assert.notDeepEqual(differencesOf(truth, all), [], "those who are out have rows");
      }
    });
  }
}

Deno.test("of each algorithm of the library the differences are looked at", async () => {
  const asked = new Set(QUESTIONS.map(([name]) => name));
  const all = (await libraryPackages()).map(({ description }) => description.name);
  assert.deepEqual(all.filter((name) => !asked.has(name)), []);
});

Deno.test("what is told coarser agrees with the pooled rows: bins are sums of bins, and quantiles near", async () => {
  const { files } = await alike();
  const histogram = { name: "histogram", kwargs: QUESTIONS[5]![1], files };
  const [ruled, free] = [await run(histogram), await run({ ...histogram, profile: "none" })];
  const { below, above, bins } = free.result;
  for (const { from, to, count } of ruled.result.bins) {
    const sum = bins.reduce(
      (all: number, bin: Result) =>
        (from === null || bin.from >= from) && (to === null || bin.to <= to)
          ? all + bin.count
          : all,
      (from === null ? below : 0) + (to === null ? above : 0),
    );
    assert.equal(count, sum, `${from} to ${to}`);
  }
  const quantiles = { name: "quantiles", kwargs: QUESTIONS[4]![1], files };
  const values = files.flatMap((file) =>
    file.trim().split("\n").slice(1).map((row) => row.split(",")[2]!).filter((one) => one !== "")
  ).map(Number);
  for (const { probability, value } of (await run(quantiles)).result.quantiles) {
    if (value === null) continue;
    const share = values.filter((one) => one <= value).length / values.length;
    assert.ok(Math.abs(share - probability) < 0.1, `${probability}: ${value} is at ${share}`);
  }
});
