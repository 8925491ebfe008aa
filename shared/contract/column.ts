/**
 * Asking for the names of a database's columns (contract §3.14).
 * @module
 */
import { z } from "zod";
import { id, nullAsAbsent, text } from "./fields.ts";
import { recipients } from "./task.ts";

export const columnRequest = z.object({
  db_label: text.pipe(z.string().min(1)),
  collaboration_id: id,
  organizations: recipients,
  sheet_name: nullAsAbsent(text),
  query: nullAsAbsent(text),
});
