/**
 * Results as tables.
 * @module
 */
import { harmless } from "../../../shared/command_line/harmless.ts";
import { isGood, type Outcome } from "../tasks/outcome.ts";
import { cellOf, print, printJson, say, tableOf } from "./print.ts";
import { EXIT } from "./exit_codes.ts";

export interface ShowOptions {
  json: boolean;
  taskId: number;
  status: string;
  nameOf: (organizationId: number) => string;
}

/** Prints what came of a task; returns the exit code. */
export function showOutcomes(
  outcomes: readonly Outcome[],
  { json, taskId, status, nameOf }: ShowOptions,
): number {
  const allGood = outcomes.length > 0 && outcomes.every(isGood);
  if (json) {
    printJson({
      task: taskId,
      status,
      organizations: outcomes.map((one) => ({
        id: one.organizationId,
        name: nameOf(one.organizationId),
        run: one.id,
        status: one.status,
        ...(one.result ? { result: one.result.isJson ? one.result.value : one.result.text } : {}),
        ...(one.reason === undefined ? {} : { reason: one.reason }),
      })),
    });
  } else {
    for (const text of textsOf(outcomes, nameOf)) print(text);
    for (const { organizationId, status, reason } of outcomes) {
      if (reason !== undefined) say(`${nameOf(organizationId)}: ${status}\n${indented(reason)}`);
    }
  }
  return allGood ? EXIT.well : EXIT.failed;
}

/** One text for each organization; small results of several are one table. */
function textsOf(outcomes: readonly Outcome[], nameOf: (id: number) => string): string[] {
  const good = outcomes.filter(isGood);
  if (good.length > 1 && good.every(({ result }) => isSmall(result!.value))) {
    return [tableOf(good.map(({ organizationId, result }) => ({
      organization: nameOf(organizationId),
      ...(isRecord(result!.value) ? result!.value : { result: result!.value }),
    })))];
  }
  return good.map(({ organizationId, result }) => {
    const title = outcomes.length > 1 ? `${nameOf(organizationId)}\n` : "";
    return title + (result!.isJson ? textOf(result!.value) : harmless(result!.text));
  });
}

/** A value as tables: one of its plain parts, and one of each list of alike records. */
export function textOf(value: unknown): string {
  if (isTable(value)) return tableOf(value);
  if (!isRecord(value)) return cellOf(value);
  const plain: { name: string; value: unknown }[] = [];
  const tables: string[] = [];
  collect("", value);
  return [...plain.length > 0 ? [tableOf(plain)] : [], ...tables].join("\n");

  function collect(above: string, record: Record<string, unknown>) {
    for (const [key, part] of Object.entries(record)) {
      const name = above ? `${above}.${key}` : key;
      if (isTable(part)) tables.push(`${harmless(name, " ")}\n${tableOf(part)}`);
      else if (isRecord(part) && Object.keys(part).length > 0) collect(name, part);
      else plain.push({ name, value: part });
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPlain(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

function isSmall(value: unknown): boolean {
  return isPlain(value) ||
    (isRecord(value) && Object.keys(value).length <= 8 && Object.values(value).every(isPlain));
}

/** A list of records. */
function isTable(value: unknown): value is Record<string, unknown>[] {
  return Array.isArray(value) && value.length > 0 && value.every(isRecord);
}

function indented(text: string): string {
  return text.split("\n").map((line) => `  ${line}`).join("\n");
}
