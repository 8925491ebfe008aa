import assert from "node:assert/strict";
import { newHeaders } from "../../../shared/broker/connection.ts";
import { newUserKey, publicKeyOf, sign, verify } from "../../../shared/broker/signing.ts";
import { subjects } from "../../../shared/broker/subjects.ts";
import type { Dispatch, SignedDispatch } from "../../../shared/node_protocol/dispatch.ts";
import { signAsHub } from "../../../shared/node_protocol/hub_signature.ts";
import type { AttemptId } from "../../../shared/node_protocol/values.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { dispatch } from "../../../tests/support/dispatch.ts";
import { startTestNats } from "../../../tests/support/nats.ts";
import { waitFor } from "../../../tests/harness.ts";
import { attemptKey } from "../record/attempt_key.ts";
import type { JournalEntry } from "../record/journal.ts";
import { takeDispatched, type WorkIntakeOptions } from "./work_intake.ts";

const NODE = 7;
const SUBJECT = subjects.dispatch(NODE);
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** A node that takes work of a hub which is the test. */
async function withIntake(
  options: Pick<WorkIntakeOptions, "mostHeld">,
  use: (intake: {
    /** What the hub has for the node; given in pages of two. */
    due: Dispatch[];
    /** After which result each page was asked for. */
    asked: number[];
    taken: number[];
    told: AttemptId[];
    /** Resolves when the node has heard it. */
    send(message: unknown): Promise<void>;
    /** Ends an attempt. */
    end(result_id: number): void;
    /** Says that a run has begun. */
    begin(result_id: number): void;
  }) => Promise<void>,
): Promise<void> {
  const nats = await startTestNats();
  const seed = newUserKey().seed;
  const { nc: hub } = await nats.service("task");
  const { nc: connection } = await nats.node(NODE);
  const stopping = new AbortController();
  const open = new Map<string, JournalEntry>();
  const due: Dispatch[] = [];
  const asked: number[] = [];
  const taken: number[] = [];
  const told: AttemptId[] = [];
  const taking = takeDispatched({
    nodeId: NODE,
    broker: {
      connection,
      trust: (subject) => ({
        subject,
        verify: (...signed) => verify(publicKeyOf(seed), ...signed),
      }),
    },
    journal: { open },
    reporter: {
      work(after) {
        asked.push(after);
        const rest = due.filter((one) => one.result_id > after);
        const dispatches: SignedDispatch[] = rest.slice(0, 2).map((one) => {
          const text = JSON.stringify(one);
          return { text, signature: sign(seed, SUBJECT, new TextEncoder().encode(text)) };
        });
        return Promise.resolve({
          ok: true,
          dispatches,
          next: rest.length > 2 ? rest[1]!.result_id : null,
        });
      },
      accepted: (attempts) => Promise.resolve(void told.push(...attempts)),
    },
    attempts: {
      accept(one) {
        const key = attemptKey(one);
        if (!open.has(key)) {
          open.set(key, { dispatch: one, state: "accepted" });
          taken.push(one.result_id);
        }
        return Promise.resolve();
      },
      get size() {
        return open.size;
      },
      whenAtMost: (count) => waitFor(() => open.size <= count, { what: "room" }).then(() => {}),
    },
    log: silentLogger,
    askEveryMs: 1e9,
    ...options,
  }, stopping.signal);
  await connection.flush();
  try {
    await use({
      due,
      asked,
      taken,
      told,
      async send(message) {
        const headers = newHeaders();
        signAsHub(headers, seed, { subject: SUBJECT, payload: bytes(message) });
        hub.publish(SUBJECT, bytes(message), { headers });
        await hub.flush();
        await connection.flush();
      },
      end(result_id) {
        open.delete(attemptKey({ result_id, attempt: 1 }));
      },
      begin(result_id) {
        const key = attemptKey({ result_id, attempt: 1 });
        open.set(key, { ...open.get(key)!, state: "started" });
      },
    });
  } finally {
    stopping.abort(new Error("done"));
    await assert.rejects(taking);
    await nats.stop();
  }
}

const result = (result_id: number): Dispatch => ({ ...dispatch, result_id });

Deno.test("takeDispatched() asks at once, hears what is dispatched, and asks again when it is woken", () =>
  withIntake({}, async ({ due, asked, taken, told, send }) => {
    assert.deepEqual(asked, [0]);
    await send(result(1));
    await waitFor(() => taken.length === 1, { what: "what was dispatched" });
    due.push(result(1), result(2), result(3), result(4), result(5));
    await send({ wake_up: true });
    await waitFor(() => taken.length === 5, { what: "what was not heard" });
    assert.deepEqual(taken, [1, 2, 3, 4, 5]);
    assert.deepEqual(asked, [0, 0, 2, 4]);
    await waitFor(() => told.length >= 5, { what: "the hub to be told" });
    assert.deepEqual(new Set(told.map((one) => one.result_id)), new Set([1, 2, 3, 4, 5]));
  }));

Deno.test("takeDispatched() does not tell of what has begun meanwhile", () =>
  withIntake({}, async ({ taken, told, send, begin }) => {
    await send(result(1));
    await send(result(2));
    await waitFor(() => taken.length === 2, { what: "both" });
    begin(1);
    await waitFor(() => told.length > 0, { what: "the hub to be told" });
    assert.deepEqual(told, [{ result_id: 2, attempt: 1 }]);
  }));

Deno.test("takeDispatched() takes no more than a hello can name, and the rest when there is room", () =>
  withIntake({ mostHeld: 4 }, async ({ due, taken, send, end }) => {
    due.push(...[1, 2, 3, 4, 5, 6, 7].map(result));
    await send({ wake_up: true });
    await waitFor(() => taken.length === 4, { what: "as many as may be held" });
    await send(result(8));
    for (const id of [1, 2]) {
      end(id);
      due.shift();
    }
    await waitFor(() => taken.includes(6), { what: "the others" });
    assert.equal(taken.includes(8), false);
    await send({ ...result(9), parent_id: 3 });
    await waitFor(() => taken.includes(9), { what: "a subtask for which another may wait" });
  }));
