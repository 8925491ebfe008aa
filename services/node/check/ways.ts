/**
 * The part of `deno task node check` about the ways to the hub: each that the agent uses is tried
 * as it uses it.
 * @module
 */
import { probeBroker } from "../../../shared/broker/probe.ts";
import { newUserKey } from "../../../shared/broker/signing.ts";
import { uploadedBlobSchema } from "../../../shared/node_protocol/blobs.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import type { NodeConfig } from "../config/config.ts";
import { readableFormats } from "../encryption/formats.ts";
import { createHub, type Hub, type NodeIdentity, WrongKeyError } from "../hub/hub.ts";
import { networkReason } from "../hub/network_reason.ts";
import { createWayOut, type WayOut } from "../hub/way_out.ts";
import { collect } from "../payload/pieces.ts";
import { type Finding, finding } from "./finding.ts";
import { checkStores } from "./stores.ts";

const PATIENCE_MS = 10_000;
/** A clock that is further off makes tokens seem expired or not yet valid. */
const CLOCK_MS = 30_000;
/** Above what goes in a message, and little enough to be no burden. */
const PROBE_BYTES = 64 * 1024;

/** Yields what is found; returns who the node is, if it could log in. */
export async function* checkWays(
  config: NodeConfig,
): AsyncGenerator<Finding, NodeIdentity | undefined> {
  const wayOut = createWayOut(config.wayOut);
  try {
    const { api, apiKey } = config;
    yield describeWay(api, wayOut, config);
    const answers: boolean = yield* checkApi(api, wayOut);
    if (!answers) return undefined;
    let trouble: string | undefined;
    // What it was that made one wait too long.
    const why = (error: unknown) => trouble ?? messageOf(error);
    const hub = createHub({
      api,
      apiKey,
      // As the agent says it, in whose place this logs in.
      payloadFormats: readableFormats(config),
      wayOut,
      log: silentLogger,
      onTrouble: (reason) => trouble = reason,
    });
    let identity: NodeIdentity;
    try {
      identity = await hub.whoAmI(AbortSignal.timeout(PATIENCE_MS));
    } catch (error) {
      if (error instanceof WrongKeyError) trouble = undefined;
      const remedy = error instanceof WrongKeyError ? "" : "; try again when the hub is well";
      yield finding("API key", false, why(error) + remedy);
      return undefined;
    }
    yield finding("API key", true, `this is node ${identity.id}, "${identity.name}"`);
    yield await checkBroker(hub, { wayOut, why });
    yield await checkPayloads(hub, why);
    yield* checkStores(config, { hub, fetch: wayOut.fetch, patienceMs: PATIENCE_MS });
    return identity;
  } finally {
    wayOut.close();
  }
}

function describeWay(
  api: string,
  wayOut: WayOut,
  { wayOut: { authorities } }: NodeConfig,
): Finding {
  const proxy = wayOut.proxyOf(api);
  const way = proxy ? `through the proxy ${proxy}` : "directly, through no proxy";
  const trusted = authorities.length > 0 ? "; trusts the public authorities and those of ca" : "";
  return finding("way out", true, `to ${api} ${way}${trusted}`);
}

/** Returns whether the API answers. */
async function* checkApi(api: string, wayOut: WayOut): AsyncGenerator<Finding, boolean> {
  const name = "connection";
  const signal = AbortSignal.timeout(PATIENCE_MS);
  let response: Response;
  try {
    response = await wayOut.fetch(`${api}/version`, { signal });
    await response.body?.cancel();
  } catch (error) {
    const reason = networkReason(messageOf(error), wayOut.proxyOf(api));
    const remedy = "check server_url, port and api_path, and proxy, no_proxy and ca";
    yield finding(name, false, `no answer from ${api}: ${reason}; ${remedy}`);
    return false;
  }
  const { ok, status, headers } = response;
  const refusal = networkReason(`unexpected server response: ${status}`, wayOut.proxyOf(api));
  const note = ok ? `${api} answers` : `${api}: ${refusal}; is api_path right?`;
  yield finding(name, ok, note);
  if (ok) yield checkClock(headers.get("date"));
  return ok;
}

function checkClock(date: string | null): Finding {
  if (date === null) return finding("clock", true, "the hub does not tell its time");
  const off = Date.now() - Date.parse(date);
  const note = `${Math.abs(Math.round(off / 1000))} s ${off > 0 ? "ahead of" : "behind"} the hub's`;
  return Math.abs(off) < CLOCK_MS
    ? finding("clock", true, note)
    : finding("clock", false, `${note}; set the clock, best by NTP`);
}

/**
 * Opens the WebSocket and leaves once the broker has greeted, so that no agent seems to be there.
 */
async function checkBroker(
  hub: Hub,
  { wayOut, why }: { wayOut: WayOut; why: (error: unknown) => string },
): Promise<Finding> {
  const name = "broker";
  let url: string;
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    url = (await hub.brokerCredential(newUserKey().publicKey, signal)).nats_url;
  } catch (error) {
    return finding(name, false, `no credential for it: ${why(error)}`);
  }
  try {
    await probeBroker(url, { way: wayOut.socketOptions(url), timeoutMs: PATIENCE_MS });
    return finding(name, true, `${url} answers`);
  } catch (error) {
    const reason = networkReason(messageOf(error), wayOut.proxyOf(url));
    const remedy = "a proxy or firewall between must let WebSockets through";
    return finding(name, false, `no answer from ${url}: ${reason}; ${remedy}`);
  }
}

/** Sends something as a large result is sent, and fetches it as a large input is. */
async function checkPayloads(hub: Hub, why: (error: unknown) => string): Promise<Finding> {
  const name = "large payloads";
  const random = crypto.getRandomValues(new Uint8Array(PROBE_BYTES / 2)).toHex();
  const bytes = new TextEncoder().encode(random);
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    const { uuid } = await hub.request("/blobstream", uploadedBlobSchema, {
      method: "POST",
      content: {
        size: bytes.length,
        async *pieces() {
          yield bytes;
        },
      },
      signal,
    });
    const back = await collect(hub.download(uuid, { signal }));
    if (new TextDecoder().decode(back) !== random) {
      return finding(name, false, "what came back from the hub is not what was sent there");
    }
    return finding(name, true, `${PROBE_BYTES / 1024} KiB went to the hub and came back`);
  } catch (error) {
    return finding(
      name,
      false,
      `cannot be sent and fetched, though the API answers: ${why(error)}; ` +
        "a proxy or firewall between must let uploads through",
    );
  }
}
