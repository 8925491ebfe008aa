/**
 * One agent per node: of two with the same API key (somebody copied a configuration folder), the
 * second is refused for as long as the first is connected.
 *
 * A copied folder has the first one's journal, too, and so its agent id. What tells the two apart
 * is the key pair that each process makes at its start: the one whose hello was accepted speaks for
 * the node. Another key takes its place only when the broker, asked at that moment, has no
 * connection of the one before; of several that want it at once, one finds its predecessor as it
 * read it, and the others begin anew.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import type { ReportKind } from "../../../shared/broker/subjects.ts";
import type { Ask, RpcOutput } from "../../../shared/messages/questions.ts";
import type { SecondAgent } from "../../../shared/node_protocol/second_agent.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { createTurns } from "../../../shared/service/turns.ts";
import type { Db } from "../../../shared/storage/db.ts";
import {
  addSpeaker,
  noteSecond,
  replaceSpeaker,
  type Speaker,
  speakerOf,
} from "../store/node_speaker.ts";

export interface OneAgentOptions {
  db: Db;
  ask: Ask;
  /** Tells the connected agents of a node, the first among them, that there is a second. */
  tell: (nodeId: number, notice: SecondAgent) => void;
  log: Logger;
  now: () => Date;
  /**
   * How long the first may be without a connection before one that was refused takes over: after
   * the broker's restart the two come back in any order. One that was never refused does not wait.
   */
  graceMs?: number;
}

/** The process of an agent that has signed a report. */
export interface Sender {
  node: number;
  publicKey: string;
}

export interface OneAgent {
  /**
   * Resolves when the sender speaks for its node, by a hello at the latest; throws `AnotherAgent`
   * when another does.
   */
  admit(sender: Sender, kind: ReportKind): Promise<void>;
}

/** People have been told of it as often as is good for them. */
export class AnotherAgent extends SextantError {
  constructor(message: string) {
    super("conflict", message);
  }
}

/**
 * So long a process speaks for its node unasked once it was found to. Nobody takes its place while
 * it is connected: a report that comes in this time was sent before that, or is of the time
 * between.
 */
const REMEMBERED_MS = 250;
const MOST_REMEMBERED = 20_000;

/** Questions to the broker at once: when a thousand agents start, each is one. */
const ASKED_AT_ONCE = 32;
/** How often the logs say that there still is a second agent. */
const TELL_EVERY_MS = 600_000;

type Connections = RpcOutput<"collaboration", "node_connections">;

export function createOneAgent(
  { db, ask, tell, log, now, graceMs = 3000 }: OneAgentOptions,
): OneAgent {
  const inTurn = createTurns(ASKED_AT_ONCE);
  /** By node: who was found to speak for it, and when. */
  const found = new Map<number, { publicKey: string; at: number }>();

  function wasFound({ node, publicKey }: Sender): boolean {
    const last = found.get(node);
    return last?.publicKey === publicKey && performance.now() - last.at < REMEMBERED_MS;
  }

  function remember({ node, publicKey }: Sender): void {
    if (found.size >= MOST_REMEMBERED) found.clear();
    found.set(node, { publicKey, at: performance.now() });
  }

  function connectionsOf(node: number): Promise<Connections> {
    return inTurn(() => ask("collaboration", "node_connections", { node_id: node }));
  }

  /**
   * The node's connections, when the one that speaks for it has one; `undefined` when it is gone.
   */
  async function connectionsIfThere(
    { node, publicKey }: Sender,
    speaker: Speaker,
  ): Promise<Connections | undefined> {
    const there = (all: Connections) => all.some((one) => one.public_key === speaker.public_key);
    const first = await connectionsOf(node);
    if (there(first)) return first;
    if (speaker.second_key !== publicKey) return undefined;
    await delay(graceMs);
    const again = await connectionsOf(node);
    return there(again) ? again : undefined;
  }

  async function refuse(
    { node, publicKey }: Sender,
    speaker: Speaker,
    connections: Connections,
  ): Promise<never> {
    const addressOf = (key: string) =>
      connections.find((one) => one.public_key === key)?.address ?? "an unknown address";
    const second = { public_key: publicKey, address: addressOf(publicKey) };
    const since = speaker.since.toISOString();
    const from = addressOf(speaker.public_key);
    const at = now();
    const told = isNews(speaker, at);
    await noteSecond(db, { nodeId: node, speaker: speaker.public_key, second, at, told });
    if (told) {
      log.warn("A second agent with a node's key is refused while the first is connected", {
        node_id: node,
        first_since: since,
        first_from: from,
        second_from: second.address,
      });
      const { public_key: first } = speaker;
      tell(node, { second_agent: { first, address: second.address, at: at.toISOString() } });
    }
    throw new AnotherAgent(
      `another agent with this key has been connected since ${since} from ${from}`,
    );
  }

  /** Whether the sender has taken the place of `speaker`; throws when that is connected. */
  async function takeOver(sender: Sender, speaker: Speaker): Promise<boolean> {
    const connections = await connectionsIfThere(sender, speaker);
    if (connections) return await refuse(sender, speaker, connections);
    const { node: nodeId, publicKey } = sender;
    found.delete(nodeId);
    return await replaceSpeaker(db, {
      nodeId,
      before: speaker.public_key,
      publicKey,
      at: now(),
    });
  }

  return {
    async admit(sender, kind) {
      const { node, publicKey } = sender;
      if (wasFound(sender)) return;
      for (;;) {
        const speaker = await speakerOf(db, node);
        if (speaker?.public_key === publicKey) return remember(sender);
        if (!speaker) {
          // With any report: an agent that was connected when the hub began to look says no hello.
          await addSpeaker(db, { nodeId: node, publicKey, at: now() });
        } else if (kind !== "hello") {
          throw new AnotherAgent(
            "another agent with this key speaks for the node since " +
              `${speaker.since.toISOString()}, and this one's hello was not accepted after that`,
          );
        } else if (await takeOver(sender, speaker)) return;
      }
    },
  };
}

/** Whether it is time to tell people that there is a second agent. */
export function isNews({ second_told_at }: Pick<Speaker, "second_told_at">, at: Date): boolean {
  return second_told_at === null || at.getTime() - second_told_at.getTime() >= TELL_EVERY_MS;
}
