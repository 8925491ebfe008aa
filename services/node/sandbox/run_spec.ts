/**
 * One run, as the sandbox is told to execute it.
 * @module
 */
import type { SandboxDatabase } from "../data/databases.ts";
import type { DataAccess } from "../disclosure/decision.ts";
import type { Exit, Words } from "../disclosure/exit.ts";
import type { GuardCounts, MayTell } from "../disclosure/guarded/asking.ts";
import type { ContentFile } from "../payload/pieces.ts";
import type { RunLimits } from "../run/runtime.ts";
import type { SubtaskClient } from "../subtasks/sandbox_client.ts";
import type { MethodCall, Place } from "./frames.ts";

/** A call as it came, so that nothing of what it says is held while it runs. */
export interface CallText {
  method: string;
  /** All of it, in UTF-8. */
  json: Uint8Array;
}

export interface RunSpec {
  /** Letters, digits and `-`, unique among the runs under way. */
  name: string;
  /** The algorithm's file and what people call it. */
  algorithm: { name: string; path: string };
  /**
   * What it is called with, as the value, as its JSON, or as the file that says so, for a call that
   * is too large to be held by the agent; null to ask what it says of itself.
   */
  input: MethodCall | CallText | ContentFile | null;
  databases: SandboxDatabase[];
  /** Which words of it leave with the reason why it failed: all unless given. */
  words?: Words | undefined;
  /** What it gets of them: rows unless given. */
  access?: DataAccess | undefined;
  /** Looks at what is to be told of a guarded table: see `guarded/guard.ts`. */
  mayTell?: MayTell | undefined;
  /** Digests by which it may name rows, asked for when it begins: see `Exit`. */
  knownRows?: Exit["knownRows"] | undefined;
  place: Place;
  /** False refuses arguments that the algorithm describes as conditions on rows. */
  allowWhere?: boolean | undefined;
  limits: RunLimits;
  /** Nothing of the algorithm runs before this has resolved; a rejection ends the run. */
  noted?: Promise<unknown> | undefined;
  /** Called with whole lines as they are printed, until the log is full. */
  onLog: (lines: string[]) => void;
  client: SubtaskClient;
  /** Told at the end what was asked of the tables, if anything was. */
  onGuarded?: ((counts: GuardCounts) => void) | undefined;
}
