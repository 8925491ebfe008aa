/**
 * The hub's side of the protocol between hub and node, for tests of the agent: in memory, and able
 * to hold back what it would say. The broker under it is a real one.
 */
import { type BrokerConnection, type Msg, newHeaders } from "../../shared/broker/connection.ts";
import { issueNodeCredential, nodeIssuers } from "../../shared/broker/trust.ts";
import { changeWithdrawals } from "../../shared/broker/withdrawals.ts";
import { sha256Hex } from "../../shared/service/digest.ts";
import { newUserKey, publicKeyOf, sign } from "../../shared/broker/signing.ts";
import { type ReportKind, subjects } from "../../shared/broker/subjects.ts";
import { toldAlgorithms } from "../../shared/node_protocol/algorithms.ts";
import type { UploadedBlob } from "../../shared/node_protocol/blobs.ts";
import {
  type ContainerGrant,
  type ContainerTokenAnswer,
  containerTokenRequest,
} from "../../shared/node_protocol/container_grant.ts";
import type { Dispatch } from "../../shared/node_protocol/dispatch.ts";
import { signAsHub } from "../../shared/node_protocol/hub_signature.ts";
import type { Kill } from "../../shared/node_protocol/kill.ts";
import { MAX_INLINE_INPUT } from "../../shared/node_protocol/limits.ts";
import {
  type BrokerCredential,
  brokerCredentialRequest,
  nodeLogInRequest,
} from "../../shared/node_protocol/log_in.ts";
import { logPieceSchema } from "../../shared/node_protocol/logs.ts";
import { proveSender } from "../../shared/node_protocol/node_signature.ts";
import {
  type AttemptReportKind,
  refusalOf,
  type RefusalReason,
} from "../../shared/node_protocol/refusal.ts";
import {
  NODE_PROTOCOL,
  REPORT_SCHEMAS,
  type ReportAnswer,
  type ReportBody,
  type ReportFailure,
} from "../../shared/node_protocol/reports.ts";
import type { Seal } from "../../shared/contract/audit.ts";
import { CHECKPOINTS_HEADER, checkpointsHeader } from "../../shared/node_protocol/checkpoints.ts";
import { type SignedStatement, signedStatement } from "../../shared/node_protocol/witness.ts";
import { isOpen, type ResultStatus } from "../../shared/node_protocol/status.ts";
import { attemptKey } from "../../services/node/record/attempt_key.ts";
import { MAX_ATTEMPTS } from "../../services/task/rules.ts";
import { freePort } from "../../services/stack/ports.ts";
import { waitFor } from "../harness.ts";
import { startOwnNats } from "./nats.ts";

export const NODE = 7;
export const API_KEY = "0d6ce0b9-6ae9-4f59-9f08-4b4a2bb5ad32";
const ORGANIZATION = 3;
/** An organization whose node is never there. */
export const NOBODY = 99;
const COLLABORATION = 2;

/** One result as the hub has it. */
export interface HeldResult {
  id: number;
  taskId: number;
  image: string;
  databases: { label: string }[];
  input: string;
  status: ResultStatus;
  attempt: number;
  /** Whether the node has said that its journal has the current attempt. */
  accepted: boolean;
  agentId: string | null;
  result: string | null;
  log: string;
  reason: string | null;
  /** Since when it waits for release at the node, if the node has said so. */
  heldSince: string | null;
  /** How often each report about it was committed. */
  committed: Record<string, number>;
}

export interface Work {
  image: string;
  input: unknown;
  databases?: string[];
  /** The input as stored, instead of the one made from `input`. */
  rawInput?: string;
  /** What the dispatch says instead. */
  change?: Record<string, unknown>;
}

type Point = ReportKind | "committed finish" | "POST /task";

interface Hold {
  /** Resolves when something is held. */
  reached: Promise<void>;
  /** Lets what is held go on, and holds nothing any more. */
  release(): void;
  /** Answers what is held with an error instead. */
  drop(): void;
}

