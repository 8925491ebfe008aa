/**
 * Posting a task: its input is written for each organization, encrypted where the collaboration asks
 * for it, and uploaded on its own where it is large.
 * @module
 */
import type { Task } from "../../../shared/contract/task.ts";
import { writePythonJson } from "../../../shared/payload/python_json.ts";
import type { RsaPublicKey } from "../../../shared/payload/rsa_public_key.ts";
import type { Blobs } from "../blobs.ts";
import { ClientError, KeyError } from "../errors.ts";
import { fingerprintOf } from "../keys/fingerprint.ts";
import type { OrganizationKey } from "../keys/organization_key.ts";
import type { SeenKeys } from "../keys/seen_keys.ts";
import type { CallSettings } from "../nouns/noun.ts";
import type { organizations } from "../nouns/people.ts";
import type { collaborations } from "../nouns/places.ts";
import type { tasks } from "../nouns/work.ts";
import { bytesOfText, type Content, peek, piecesOf } from "../payloads/bytes.ts";
import { payloadBlob, payloadText } from "../payloads/seal.ts";

/** What an algorithm is called with. */
export interface Call {
  method: string;
  kwargs?: Readonly<Record<string, unknown>>;
  /** Those without names. */
  args?: readonly unknown[];
}

export interface NewTask {
  image: string;
  collaboration: number;
  study?: number | undefined;
  /** Ids of those that get a share. */
  organizations: readonly number[];
  /** What each of them gets; bytes are JSON already, of any size. */
  input: Call | Content;
  /** What those with these ids get in place of it. */
  inputs?: ReadonlyMap<number, Call | Content>;
  /** Labels, or more of what a task may say of a database; `default` unless given. */
  databases?: readonly (string | Database)[];
  name?: string | undefined;
  description?: string | undefined;
  timeoutSeconds?: number | undefined;
  /** Whether a part that fails ends no other one. */
  keepGoing?: boolean | undefined;
  storeId?: number | undefined;
  serverUrl?: string | undefined;
}

export interface Database {
  label: string;
  query?: string;
  sheet_name?: string;
  preprocessing?: { function: string; [name: string]: unknown }[];
}

export interface PostOptions extends CallSettings {
  /**
   * Of one's own organization, in an encrypted collaboration: makes sure that the results will be
   * encrypted for it.
   */
  key?: OrganizationKey | undefined;
}

export interface Posting {
  collaborations: ReturnType<typeof collaborations>;
  organizations: ReturnType<typeof organizations>;
  tasks: ReturnType<typeof tasks>;
  whoAmI(options: CallSettings): Promise<{ organization_id: number }>;
  keys: SeenKeys;
  blobs: Blobs;
}

/** A payload of more bytes is uploaded on its own. */
const LARGEST_IN_JSON = 2 ** 20;

export function createPost(parts: Posting) {
  const { collaborations, organizations, tasks, keys, blobs } = parts;

  /** The keys of those who are to read, by their ids; none where nothing is encrypted. */
  async function readersOf(
    task: NewTask,
    options: PostOptions,
  ): Promise<Map<number, RsaPublicKey>> {
    const { encrypted } = await collaborations.get(task.collaboration, options);
    const readers = new Map<number, RsaPublicKey>();
    if (!encrypted) return readers;
    const wanted = [...new Set(task.organizations)];
    const shown = await organizations.list({ collaboration_id: task.collaboration }).all();
    for (const id of wanted) {
      const one = shown.find((organization) => organization.id === id) ??
        await organizations.get(id, options);
      readers.set(id, await keys.keyOf(one));
    }
    if (options.key) await demandOwnKey(options.key, options);
    return readers;
  }

  /** Results are encrypted with what the hub's record has. */
  async function demandOwnKey(key: OrganizationKey, options: CallSettings): Promise<void> {
    const { organization_id } = await parts.whoAmI(options);
    const own = await organizations.get(organization_id, options);
    const atHub = await fingerprintOf((await keys.keyOf(own)).der);
    if (atHub === key.fingerprint) return;
    throw new KeyError(
      `This is not the key of organization ${own.id} "${own.name}": its public half is ` +
        `${key.fingerprint}, and the hub's record has ${atHub}. The results could not be opened ` +
        "with it.",
    );
  }

  async function stored(
    input: Call | Content,
    reader: RsaPublicKey | undefined,
    { asBlob, signal }: { asBlob: boolean; signal?: AbortSignal | undefined },
  ): Promise<string> {
    const content = isCall(input) ? contentOf(input) : input;
    const head = await peek(piecesOf(content), LARGEST_IN_JSON);
    if (head.whole && !asBlob) return await payloadText(head.whole, reader);
    await head.pieces.return(undefined);
    return await blobs.upload(() => payloadBlob(content, reader), { signal });
  }

  /** Posts a task, and resolves with it as the hub shows it. */
  return async function post(task: NewTask, options: PostOptions = {}): Promise<Task> {
    if (task.organizations.length === 0) {
      throw new ClientError("Cannot post the task: name at least one organization.");
    }
    const [readers, asBlob] = await Promise.all([readersOf(task, options), blobs.required()]);
    const shares: { id: number; input: string }[] = [];
    for (const id of task.organizations) {
      const own = task.inputs?.get(id) ?? task.input;
      const to = { asBlob, signal: options.signal };
      shares.push({ id, input: await stored(own, readers.get(id), to) });
    }
    return await tasks.create({
      image: task.image,
      collaboration_id: task.collaboration,
      study_id: task.study,
      organizations: shares,
      databases: (task.databases ?? ["default"]).map((one) =>
        typeof one === "string" ? { label: one } : one
      ),
      name: task.name,
      description: task.description,
      timeout_seconds: task.timeoutSeconds,
      keep_going: task.keepGoing,
      store_id: task.storeId,
      server_url: task.serverUrl,
    }, options);
  };
}

function isCall(input: Call | Content): input is Call {
  return typeof input === "object" && "method" in input;
}

/** JSON as v6's programs read it: it knows infinite numbers, which plain JSON would make null. */
function contentOf({ method, args, kwargs }: Call): Content {
  return bytesOfText(writePythonJson({
    method,
    ...(args && args.length > 0 ? { args } : {}),
    kwargs: kwargs ?? {},
  }));
}
