/**
 * Which nodes are connected: the decisions, without I/O and without a clock.
 *
 * Two things take a node offline. It lost its last connection, as the broker told, and did not come
 * back within a moment, so that a reconnection or an exchanged credential is no alarm. Or two of
 * the broker's lists in a row lack it, the second one a while after the first: one list alone
 * proves nothing, since lists are read page by page while connections come and go.
 *
 * Every time is in milliseconds, of one clock of the caller's that never goes back.
 * @module
 */

/** What the broker calls a connection: unique among all of its servers. */
export type ConnectionId = string;

/** What is certain of a node. */
export interface Verdict {
  status: "online" | "offline";
  /** Since when. */
  since: number;
}

/**
 * A list that is under way. What is heard meanwhile is newer than the list, which may hold it or
 * not.
 */
export interface List {
  /** Connection → its node, or `undefined` when it was closed. */
  heard: Map<ConnectionId, number | undefined>;
}

/** A list lacked it; a list that ends after `until` and lacks it too is believed. */
interface Lack {
  since: number;
  until: number;
}

export class PresenceState {
  /** Connection → the node behind it. */
  readonly #connections = new Map<ConnectionId, number>();
  /** Node → how many connections it has. */
  readonly #counts = new Map<number, number>();
  /** When nodes lost their last connection; until that is recorded, or they come back. */
  readonly #lostAt = new Map<number, number>();
  /** Until when nodes that lost their last connection may come back, the earliest first. */
  readonly #leaving = new Map<number, number>();
  /** Connections that the last list lacked. */
  #lackedConnections = new Map<ConnectionId, Lack>();
  /** Nodes that are recorded as online and that the last list lacked. */
  #lackedNodes = new Map<number, Lack>();
  /**
   * Nodes that are recorded as online and of which the last list had no connection; its `until`.
   */
  readonly #unlisted = new Map<number, number>();
  #list: List | undefined;
  /** False while the connections here may not be what the broker has. */
  #known = false;

  /** `graceMs`: how long a node may be without a connection before it is offline. */
  constructor(readonly graceMs: number) {}

  /** Whether a list has come since the start, or since the broker was away. */
  get known(): boolean {
    return this.#known;
  }

  /** Whether the last list lacked something, so that another is wanted to confirm it. */
  get doubtful(): boolean {
    return this.#lackedConnections.size > 0 || this.#lackedNodes.size > 0;
  }

  get connectedCount(): number {
    return this.#counts.size;
  }

