/**
 * Logs of runs as they grow: of each what is new.
 * @module
 */
import type { RunWithTask } from "../../../shared/contract/task.ts";
import { print, printJson } from "./print.ts";

type LoggedRun = Pick<RunWithTask, "id" | "log" | "organization">;

/** Prints whole lines, and what is left of the last one when a log is not a continuation. */
export function createLogPrinter(
  { nameOf, json }: { nameOf: (organizationId: number) => string; json: boolean },
) {
  const shown = new Map<number, string>();
  return {
    show({ id, log, organization }: LoggedRun): void {
      const text = log ?? "";
      const before = shown.get(id) ?? "";
      if (text === before) return;
      shown.set(id, text);
      // Another attempt begins its log anew.
      const fresh = text.startsWith(before) ? text.slice(before.length) : text;
      const name = nameOf(organization.id);
      if (json) return printJson({ run: id, organization: name, text: fresh }, 0);
      for (const line of fresh.replace(/^\n/, "").replace(/\n$/, "").split("\n")) {
        print(`${name} | ${line}`);
      }
    },
  };
}
