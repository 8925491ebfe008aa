/**
 * Posting a task: its input is written for each organization, encrypted where the collaboration
 * asks for it, and uploaded on its own where it is large.
 * @module
 */
import type { Task } from "../../../shared/contract/task.ts";
import { SIGNED_REQUESTS } from "../../../shared/payload/label.ts";
import { writePythonJson } from "../../../shared/payload/python_json.ts";
import type { RsaPublicKey } from "../../../shared/payload/rsa_public_key.ts";
import type { Blobs } from "../blobs.ts";
import { ClientError, KeyError } from "../errors.ts";
import { fingerprintOf } from "../keys/fingerprint.ts";
import type { SigningKey } from "../keys/organization_key.ts";
import type { SeenKeys } from "../keys/seen_keys.ts";
import type { CallSettings } from "../nouns/noun.ts";
import type { organizations } from "../nouns/people.ts";
import type { collaborations } from "../nouns/places.ts";
import type { tasks } from "../nouns/work.ts";
import { type Bytes, bytesOfText, type Content, peek, piecesOf } from "../payloads/bytes.ts";
import { payloadBlob, payloadText } from "../payloads/seal.ts";
import { sealSigned } from "../payloads/seal_signed.ts";
import type { SentRequests } from "./sent_requests.ts";

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
  key?: SigningKey | undefined;
  /**
   * With the key, inputs are signed for nodes that say that they read it: then neither the hub nor
   * anybody else can make one, change one, or give it to another algorithm; and what such a node
   * answers is signed by it, for this input. `always` refuses to post what cannot be signed.
   */
  signed?: "announced" | "always";
}

export interface Posting {
  collaborations: ReturnType<typeof collaborations>;
  organizations: ReturnType<typeof organizations>;
  tasks: ReturnType<typeof tasks>;
  whoAmI(options: CallSettings): Promise<{ organization_id: number }>;
  keys: SeenKeys;
  blobs: Blobs;
  sent: SentRequests;
}

/** A payload of more bytes is uploaded on its own. */
const LARGEST_IN_JSON = 2 ** 20;
/** To be signed, an input has to be in memory. */
const LARGEST_SIGNED = 128 * 2 ** 20;

/** How inputs are written: whose key opens that of each organization, and who signs. */
interface Writing {
  /** None where nothing is encrypted. */
  readers: Map<number, RsaPublicKey>;
  /** Those whose nodes read signed inputs. */
  readSigned: Set<number>;
  writer: { key: SigningKey; organizationId: number } | undefined;
}

