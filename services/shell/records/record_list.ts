/**
 * Records as a list: an array, and at the prompt a table.
 * @module
 */
import type { AnyRecord } from "../shell.ts";
import { render } from "../show/render.ts";
import { terminalWidth } from "../../../shared/command_line/table.ts";

export class RecordList extends Array<AnyRecord> {
  /** Whether the database has more that match. */
  declare readonly more: boolean;

  static page(records: AnyRecord[], more: boolean): RecordList {
    const list = new RecordList();
    for (const record of records) list.push(record);
    Object.defineProperty(list, "more", { value: more });
    return list;
  }

  [Symbol.for("Deno.customInspect")](): string {
    return render(this, terminalWidth());
  }
}