export interface HubDouble {
  /** Base address of the API. */
  api: string;
  port: number;
  /** Where the broker is, as nodes are told. */
  natsUrl: string;
  encrypted: boolean;
  /** The collaboration that the node is in, whose work it gets. */
  collaboration: number;
  /** Of organizations, as their records have them. */
  publicKeys: Map<number, string>;
  /** Of each service's audit record. */
  seals: Seal[];
  /** Of its audit record, as it tells nodes; one of the version before has none. */
  checkpoints: string[] | undefined;
  /** Proves that one size of a service's record goes on from another; in base64. */
  prove: (service: string, from: number, to: number) => string[];
  /** What it says that other nodes have stated. */
  statements: unknown[];
  /** What the node has stated. */
  stated: SignedStatement[];
  /** Which `NODE_PROTOCOL` it speaks. */
  protocol: number;
  /** Seconds for which a broker credential is valid. */
  credentialSeconds: number;
  dispatchSeed: string;
  /** Whether it is of a version that knows the report `held`. */
  knowsHeld: boolean;
  /** Longest report over HTTP. */
  largestReport: number;
  nc: BrokerConnection;
  /** How often each path was asked over HTTP, for example "POST /token/container". */
  asked: Map<string, number>;
  logLines: string[];
  /** Payloads that were uploaded on their own, by name. */
  blobs: Map<string, string>;
  results: Map<number, HeldResult>;
  /** Makes a result and dispatches it. */
  post(work: Work): Promise<HeldResult>;
  dispatch(result: HeldResult, change?: Record<string, unknown>): Promise<void>;
  kill(result: HeldResult): void;
  /** Holds everything that reaches this point. */
  hold(point: Point): Hold;
  final(result: HeldResult): Promise<HeldResult>;
  /** Makes the node unknown at the door. */
  refuseKey(): void;
  /** Makes it unknown at the broker too. */
  shutOut(): Promise<void>;
  killBroker(): Promise<void>;
  startBroker(): Promise<void>;
  stopHttp(): Promise<void>;
  startHttp(): void;
  stop(): Promise<void>;
}

const isUnfinished = ({ status }: HeldResult) => isOpen(status);

