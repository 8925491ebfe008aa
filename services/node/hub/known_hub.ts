/**
 * What this node remembers of its hub: by which keys it signs dispatches and kills, and where its
 * broker is. Both come with every credential over HTTP; whoever could answer there once could
 * otherwise dispatch from then on. What was told first holds until the owner accepts another
 * (`deno task node accept-hub`); meanwhile the node goes on with what it knows. An address that a
 * known key has signed needs no owner: it is the same hub that has moved.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { readAddress } from "../../../shared/node_protocol/broker_address.ts";
import type { BrokerCredential } from "../../../shared/node_protocol/log_in.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { AuditLog } from "../record/audit_log.ts";
import { replaceFile } from "../record/data_folder.ts";

/** The file in the node's data folder that the agent writes. */
export const KNOWN_HUB_FILE = "known_hub.json";
/** The file beside it that `accept-hub` writes. */
export const ACCEPTED_HUB_FILE = "accepted_hub.json";

const hubSchema = z.object({
  nats_url: z.string(),
  dispatch_keys: z.array(z.string()),
  /**
   * When the hub signed the address, if that is how it was learned: an older word counts no more.
   */
  nats_url_at: z.string().optional(),
});
type Told = z.infer<typeof hubSchema>;
const acceptedSchema = hubSchema.partial();

export interface KnownHub {
  /** The same credential with the broker and the keys that this node believes. */
  hold(credential: BrokerCredential): Promise<BrokerCredential>;
}

export interface KnownHubOptions {
  folder: string;
  audit: Pick<AuditLog, "record">;
  log: Logger;
  now?: () => number;
}

/** Reads what was told before. Throws when the file is there and cannot be read. */
export async function openKnownHub(
  { folder, audit, log, now = Date.now }: KnownHubOptions,
): Promise<KnownHub> {
  const path = join(folder, KNOWN_HUB_FILE);
  let known = await readFile(path, hubSchema);
  /** Said before, so that it is not said with every credential. */
  let said = "";

  async function keep(told: Told): Promise<void> {
    known = told;
    await writeFile(path, told);
  }

  async function refuse(about: Record<string, unknown>, advice: string): Promise<void> {
    const text = JSON.stringify(about);
    if (said === text) return;
    said = text;
    await audit.record("hub change refused", about);
    log.error(
      "The hub tells of another broker, or of another key that signs what is dispatched, than " +
        `before: the node goes on with those that it knows. ${advice}`,
      about,
    );
  }

  return {
    async hold(credential) {
      const { nats_url, dispatch_keys } = credential;
      if (!known) {
        await audit.record("hub seen", { nats_url, dispatch_keys });
        await keep({ nats_url, dispatch_keys });
        return credential;
      }
      const accepted = await readFile(join(folder, ACCEPTED_HUB_FILE), acceptedSchema) ?? {};
      const before = known;
      const isKnownKey = (key: string) =>
        before.dispatch_keys.includes(key) || (accepted.dispatch_keys ?? []).includes(key);
      const strangers = dispatch_keys.filter((key) => !isKnownKey(key));
      const moved = nats_url === before.nats_url
        ? undefined
        : signedMove(credential, before, now());
      const otherUrl = nats_url !== before.nats_url && nats_url !== accepted.nats_url && !moved;
      const held = {
        nats_url: otherUrl ? before.nats_url : nats_url,
        dispatch_keys: dispatch_keys.filter(isKnownKey),
      };
      if (strangers.length > 0 || otherUrl) {
        const flags = [
          ...strangers.map((key) => ` --key ${key}`),
          ...(otherUrl ? [` --url ${nats_url}`] : []),
        ].join("");
        await refuse(
          {
            reason: "the hub tells of another broker or key than before",
            ...(strangers.length > 0 ? { dispatch_keys: strangers } : {}),
            ...(otherUrl ? { nats_url, before: before.nats_url } : {}),
          },
          "When the hub's operator says that this is right, accept it: deno task node accept-hub " +
            `--config node.yaml${flags}`,
        );
      }
      // A key that the hub does not name any more is not believed; what is known stays known.
      const at = moved ?? before.nats_url_at;
      const next = {
        nats_url: held.nats_url,
        dispatch_keys: [...new Set([...before.dispatch_keys, ...held.dispatch_keys])],
        ...(at === undefined ? {} : { nats_url_at: at }),
      };
      if (JSON.stringify(next) !== JSON.stringify(before)) {
        await audit.record("hub change accepted", next);
        await keep(next);
      }
      return { ...credential, ...held };
    },
  };
}

/**
 * When the hub signed that its broker is there now, with a key that is known and still named:
 * later than what was signed before.
 */
function signedMove(
  { nats_url, nats_url_signed, dispatch_keys }: BrokerCredential,
  before: Told,
  now: number,
): string | undefined {
  const keys = before.dispatch_keys.filter((key) => dispatch_keys.includes(key));
  const address = nats_url_signed && readAddress(nats_url_signed, keys, now);
  if (address?.nats_url !== nats_url) return undefined;
  const isLater = Date.parse(address.at) > Date.parse(before.nats_url_at ?? "1970-01-01");
  return isLater ? address.at : undefined;
}

/** What `accept-hub` does: the running agent sees it with its next credential. */
export async function acceptHub(
  folder: string,
  { keys, url }: { keys: string[]; url: string | undefined },
): Promise<void> {
  const path = join(folder, ACCEPTED_HUB_FILE);
  const before = await readFile(path, acceptedSchema) ?? {};
  await writeFile(path, {
    ...before,
    dispatch_keys: [...new Set([...before.dispatch_keys ?? [], ...keys])],
    ...(url === undefined ? {} : { nats_url: url }),
  });
}

async function readFile<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.parse(JSON.parse(await Deno.readTextFile(path)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new Error(
      `Cannot read ${path}, where it is kept what is known of the hub. Mend it, or move it away: ` +
        "the hub then counts as new.",
      { cause: error },
    );
  }
}

async function writeFile(path: string, value: unknown): Promise<void> {
  await replaceFile(path, `${JSON.stringify(value, null, 2)}\n`);
}