  get connectedNodes(): number[] {
    return [...this.#counts.keys()];
  }

  // -- what the broker tells ----------------------------------------------------------------------

  came(connection: ConnectionId, node: number): void {
    this.#list?.heard.set(connection, node);
    this.#connect(connection, node);
  }

  went(connection: ConnectionId, at: number): void {
    this.#list?.heard.set(connection, undefined);
    const node = this.#disconnect(connection);
    if (node === undefined || this.#counts.has(node)) return;
    // Where there was no list yet, or the last one lacked it, it may have connections that nobody
    // has told of: lists decide.
    if (!this.#known) return;
    const until = this.#unlisted.get(node);
    if (until !== undefined) {
      // And it has its time to come back.
      const lack = { since: at, until: Math.max(until, at + this.graceMs) };
      return void this.#lackedNodes.set(node, lack);
    }
    this.#lostAt.set(node, at);
    this.#leaving.set(node, at + this.graceMs);
  }

  /**
   * The connection to the broker is lost: who comes and goes now is not heard, and nothing is
   * certain.
   */
  forget(): void {
    this.#known = false;
    this.#list = undefined;
    for (const one of [this.#connections, this.#counts, this.#lostAt, this.#leaving]) one.clear();
    this.#lackedConnections.clear();
    this.#lackedNodes.clear();
    this.#unlisted.clear();
  }

  /** To be called before the broker is asked for its list. */
  beginList(): List {
    return this.#list = { heard: new Map() };
  }

  /**
   * Takes over a whole list. `recorded` are the nodes that are shown as online now; what this list
   * lacks first may come back within `patienceMs`, and so may what earlier lists lacked if
   * `afresh`. False when the list counts for nothing, as a later one was begun or the broker was
   * lost.
   */
  endList(
    list: List,
    connections: Map<ConnectionId, number>,
    { recorded, at, patienceMs, afresh = false }: {
      recorded: number[];
      at: number;
      patienceMs: number;
      afresh?: boolean;
    },
  ): boolean {
    if (this.#list !== list) return false;
    this.#list = undefined;
    const listed = new Map(connections);
    for (const [connection, node] of list.heard) {
      if (node === undefined) listed.delete(connection);
      else listed.set(connection, node);
    }
    for (const [connection, node] of listed) this.#connect(connection, node);
    const until = at + patienceMs;

    const nodesBefore = afresh ? new Map<number, Lack>() : this.#lackedNodes;
    const connectionsBefore = afresh ? new Map<ConnectionId, Lack>() : this.#lackedConnections;
    this.#lackedConnections = new Map();
    for (const connection of [...this.#connections.keys()]) {
      if (listed.has(connection)) continue;
      const lack = connectionsBefore.get(connection) ?? { since: at, until };
      if (at < lack.until) this.#lackedConnections.set(connection, lack);
      else nodesBefore.set(this.#disconnect(connection)!, lack);
    }

    this.#lackedNodes = new Map();
    this.#unlisted.clear();
    const listedNodes = new Set(listed.values());
    for (const node of recorded) {
      if (!listedNodes.has(node)) this.#unlisted.set(node, until);
      if (this.#counts.has(node) || this.#lostAt.has(node)) continue;
      const lack = nodesBefore.get(node) ?? { since: at, until };
      if (at < lack.until) this.#lackedNodes.set(node, lack);
      else this.#lostAt.set(node, lack.since);
    }
    this.#known = true;
    return true;
  }

  // -- what follows -------------------------------------------------------------------------------

  /** When the next node's time to come back ends. */
  nextDue(): number | undefined {
    return this.#leaving.values().next().value;
  }

  /** Nodes whose time to come back has ended; each is given once. */
  due(at: number): number[] {
    const nodes: number[] = [];
    for (const [node, until] of this.#leaving) {
      if (until > at) break;
      this.#leaving.delete(node);
      nodes.push(node);
    }
    return nodes;
  }

  /** What is certain of a node now, if anything. */
  verdict(node: number, at: number): Verdict | undefined {
    if (this.#counts.has(node)) return { status: "online", since: at };
    const since = this.#lostAt.get(node);
    if (since === undefined || this.#leaving.has(node) || !this.#known) return undefined;
    return { status: "offline", since };
  }

  /** Nodes of which something else is certain than `recorded`, those that are shown as online. */
  differing(recorded: number[], at: number): number[] {
    const online = new Set(recorded);
    const came = this.connectedNodes.filter((node) => !online.has(node));
    const went = recorded.filter((node) => this.verdict(node, at)?.status === "offline");
    return [...came, ...went];
  }

  /** It is recorded that a node is offline; `since` as the verdict had it. */
  recordedOffline(node: number, since: number): void {
    if (this.#lostAt.get(node) === since && !this.#leaving.has(node)) this.#lostAt.delete(node);
  }

  // -- connections --------------------------------------------------------------------------------

  #connect(connection: ConnectionId, node: number): void {
    this.#lostAt.delete(node);
    this.#leaving.delete(node);
    if (this.#connections.has(connection)) return;
    this.#connections.set(connection, node);
    this.#counts.set(node, (this.#counts.get(node) ?? 0) + 1);
  }

  /** Returns the node whose connection it was. */
  #disconnect(connection: ConnectionId): number | undefined {
    const node = this.#connections.get(connection);
    if (node === undefined) return undefined;
    this.#connections.delete(connection);
    const left = this.#counts.get(node)! - 1;
    if (left > 0) this.#counts.set(node, left);
    else this.#counts.delete(node);
    return node;
  }
}