export async function startHubDouble(): Promise<HubDouble> {
  const nats = await startOwnNats();
  const { trust } = nats;
  const { nc } = await nats.service("task");
  const httpPort = freePort();

  const gates = new Map<Point, { reached: () => void; opened: Promise<void> }>();
  const results = new Map<number, HeldResult>();
  const blobs = new Map<string, string>();
  let lastId = 100;
  let apiKey = API_KEY;
  let nodeKey = "";
  let http: Deno.HttpServer | undefined;

  async function pass(point: Point): Promise<void> {
    const gate = gates.get(point);
    gate?.reached();
    await gate?.opened;
  }

  // -- reports
  // ----------------------------------------------------------------------------------------------

  let hellos = 0;
  /** The dispatch of each result, as it was last sent. */
  const sent = new Map<number, string>();

  function refusal(
    kind: AttemptReportKind,
    result: HeldResult | undefined,
    report: { agent_id: string; attempt: number },
  ): RefusalReason | undefined {
    return result ? refusalOf(kind, { ...result, agent_id: result.agentId }, report) : "unknown";
  }

  function hello({ open, agent_id, after }: ReportBody<"hello">): ReportAnswer<"hello"> {
    if (after !== hellos) return { ok: false, hellos };
    hellos++;
    const held = new Set(open.map(attemptKey));
    for (const { id, attempt } of results.values()) {
      results.get(id)!.accepted = held.has(attemptKey({ result_id: id, attempt }));
    }
    const drop = open.flatMap(({ result_id, attempt, state }) => {
      const kind = state === "accepted" ? "start" : "finish";
      const reason = refusal(kind, results.get(result_id), { agent_id, attempt });
      return reason ? [{ result_id, attempt, reason }] : [];
    });
    return { ok: true, drop };
  }

  function work(): ReportAnswer<"work"> {
    const due = [...results.values()].filter((one) => one.status === "pending" && !one.accepted);
    const dispatches = due.map(({ id }) => {
      const text = sent.get(id)!;
      const payload = new TextEncoder().encode(text);
      return { text, signature: sign(hub.dispatchSeed, subjects.dispatch(NODE), payload) };
    });
    const { checkpoints } = hub;
    return { ok: true, dispatches, next: null, ...(checkpoints ? { checkpoints } : {}) };
  }

  function accepted({ attempts }: ReportBody<"accepted">): ReportAnswer<"accepted"> {
    for (const { result_id, attempt } of attempts) {
      const result = results.get(result_id);
      if (result?.attempt === attempt) result.accepted = true;
    }
    return { ok: true };
  }

  function start(report: ReportBody<"start">, result: HeldResult): ReportAnswer<"start"> {
    Object.assign(result, { status: "active", agentId: report.agent_id });
    const inline = result.input.length <= MAX_INLINE_INPUT;
    return {
      ok: true,
      input: inline ? result.input : null,
      input_via_http: !inline,
      input_blob: null,
      started_at: new Date().toISOString(),
    };
  }

  function finish(
    { status, result: named, in_blob, log, reason }: ReportBody<"finish">,
    result: HeldResult,
  ): ReportAnswer<"finish"> {
    const payload = in_blob ? blobs.get(named!) : named;
    if (payload === undefined) throw new Refusal(400, "The report names an unknown blob.");
    Object.assign(result, { status, result: payload, log: log ?? "", reason });
    return { ok: true };
  }

  async function lost(result: HeldResult): Promise<ReportAnswer<"lost">> {
    if (result.attempt === MAX_ATTEMPTS) {
      Object.assign(result, { status: "failed", reason: "lost too often" });
      return { ok: true, next_attempt: null };
    }
    Object.assign(result, {
      status: "pending",
      attempt: result.attempt + 1,
      accepted: false,
      agentId: null,
    });
    await dispatch(result);
    return { ok: true, next_attempt: result.attempt };
  }

  async function commit(kind: ReportKind, json: unknown): Promise<ReportAnswer<ReportKind>> {
    if (kind === "hello") return hello(REPORT_SCHEMAS.hello.parse(json));
    if (kind === "work") return work();
    if (kind === "accepted") return accepted(REPORT_SCHEMAS.accepted.parse(json));
    if (kind === "held" && !hub.knowsHeld) throw new Refusal(400, 'There is no report "held".');
    const report = REPORT_SCHEMAS[kind].parse(json);
    const result = results.get(report.result_id);
    const reason = refusal(kind, result, report);
    if (!result || reason) return { ok: false, reason: reason ?? "unknown" };
    result.committed[kind] = (result.committed[kind] ?? 0) + 1;
    if (kind === "start") return start(REPORT_SCHEMAS.start.parse(json), result);
    if (kind === "lost") return await lost(result);
    if (kind === "held") {
      result.heldSince = REPORT_SCHEMAS.held.parse(json).since;
      return { ok: true };
    }
    return finish(REPORT_SCHEMAS.finish.parse(json), result);
  }

  async function answerReport(message: Msg): Promise<void> {
    const { rest } = proveSender(message, nodeIssuers(trust));
    await pass(rest as ReportKind);
    const answer = await commit(rest as ReportKind, message.json());
    if (rest === "finish") await pass("committed finish");
    message.respond(JSON.stringify(answer));
  }

  const reports = nc.subscribe(subjects.allReports(), { queue: "task" });
  (async () => {
    for await (const message of reports) {
      answerReport(message).catch((error) => {
        const code = error instanceof Refusal ? "invalid_request" : "internal";
        const failure: ReportFailure = { error: { code, msg: String(error) } };
        message.respond(JSON.stringify(failure));
      });
    }
  })();
  const logs = nc.subscribe(subjects.allLogs(), {
    callback: (_, message) => void hub.logLines.push(...logPieceSchema.parse(message.json()).lines),
  });

  // -- dispatch
  // ---------------------------------------------------------------------------------------------

  async function dispatch(result: HeldResult, change: Record<string, unknown> = {}): Promise<void> {
    const subject = subjects.dispatch(NODE);
    const message: Dispatch = {
      v: 1,
      result_id: result.id,
      attempt: result.attempt,
      task_id: result.taskId,
      run_id: 1,
      parent_id: null,
      collaboration_id: hub.collaboration,
      organization_id: ORGANIZATION,
      init_org_id: ORGANIZATION,
      init_user_id: 1,
      image: result.image,
      databases: result.databases,
      input_sha256: await sha256Hex(result.input),
      issued_at: new Date().toISOString(),
    };
    const text = JSON.stringify({ ...message, ...change });
    sent.set(result.id, text);
    const payload = new TextEncoder().encode(text);
    nc.publish(subject, payload, { headers: signed(subject, payload) });
  }

  function signed(subject: string, payload: Uint8Array) {
    const all = newHeaders();
    signAsHub(all, hub.dispatchSeed, { subject, payload });
    if (hub.checkpoints) all.set(CHECKPOINTS_HEADER, checkpointsHeader(hub.checkpoints));
    return all;
  }

  function add({ image, input, databases = [], rawInput }: Work): HeldResult {
    const id = ++lastId;
    const result: HeldResult = {
      id,
      taskId: id + 1000,
      image,
      databases: databases.map((label) => ({ label })),
      input: rawInput ?? new TextEncoder().encode(JSON.stringify(input)).toBase64(),
      status: "pending",
      attempt: 1,
      accepted: false,
      agentId: null,
      result: null,
      log: "",
      reason: null,
      heldSince: null,
      committed: {},
    };
    results.set(id, result);
    return result;
  }

  // -- HTTP
  // -----------------------------------------------------------------------------------------------

  function token(claims: Record<string, unknown>): string {
    const part = (value: unknown) =>
      new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: "base64url" });
    return `${part({})}.${part({ exp: Date.now() / 1000 + 3600, ...claims })}.x`;
  }

  async function answerHttp(request: Request): Promise<unknown> {
    const url = new URL(request.url);
    const path = url.pathname.replace(/^\/api/, "");
    const key = `${request.method} ${path}`;
    hub.asked.set(key, (hub.asked.get(key) ?? 0) + 1);
    const taskId = Number(url.searchParams.get("task_id") ?? /^\/task\/(\d+)/.exec(path)?.[1]);
    const ofTask = [...results.values()].filter((result) => result.taskId === taskId);
    const runPath = /^\/run\/(\d+)$/.exec(path);
    if (key === "POST /token/node") {
      const { api_key } = nodeLogInRequest.parse(await request.json());
      if (api_key !== apiKey) throw new Refusal(401, "The API key is not known.");
      return { access_token: token({ sub: NODE }), refresh_token: "x" };
    }
    if (apiKey === "") throw new Refusal(401, "The node is not known.");
    if (key === "POST /token/broker") {
      const { public_key } = brokerCredentialRequest.parse(await request.json());
      nodeKey = public_key;
      const issued = await issueNodeCredential(trust, NODE, public_key, hub.credentialSeconds);
      return {
        jwt: issued.jwt,
        expires_at: issued.expiresAt.toISOString(),
        nats_url: hub.natsUrl,
        dispatch_keys: [publicKeyOf(hub.dispatchSeed)],
        service: "sextant",
        protocol: hub.protocol,
      } satisfies BrokerCredential;
    }
    if (path === `/node/${NODE}`) {
      return {
        id: NODE,
        name: "test node",
        organization: { id: ORGANIZATION },
        collaboration: { id: hub.collaboration },
      };
    }
    if (key === `PUT /node/${NODE}/algorithms`) {
      toldAlgorithms.parse(await request.json());
      return { msg: "What the node told was kept." };
    }
    if (path === `/collaboration/${hub.collaboration}`) {
      const name = hub.collaboration === COLLABORATION ? "Test" : "Elsewhere";
      return { id: hub.collaboration, name, encrypted: hub.encrypted };
    }
    const ofOrganization = /^\/organization\/(\d+)$/.exec(path);
    if (ofOrganization) {
      const id = Number(ofOrganization[1]);
      if (request.method === "PATCH") {
        const { public_key } = await request.json();
        hub.publicKeys.set(id, public_key);
      }
      return { id, name: "Alpha", public_key: hub.publicKeys.get(id) ?? null };
    }
    if (path === "/audit/seals") return { data: hub.seals };
    if (path === "/audit/checkpoints" && hub.checkpoints) return { data: hub.checkpoints };
    if (path === "/audit/consistency") {
      const asked = url.searchParams;
      const [from, to] = [Number(asked.get("from")), Number(asked.get("to"))];
      return { proof: hub.prove(asked.get("service")!, from, to) };
    }
    if (path === `/node/${NODE}/witness`) {
      if (request.method !== "PUT") return { data: hub.statements };
      hub.stated.push(signedStatement.parse(await request.json()));
      return {};
    }
    if (key === "POST /token/container") {
      const { task_id, image } = containerTokenRequest.parse(await request.json());
      const sub: ContainerGrant = {
        node_id: NODE,
        organization_id: ORGANIZATION,
        collaboration_id: COLLABORATION,
        study_id: null,
        store_id: null,
        task_id,
        image,
        databases: [],
      };
      return { container_token: token({ sub }) } satisfies ContainerTokenAnswer;
    }
    if (path === "/organization") return { data: [{ id: ORGANIZATION, name: "Alpha" }] };
    if (key === "POST /task") {
      await pass("POST /task");
      const { image, organizations } = await request.json();
      const child = add({ image, input: null, rawInput: organizations[0].input });
      // What is for it stays open.
      if (organizations[0].id !== NOBODY) await dispatch(child, { parent_id: 1 });
      return { id: child.taskId };
    }
    if (key === "GET /task") {
      const tasks = [...results.values()].map((one) => ({ complete: !isUnfinished(one) }));
      return { data: tasks };
    }
    if (path.endsWith("/status")) {
      const [child] = ofTask;
      if (!child) throw new Refusal(404, "There is no such task.");
      await waitFor(() => !isUnfinished(child), { what: "a subtask", timeout: 25_000 });
      return { status: child.status };
    }
    if (path === "/run") {
      return {
        data: ofTask.map(({ id, status, log, reason }) => ({
          id,
          status,
          organization: { id: ORGANIZATION },
          log: reason ?? log,
        })),
      };
    }
    if (path === "/result") return { data: ofTask.map(({ id, result }) => ({ id, result })) };
    if (key === "POST /blobstream") {
      const payload = await request.text();
      if (payload.length > hub.largestReport) throw new Refusal(413, "The body is too large.");
      const uuid = crypto.randomUUID();
      blobs.set(uuid, payload);
      return { uuid } satisfies UploadedBlob;
    }
    const stored = /^GET \/blobstream\/(.+)$/.exec(key);
    if (stored && blobs.has(stored[1]!)) return new Response(blobs.get(stored[1]!));
    if (key === "GET /version") return { version: "4.15" };
    if (runPath) return { input: results.get(Number(runPath[1]))!.input };
    throw new Refusal(404, `There is no ${key}.`);
  }

  const hub: HubDouble = {
    api: `http://127.0.0.1:${httpPort}/api`,
    port: httpPort,
    natsUrl: nats.url,
    encrypted: false,
    collaboration: COLLABORATION,
    publicKeys: new Map(),
    seals: [],
    checkpoints: undefined,
    prove: () => [],
    statements: [],
    stated: [],
    protocol: NODE_PROTOCOL,
    credentialSeconds: 3600,
    dispatchSeed: newUserKey().seed,
    knowsHeld: true,
    largestReport: Infinity,
    nc,
    asked: new Map(),
    logLines: [],
    blobs,
    results,
    dispatch,
    async post(work) {
      const result = add(work);
      await dispatch(result, work.change);
      return result;
    },
    kill(result) {
      result.status = "killed by user";
      const subject = subjects.kill(NODE);
      const kill: Kill = { result_id: result.id, attempt: null };
      const payload = new TextEncoder().encode(JSON.stringify(kill));
      nc.publish(subject, payload, { headers: signed(subject, payload) });
    },
    hold(point) {
      const reached = Promise.withResolvers<void>();
      const opened = Promise.withResolvers<void>();
      opened.promise.catch(() => {});
      gates.set(point, { reached: reached.resolve, opened: opened.promise });
      function open(settle: () => void) {
        gates.delete(point);
        settle();
      }
      return {
        reached: reached.promise,
        release: () => open(opened.resolve),
        drop: () => open(() => opened.reject(new Error("dropped"))),
      };
    },
    async final(result) {
      await waitFor(() => !isUnfinished(result), {
        what: `the end of result ${result.id}`,
        timeout: 30_000,
      });
      return result;
    },
    refuseKey: () => void (apiKey = ""),
    async shutOut() {
      hub.refuseKey();
      const { nc } = await nats.system("identity");
      await changeWithdrawals(nc, trust, {
        add: new Map([[nodeKey, Math.floor(Date.now() / 1000)]]),
      });
    },
    killBroker: nats.kill9,
    startBroker: nats.start,
    async stopHttp() {
      await http?.shutdown();
      http = undefined;
    },
    startHttp() {
      http = Deno.serve(
        { port: httpPort, hostname: "127.0.0.1", onListen: () => {} },
        async (request) => {
          try {
            const answer = await answerHttp(request);
            return answer instanceof Response ? answer : Response.json(answer);
          } catch (error) {
            const status = error instanceof Refusal ? error.status : 500;
            return Response.json({ msg: (error as Error).message }, { status });
          }
        },
      );
    },
    async stop() {
      await hub.stopHttp();
      reports.unsubscribe();
      logs.unsubscribe();
      await nats.stop();
    },
  };
  hub.startHttp();
  return hub;
}

class Refusal extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}
