/**
 * One client of a hub's public API, for Deno, Node.js and browsers.
 * @module
 */
import { userLogInAnswer } from "../../shared/contract/token.ts";
import { said } from "../../shared/contract/answers.ts";
import { createBlobs } from "./blobs.ts";
import { type CallOptions, type Calls, createCalls, errorOf, parsed } from "./calls.ts";
import { type KeyChangedError, KeyError } from "./errors.ts";
import { type EventOptions, followEvents } from "./events.ts";
import { createSeenKeys, type KeyStore } from "./keys/seen_keys.ts";
import { account, audit, hub, logIns } from "./nouns/hub.ts";
import { organizations, roles, rules, users } from "./nouns/people.ts";
import { algorithms, algorithmStores, collaborations, nodes, studies } from "./nouns/places.ts";
import { results, runs, tasks } from "./nouns/work.ts";
import { createSession, type Session, type SessionStore } from "./session.ts";
import { createFollow, type FollowOptions } from "./tasks/follow.ts";
import { isGood, type Outcome } from "./tasks/outcome.ts";
import type { OrganizationKey } from "./keys/organization_key.ts";
import { createPost, type NewTask, type PostOptions } from "./tasks/post.ts";
import { createSentRequests } from "./tasks/sent_requests.ts";
import { createResults } from "./tasks/results.ts";
import { createTransport, type Sent, type TransportOptions } from "./transport.ts";

export interface ClientOptions extends TransportOptions {
  /** Where the log-in is kept; in memory unless given. */
  session?: SessionStore | undefined;
  /** Where the fingerprints of organizations' keys are kept; in memory unless given. */
  keys?: KeyStore | undefined;
  /** Told when a public key is another than before. */
  onKeyChange?: (change: KeyChangedError) => void;
}

export interface LogIn {
  username: string;
  password: string;
  /** Of the second factor, where there is one. */
  code?: string | undefined;
}

/**
 * Whether somebody is in. If not, `needs` is what is missing: the code of their second factor, or
 * to set one up first, by what is shown this once.
 */
export type LoggedIn =
  | { needs: undefined }
  | { needs: "code"; msg: string }
  | { needs: "set-up"; msg: string; qrUri: string; secret: string };

export interface RunOptions extends Omit<PostOptions, "key">, Pick<FollowOptions, "onChange"> {
  /** Of one's own organization: it signs what is asked, and opens the results. */
  key?: OrganizationKey | undefined;
  /** Told of the task as soon as it is posted. */
  onPosted?: (task: { id: number; name: string }) => void;
}

export interface Ran {
  taskId: number;
  status: string;
  /** Of each organization, also of those that failed. */
  outcomes: Outcome[];
  /** Those without a result that could be read. */
  failed: Outcome[];
}

export type Client = ReturnType<typeof createClient>;

/** `url` is the hub's, with or without `/api`. Nothing is sent before it is asked for. */
export function createClient(options: ClientOptions) {
  const transport = createTransport(options);
  const session = createSession(transport, options.session);
  const calls = createCalls(transport, session);
  const keys = createSeenKeys({ store: options.keys, onChange: options.onKeyChange });
  const blobs = createBlobs(calls);
  const own = account(calls);
  const nouns = {
    organizations: organizations(calls, keys.look),
    users: users(calls),
    roles: roles(calls),
    rules: rules(calls),
    collaborations: collaborations(calls),
    studies: studies(calls),
    nodes: nodes(calls),
    algorithms: algorithms(calls),
    algorithmStores: algorithmStores(calls),
    tasks: tasks(calls),
    runs: runs(calls),
    storedResults: results(calls),
    audit: audit(calls),
    hub: hub(calls),
    logIns: logIns(calls),
    account: own,
  };
  const sent = createSentRequests();
  const opening = createResults({ ...nouns, results: nouns.storedResults, keys, blobs, sent });
  const post = createPost({ ...nouns, keys, blobs, sent, whoAmI: own.whoAmI });
  const events = (following?: EventOptions) => followEvents(calls, following);
  const follow = createFollow({ ...nouns, events });

  return {
    url: transport.url,
    ...nouns,
    /** The bytes of large payloads. */
    blobs,
    /** The public keys of organizations. */
    keys,
    logIn: (given: LogIn) => logIn({ calls, session }, given),
    /** Ends the log-in at the hub, for all who share it, and forgets it here in any case. */
    async logOut(): Promise<void> {
      const token = await session.end();
      if (token === undefined) return;
      const response = await transport.send({
        method: "DELETE",
        path: "/token/refresh",
        headers: { authorization: `Bearer ${token}` },
        repeatable: true,
      });
      // Over already is over.
      const text = await response.text();
      if (response.status === 401 || response.status === 422) return;
      if (!response.ok) {
        throw errorOf("DELETE /token/refresh", response.status, JSON.parse(text));
      }
      parsed(text, said, "DELETE /token/refresh");
    },
    /** A call of what has no function here: the raw answer, whatever its status. */
    request: (method: Sent["method"], path: string, call?: CallOptions) =>
      calls.raw(method, path, call),
    /** Posts a task; encrypts its inputs where the collaboration asks for it. */
    post: (task: NewTask, posting?: PostOptions) => post(task, posting),
    /** Follows a task until it is over; resolves with its last status. */
    follow,
    /** Results, opened. */
    results: opening,
    /** What happens, from now on. */
    events,
    /**
     * Posts a task, follows it, and resolves with what came of each organization's share: also when
     * some failed, and which did.
     */
    async run(task: NewTask, { onPosted, onChange, ...posting }: RunOptions = {}): Promise<Ran> {
      if (posting.key === undefined) {
        const { encrypted } = await nouns.collaborations.get(task.collaboration, posting);
        if (encrypted) {
          throw new KeyError(
            "The collaboration is encrypted: give the private key of your organization, or the " +
              "results could not be opened.",
          );
        }
      }
      const { id, name } = await post(task, posting);
      onPosted?.({ id, name });
      const status = await follow(id, { signal: posting.signal, onChange });
      const outcomes = await opening.of(id, posting);
      return { taskId: id, status, outcomes, failed: outcomes.filter((one) => !isGood(one)) };
    },
  };
}

async function logIn(
  { calls, session }: { calls: Calls; session: Session },
  { username, password, code }: LogIn,
): Promise<LoggedIn> {
  const answer = await calls.json("POST", "/token/user", userLogInAnswer, {
    body: { username, password, ...(code === undefined ? {} : { mfa_code: code }) },
    anonymous: true,
    once: true,
    proves: true,
  });
  if ("access_token" in answer) {
    const { access_token, refresh_token } = answer;
    await session.begin({ access_token, refresh_token });
    return { needs: undefined };
  }
  const { msg } = answer;
  if (!("qr_uri" in answer)) return { needs: "code", msg };
  return { needs: "set-up", msg, qrUri: answer.qr_uri, secret: answer.otp_secret };
}
