/**
 * The agent's side of a run's guarded tables: takes what the algorithm asks, has it computed by a
 * process of the node's, and hands over the answer.
 * @module
 */
import type { DisclosureRules } from "../../algorithms/api.ts";
import { messageOf } from "../../../../shared/service/errors.ts";
import type { Logger } from "../../../../shared/service/log.ts";
import type { SandboxDatabase } from "../../data/databases.ts";
import type { RunnerProcess } from "../../sandbox/runner_process.ts";
import type { GuardCounts, MayTell } from "./asking.ts";
import type { Asked, Setting, Told } from "./process.ts";
import { type Question, readQuestion } from "./questions.ts";

/** Questions that one run may ask. */
export const MOST_QUESTIONS = 500;
/**
 * Answers that may be nothing but the rule that forbids them: each tells that something is small.
 */
export const MOST_REFUSED = 30;

export interface Guard {
  /** Answers a question, or rejects with a message for the algorithm that tells no value. */
  ask(input: unknown): Promise<unknown>;
  /** Ends what computes. */
  close(): Promise<void>;
  readonly counts: GuardCounts;
}

export interface CreateGuardOptions {
  databases: readonly SandboxDatabase[];
  /** Null where there are none: all is told as it is. */
  rules: DisclosureRules | null;
  /** Whether questions may choose rows by a condition. */
  allowWhere: boolean;
  /** Starts the process that computes, with these files of columns in its folder. */
  launch: () => Promise<{ process: RunnerProcess; databases: { label: string; path: string }[] }>;
  /**
   * Looks at the rows on which an answer rests, before that is handed over; resolves to why it may
   * not be, for the algorithm, if it may not.
   */
  mayTell?: MayTell | undefined;
  log: Logger;
}

/** Nothing is started before the first question. */
export function createGuard(
  { databases, rules, allowWhere, launch, mayTell, log }: CreateGuardOptions,
): Guard {
  const waiting = new Map<number, PromiseWithResolvers<Answer>>();
  const found = { questions: 0, withheld: 0, refused: 0, rules: new Set<string>() };
  let starting: Promise<Sender> | undefined;
  let closing: (() => Promise<void>) | undefined;
  let isClosed = false;

  async function answer(question: Question): Promise<unknown> {
    const { questions, refused } = found;
    checkMayAsk(question, { databases, rules, allowWhere, questions, refused });
    const id = ++found.questions;
    // A process that has died is not started again: with it went what this run has been told.
    const send = await (starting ??= start());
    const answer = Promise.withResolvers<Answer>();
    waiting.set(id, answer);
    await send({ id, question });
    const { value, failed, selections } = await answer.promise;
    const isTold = failed || (value as { n?: number | null }).n !== null;
    const tells = rules && selections.length > 0 && isTold;
    const reason = tells ? await mayTell?.(question.label, selections) : undefined;
    if (reason === undefined) return note(value);
    found.refused++;
    found.rules.add("min_subset");
    throw new Error(reason);
  }

  function note(value: object): object {
    const { n, withheld = [] } = value as { n?: number | null; withheld?: string[] };
    if (withheld.length > 0) found.withheld++;
    if (n === null) found.refused++;
    for (const rule of withheld) found.rules.add(rule);
    return value;
  }

  async function start(): Promise<Sender> {
    if (isClosed) throw new Error("the run is over");
    const launched = await launch();
    const { process } = launched.process;
    closing = () => launched.process.remove();
    if (isClosed) await closing();
    const writer = process.stdin.getWriter();
    const encoder = new TextEncoder();
    const send = (message: Setting | Asked) =>
      writer.write(encoder.encode(`${JSON.stringify(message)}\n`)).catch(() => {});
    void follow(process);
    await send({ databases: launched.databases, rules });
    return send;
  }

  async function follow(process: Deno.ChildProcess): Promise<void> {
    const errors = new Response(process.stderr).text();
    try {
      for await (const line of linesOf(process.stdout)) {
        const told: Told = JSON.parse(line);
        const asked = waiting.get(told.id);
        waiting.delete(told.id);
        if ("error" in told) asked?.reject(new Error(told.error));
        else asked?.resolve(told);
      }
    } catch (error) {
      log.error("Cannot read what was computed of a guarded table", { error: messageOf(error) });
    }
    const said = await errors;
    if (!isClosed) log.error("The process of a guarded table ended", { errors: said });
    starting = Promise.reject(new Error(ENDED));
    starting.catch(() => {});
    for (const { reject } of waiting.values()) reject(new Error(ENDED));
    waiting.clear();
  }

  return {
    // Nothing holds what was asked but the question that was read from it.
    ask: (input) => Promise.try(() => answer(readQuestion(input))),
    async close() {
      isClosed = true;
      await starting?.catch(() => {});
      await closing?.();
    },
    get counts() {
      return { ...found, rules: [...found.rules].sort() };
    },
  };
}

/** Throws why a question is not answered, if it is not. */
function checkMayAsk(
  question: Question,
  { databases, rules, allowWhere, questions, refused }:
    & Pick<CreateGuardOptions, "databases" | "rules" | "allowWhere">
    & Pick<GuardCounts, "questions" | "refused">,
) {
  if (!databases.some(({ label }) => label === question.label)) {
    const labels = databases.map(({ label }) => label).join(", ") || "none";
    throw new Error(`The task has no database "${question.label}"; it has: ${labels}.`);
  }
  if (!allowWhere && "where" in question && question.where !== undefined) {
    throw new Error(
      "This node does not allow to choose rows by a condition: policies.allow_where is false.",
    );
  }
  if (questions >= MOST_QUESTIONS) {
    throw new Error(`This run has asked ${MOST_QUESTIONS} questions, which is the most.`);
  }
  if (rules && refused >= MOST_REFUSED) {
    throw new Error(
      `${MOST_REFUSED} questions of this run were refused by the rules of the data's owner, so ` +
        "that no further one is answered.",
    );
  }
}

type Answer = Extract<Told, { value: object }>;
type Sender = (message: Asked) => Promise<void>;

const ENDED = "What was asked of the table cannot be computed: most likely it takes more memory " +
  "than this node gives a run.";

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest: string[] = [];
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = text.split("\n");
    for (const line of lines.slice(0, -1)) {
      yield rest.join("") + line;
      rest = [];
    }
    rest.push(lines.at(-1)!);
  }
}
