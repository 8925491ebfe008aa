import assert from "node:assert/strict";
import type { ColumnDescription } from "../data/types.ts";
import { columnOfPersons } from "./persons.ts";

const ROWS = 1000;

function column(
  name: string,
  different: number | undefined,
  rest: Partial<ColumnDescription> = {},
): ColumnDescription {
  const counted = different === undefined ? {} : { different };
  return { name, type: "text", missing: 0, ...counted, ...rest };
}

function found(...columns: ColumnDescription[]): string | undefined {
  return columnOfPersons({ rows: ROWS, columns });
}

Deno.test("columnOfPersons() finds a column of persons by its name, however many rows each has", () => {
  for (const name of ["patient_id", "PatientID", "subject", "person_number", "study.pid", "MRN"]) {
    assert.equal(found(column("age", 70, { type: "number" }), column(name, 10)), name);
  }
  assert.equal(found(column("patient", 500, { type: "number" })), "patient");
});

Deno.test("columnOfPersons() finds keys of few rows each, and text that few rows share", () => {
  assert.equal(found(column("id", 400)), "id");
  assert.equal(found(column("visit", 900)), "visit");
  assert.equal(found(column("code", 500), column("patient", 400)), "patient", "the plainest");
});

Deno.test("columnOfPersons() takes no group, no measured number and nobody who is there once for one", () => {
  assert.equal(found(column("sex", 2), column("centre_id", 8), column("icd", 150)), undefined);
  assert.equal(found(column("patient_id", ROWS), column("id", ROWS)), undefined, "once each");
  assert.equal(found(column("patient_id", ROWS - 100, { missing: 100 })), undefined, "once each");
  assert.equal(found(column("pressure", 900, { type: "number" })), undefined);
  assert.equal(found(column("patient_weight", undefined, { type: "number" })), undefined);
});
