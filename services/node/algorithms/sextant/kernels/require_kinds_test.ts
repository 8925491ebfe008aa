import assert from "node:assert/strict";
import { PROFILES } from "../../../disclosure/rules.ts";
import { PartWithheld, type SiteRules } from "../disclosure.ts";
import { readSelections, type SelectedRows, selectionsOf } from "../selection.ts";
import { requireKinds } from "./require_kinds.ts";

const ROWS = 5000;

const column = (of: (row: number) => number) =>
  Float64Array.from({ length: ROWS }, (_, i) => of(i));

/** As if all other rows came before: some are looked at first. */
const lastRows = (some: number) => column((row) => row >= ROWS - some ? 1 : 0);

/** What the ledger hears of these columns, or the rule that refuses them. */
function heardOf(
  columns: Float64Array[],
  { personOf, places, minLevel = 3 }: {
    personOf?: (row: number) => number;
    places?: Uint32Array;
    minLevel?: number;
  } = {},
): SelectedRows[] | string {
  const heard: SelectedRows[] = [];
  const site: SiteRules = {
    rules: { profile: "datashield", persons: null, ...PROFILES.datashield, minLevel },
    persons: personOf && Uint32Array.from({ length: ROWS }, (_, row) => personOf(row)),
    places,
    tableLength: 2 * ROWS,
    use(selections, within) {
      assert.equal(within, "within");
      heard.push(...selections);
    },
    withhold() {},
  };
  try {
    requireKinds(site.places ? site : { ...site, tableLength: ROWS }, columns);
    return heard;
  } catch (error) {
    if (error instanceof PartWithheld) return error.rule;
    throw error;
  }
}

/** Which rows each selection has, however it says so. */
const rowsOf = (heard: SelectedRows[] | string, length: number) =>
  (heard as SelectedRows[]).flatMap((one) => [...readSelections(one, length)]);

Deno.test("requireKinds() refuses a value of too few persons wherever they lie, and tells the ledger who has it", () => {
  for (const some of [1, 2]) assert.equal(heardOf([lastRows(some)]), "min_level");
  for (const some of [3, 4, ROWS - 3]) {
    const values = lastRows(some);
    const places = Int32Array.from(values);
    const expected = selectionsOf(places, 2, { places: undefined, length: ROWS });
    assert.deepEqual(rowsOf(heardOf([values]), ROWS), rowsOf(expected, ROWS), `${some}`);
  }
  assert.equal(heardOf([lastRows(ROWS - 2)]), "min_level", "few are without it");
});

Deno.test("requireKinds() counts persons and not rows, also of more values than two", () => {
  const twoOf = (row: number) => row >= ROWS - 4 ? row % 2 : row + 2;
  assert.equal(heardOf([lastRows(4)], { personOf: twoOf }), "min_level");
  const threeOf = (row: number) => row >= ROWS - 4 ? row % 3 : row + 3;
  assert.equal((heardOf([lastRows(4)], { personOf: threeOf }) as SelectedRows[]).length, 1);
  const levels = column((row) => row >= ROWS - 4 ? 2 : row % 2);
  assert.equal(heardOf([levels], { personOf: twoOf }), "min_level");
  assert.equal((heardOf([levels], { personOf: threeOf }) as SelectedRows[]).length, 1);
});

Deno.test("requireKinds() tells the ledger of rows by their places in the table", () => {
  const places = Uint32Array.from({ length: ROWS }, (_, row) => 2 * row);
  const values = lastRows(7);
  assert.deepEqual(
    heardOf([values], { places }),
    selectionsOf(Int32Array.from(values), 2, { places, length: 2 * ROWS }),
  );
});

Deno.test("requireKinds() asks the rules of the moment, and each column by itself", () => {
  const [same, other] = [lastRows(3), lastRows(3)];
  assert.notEqual(heardOf([same]), "min_level");
  assert.equal(heardOf([same], { minLevel: 4 }), "min_level");
  assert.notEqual(heardOf([same]), "min_level");
  other[ROWS - 1] = 0;
  assert.equal(heardOf([other]), "min_level");
  // In each enough, but not in both.
  const apart = column((row) => row >= ROWS - 5 && row < ROWS - 2 ? 1 : 0);
  assert.equal(heardOf([same, apart]), "min_cell");
});