export function createPost(parts: Posting) {
  const { collaborations, organizations, tasks, keys, blobs, sent } = parts;

  async function writingOf(task: NewTask, options: PostOptions): Promise<Writing> {
    const { encrypted } = await collaborations.get(task.collaboration, options);
    const readers = new Map<number, RsaPublicKey>();
    if (!encrypted) return { readers, readSigned: new Set(), writer: undefined };
    const shown = await organizations.list({ collaboration_id: task.collaboration }).all();
    for (const id of task.organizations) {
      const one = shown.find((organization) => organization.id === id) ??
        await organizations.get(id, options);
      readers.set(id, await keys.keyOf(one));
    }
    const { data } = await collaborations.payloadFormats(task.collaboration, options);
    const readSigned = new Set(
      data.filter(({ payload_formats }) => payload_formats.includes(SIGNED_REQUESTS))
        .map(({ organization }) => organization.id),
    );
    const { key } = options;
    if (!key) return { readers, readSigned, writer: undefined };
    const organizationId = await ownOrganization(key, options);
    return { readers, readSigned, writer: { key, organizationId } };
  }

  /** Whose key it is. Results are encrypted with what the hub's record has: it must be this one. */
  async function ownOrganization(key: SigningKey, options: CallSettings): Promise<number> {
    const { organization_id } = await parts.whoAmI(options);
    const own = await organizations.get(organization_id, options);
    const atHub = await fingerprintOf((await keys.keyOf(own)).der);
    if (atHub === key.fingerprint) return own.id;
    throw new KeyError(
      `This is not the key of organization ${own.id} "${own.name}": its public half is ` +
        `${key.fingerprint}, and the hub's record has ${atHub}. The results could not be opened ` +
        "with it.",
    );
  }

  /** Writes an organization's input; `noted` gets the id of one that is signed. */
  async function shareOf(
    id: number,
    input: Call | Content,
    { noted, ...sharing }: Sharing & { noted: Map<number, string> },
  ): Promise<{ id: number; input: string }> {
    const { writing: { readers, writer }, image, collaboration, asBlob, signal } = sharing;
    const content = isCall(input) ? contentOf(input) : input;
    const limit = writer ? LARGEST_SIGNED : LARGEST_IN_JSON;
    const { whole, pieces } = await peek(piecesOf(content), limit);
    await pieces.return(undefined);
    const inJson = !asBlob && whole !== undefined && whole.length <= LARGEST_IN_JSON;
    const reader = readers.get(id);
    if (isToBeSigned(id, whole, sharing)) {
      const label = {
        is: "request" as const,
        collaboration_id: collaboration,
        from: writer!.organizationId,
        key: writer!.key.fingerprint,
        to: [id],
        at: new Date().toISOString(),
        image,
      };
      const sealed = await sealSigned(whole!, label, { reader: reader!, writer: writer!.key });
      noted.set(id, sealed.id);
      if (inJson) return { id, input: sealed.text() };
      return { id, input: await blobs.upload(sealed.blob, { signal }) };
    }
    if (inJson) return { id, input: await payloadText(whole, reader) };
    return { id, input: await blobs.upload(() => payloadBlob(content, reader), { signal }) };
  }

  /** Posts a task, and resolves with it as the hub shows it. */
  return async function post(task: NewTask, options: PostOptions = {}): Promise<Task> {
    if (task.organizations.length === 0) {
      throw new ClientError("Cannot post the task: name at least one organization.");
    }
    const [writing, asBlob] = await Promise.all([writingOf(task, options), blobs.required()]);
    const noted = new Map<number, string>();
    const { image, collaboration } = task;
    const { signal, signed = "announced" } = options;
    const sharing = { writing, noted, image, collaboration, asBlob, signal, signed };
    const shares: { id: number; input: string }[] = [];
    for (const id of task.organizations) {
      shares.push(await shareOf(id, task.inputs?.get(id) ?? task.input, sharing));
    }
    const posted = await tasks.create(bodyOf(task, shares), options);
    sent.note(posted.id, noted);
    return posted;
  };
}

function bodyOf(task: NewTask, organizations: { id: number; input: string }[]) {
  return {
    image: task.image,
    collaboration_id: task.collaboration,
    study_id: task.study,
    organizations,
    databases: (task.databases ?? ["default"]).map((one) =>
      typeof one === "string" ? { label: one } : one
    ),
    name: task.name,
    description: task.description,
    timeout_seconds: task.timeoutSeconds,
    keep_going: task.keepGoing,
    store_id: task.storeId,
    server_url: task.serverUrl,
  };
}

/** What the shares of one task have in common. */
interface Sharing {
  writing: Writing;
  image: string;
  collaboration: number;
  asBlob: boolean;
  signal: AbortSignal | undefined;
  signed: "announced" | "always";
}

/** Whether the input of an organization is signed. Throws where it had to be and cannot be. */
function isToBeSigned(
  id: number,
  whole: Bytes | undefined,
  { writing: { readers, readSigned, writer }, signed }: Sharing,
): boolean {
  const why = !readers.has(id)
    ? "its collaboration is not encrypted"
    : !writer
    ? "no private key was given"
    : !readSigned.has(id)
    ? `the node of organization ${id} has not told the hub that it reads signed inputs`
    : !whole
    ? `it has more than ${LARGEST_SIGNED} bytes`
    : undefined;
  if (why !== undefined && signed === "always") {
    throw new KeyError(`The input cannot be signed: ${why}.`);
  }
  return why === undefined;
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
