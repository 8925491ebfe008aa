/**
 * What becomes of a record in the database: the owning service's functions change it, in its
 * transaction.
 * @module
 */
import { SextantError } from "../../../shared/service/errors.ts";
import { NobodyLeft } from "../../identity/operator.ts";
import { ShellError } from "../errors.ts";
import type { Outcome, Row } from "../models/description.ts";
import { nameOf, type RecordBase, type RecordState, stateOf } from "../shell.ts";
import { listed } from "../show/words.ts";
import { readLabels } from "./labels.ts";
import { idsOf } from "./relations.ts";
import { selectRows } from "./rows.ts";

/** As the operator types it: `delete({force: true})`. */
export interface ForceOptions {
  /** Also what would leave nobody who can administer the hub. */
  force?: boolean;
}

/** Inserts a new record, or updates what was assigned. */
export async function saveRecord(
  record: RecordBase,
  { force = false }: ForceOptions = {},
): Promise<void> {
  const state = stateOf(record);
  const { model: { description, shell }, row, given } = state;
  const { name, service, fixed, create, update } = description;
  if (fixed || !create || !update) throw new ShellError(`${name}: cannot be saved; ${fixed}`);
  if (row && given.size === 0) return;
  const values = await valuesOf(state);
  const tools = { ...shell, force };
  const outcome = await withWord("save", () =>
    shell.change<Outcome>(
      service,
      (change) =>
        row ? update(change, row.id as number, values, tools) : create(change, values, tools),
    ));
  await shell.broker?.shutOut(outcome.shutOut ?? []);
  // From here on it is stored, whatever the reading says.
  state.row = { ...row, id: outcome.id };
  state.given = new Map();
  state.once = new Map(outcome.api_key === undefined ? [] : [["apiKey", outcome.api_key]]);
  state.row = await storedRow(state);
}

/** What was assigned, as the service takes it; throws when something is missing that cannot be. */
async function valuesOf({ model, row, given }: RecordState): Promise<Record<string, unknown>> {
  const { description: { name, fields, relations }, shell } = model;
  const values: Record<string, unknown> = {};
  for (const [property, { column, required }] of Object.entries(fields)) {
    if (given.has(property)) values[column] = given.get(property);
    demand(property, column, required);
  }
  for (const [property, relation] of Object.entries(relations)) {
    const ids = given.has(property) &&
      await idsOf(shell, relation.model, given.get(property), `${name}: ${property}`);
    if (relation.kind === "one") {
      if (ids) values[relation.column] = ids[0] ?? null;
      demand(property, relation.column, relation.required);
    } else if (ids && relation.kind === "many") values[relation.given!] = ids;
  }
  return values;

  function demand(property: string, column: string, required = false): void {
    if (!required || (row && !(column in values))) return;
    if (values[column] === null || values[column] === undefined) {
      throw new ShellError(`${name}: ${property} is missing`);
    }
  }
}

export interface DeleteOptions extends ForceOptions {
  /** Does not ask: the operator has said so. */
  yes?: boolean;
}

/**
 * Deletes it, once the operator has seen what goes with it and agreed; returns a sentence that says
 * what went.
 */
export async function deleteRecord(
  record: RecordBase,
  { yes = false, force = false }: DeleteOptions = {},
): Promise<string> {
  const state = stateOf(record);
  const { model: { description, shell }, row } = state;
  const { service, remove, fixed, forbidden, dependents } = description;
  const name = nameOf(record);
  if (!row) throw new ShellError(`${name} is not stored, so there is nothing to delete`);
  const reason = remove ? forbidden?.(row) : fixed;
  if (!remove || reason) throw new ShellError(`${name} cannot be deleted: ${reason}`);
  const id = row.id as number;
  const { atOnce = [], later = [] } = await dependents?.(shell.databases, id) ?? {};
  const along = (atOnce.length > 0 ? `, and with it ${listed(atOnce)}` : "") + "." +
    (later.length > 0 ? ` To follow, when the other services hear of it: ${listed(later)}.` : "");
  if (!yes && !shell.ask) {
    const typed = `await ${description.name.toLowerCase()}.delete({yes: true})`;
    throw new ShellError(`${name} would be deleted${along} If that is meant: ${typed}`);
  }
  if (!yes && !/^y(es)?$/i.test(await shell.ask!(`${name} goes${along} Delete? (y/N) `))) {
    return `${name} stays.`;
  }
  const outcome = await withWord(
    "delete",
    () => shell.change(service, (change) => remove(change, id, { ...shell, force })),
  ).catch((error) => {
    if (error instanceof SextantError && error.code === "not_found") {
      throw new ShellError(`${name} is gone already`);
    }
    throw error;
  });
  await shell.broker?.shutOut(outcome?.shutOut ?? []);
  state.row = undefined;
  return `${name} is deleted${along}`;
}

/** What leaves nobody to administer the hub is done on the operator's word alone. */
async function withWord<Result>(method: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof NobodyLeft)) throw error;
    const message = `${error.message} To do it all the same: ${method}({force: true})`;
    throw new ShellError(message, { cause: error });
  }
}

/** Reads it again, forgetting what was assigned and not saved. */
export async function reloadRecord(record: RecordBase): Promise<void> {
  const state = stateOf(record);
  const { model: { description: { name } }, row } = state;
  if (!row) throw new ShellError(`${name} is not stored yet`);
  state.row = await storedRow(state);
  state.given.clear();
}

/** The row of a record as it is now. */
async function storedRow({ model, row }: Pick<RecordState, "model" | "row">): Promise<Row> {
  const { description, shell } = model;
  const id = row!.id as number;
  const tx = shell.databases[description.service];
  const { rows } = await selectRows(tx, description, { where: [tx`id = ${id}`], limit: 1 });
  if (!rows[0]) throw new ShellError(`${description.name} ${id} does not exist any more`);
  await readLabels(shell, description, rows);
  return rows[0];
}
