import assert from "node:assert/strict";
import { assertEveryBadValueIsSaid } from "../../../../../tests/support/bad_arguments.ts";
import { assertRefusals } from "../../../../../tests/support/bad_arguments.ts";
import { federate } from "../../../../../tests/support/federation.ts";
import * as mixed from "./algorithm.ts";

type Result = Awaited<ReturnType<typeof mixed.central>>;

const KWARGS = { outcome: "y", predictors: ["x"] };
const central = (kwargs: Record<string, unknown>, files: string[]) =>
  federate(mixed, "central", { ...KWARGS, ...kwargs }, files) as Promise<Result>;

/** Rows about a line that begins here or there. */
function site(start: number, letters: string): string {
  const rows = Array.from(
    { length: 9 },
    (_, i) => `${i},${start + 2 * i + (i * 5) % 3},${letters[i % letters.length]},p${i}`,
  );
  return ["x,y,g,name", ...rows, ""].join("\n");
}
const FILES = [site(0, "ab"), site(6, "ab"), site(11, "bc"), "x,y,g,name\n"];

Deno.test("mixed_model tells the variance between organizations from that within", async () => {
  const found = await central({}, FILES);
  assert.ok(found.site_variance > 10 * found.residual_variance);
  assert.ok(Math.abs(found.coefficients.x!.estimate - 2) < 0.1);
  assert.deepEqual(found.site_effects.map(({ organization }) => organization), [1, 2, 3]);
  const sum = found.site_effects.reduce((all, { effect }) => all + effect, 0);
  assert.ok(Math.abs(sum) < 1e-9);
  assert.ok(found.site_effect_test.p < 1e-6);
});

Deno.test("mixed_model without a difference between organizations has a variance of 0", async () => {
  const found = await central({}, [site(3, "ab"), site(3, "ab")]);
  assert.equal(found.site_variance, 0);
  assert.equal(found.site_effect_test.p, 1);
  assert.match(found.notes.join(), /their variance is 0/);
});

Deno.test("mixed_model's restricted likelihood is of the predictors' own units", async () => {
  const files = FILES.map((text) => text.replaceAll(/^(\d+),/gm, (_, x) => `${Number(x) * 1000},`));
  const [plain, large] = [await central({}, FILES), await central({}, files)];
  const shift = plain.log_likelihood - large.log_likelihood;
  assert.ok(Math.abs(shift - Math.log(1000)) < 1e-6, `${shift}`);
});

Deno.test("mixed_model counts what it leaves out, and takes levels of one organization", async () => {
  const found = await central({ predictors: ["x", "g"], where: "x < 8" }, [
    FILES[0] + "NA,1,a,z\n",
    ...FILES.slice(1),
  ]);
  assert.deepEqual(Object.keys(found.coefficients), ["intercept", "x", "g[b]", "g[c]"]);
  assert.equal(found.n, 24);
  assert.deepEqual(found.left_out.where, { not_met: 3, unknown: 1 });
  assert.match(found.notes.join(), /"c" of "g" is found at organization 3 only/);
});

Deno.test("mixed_model says of each argument what it must be", async () => {
  await assertEveryBadValueIsSaid({ algorithm: mixed, kwargs: KWARGS, files: FILES, text: "name" });
});

Deno.test("mixed_model says what the data lack", async () => {
  const two = (first: string, second: string) => [`x,y,z\n${first}\n`, `x,y,z\n${second}\n`];
  const both = { ...KWARGS, predictors: ["x", "z"] };
  await assertRefusals(mixed, [
    [{ ...KWARGS, predictors: ["y"] }, FILES, /"y" stands for two things/],
    [KWARGS, two("1,1,1\n2,3,1", "1,NA,1\n2,NA,1"), /2 complete rows are too few/],
    [KWARGS, two("1,1,1\n2,3,1\n3,4,1", "NA,NA,1"), /Fewer than two organizations/],
    [KWARGS, two("1,1,1\n1,3,1", "1,4,1\n1,4,1"), /"x" has the same value in all rows/],
    [KWARGS, two("1,5,1\n2,5,1", "3,5,1\n4,5,1"), /"y" has the same value in all rows/],
    [KWARGS, two("1,2,1\n2,4,1", "3,6,1\n4,8,1"), /predictors tell the outcome exactly/],
    [both, two("1,2,2\n2,4,4", "3,6,6\n4,9,8"), /"z" follows from "x"/],
    [both, two("1,2,2", "3,6,6"), /2 complete rows are too few for 3 coefficients/],
    [KWARGS, two("1,NA,1", "2,NA,1"), /No organization has a value in the column "y"/],
  ]);
});
