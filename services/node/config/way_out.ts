/**
 * The options of node.yaml that say how the agent gets out: through which proxy, and which
 * authorities it trusts. The variables that other programs heed stand in for what is not said.
 * @module
 */
import { X509Certificate } from "node:crypto";
import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";
import { splitNoProxy } from "../hub/no_proxy.ts";
import { shownProxy, type WayOutSettings } from "../hub/way_out.ts";
import { listOf, option } from "./option_types.ts";
import type { ReadSecretOptions } from "./secrets.ts";

/** No proxy, whatever the variables say. */
const NONE = "none";

/** Options at the top of the file. */
export const wayOutShape = {
  proxy: option.superRefine((text, context) => {
    const problem = text === NONE ? undefined : problemOf(text);
    if (problem) context.addIssue({ code: "custom", message: problem });
  }).optional(),
  no_proxy: listOf(option.transform(splitNoProxy)).transform((lists) => lists.flat()).optional(),
  ca: listOf(option).optional(),
};

type Options = z.infer<z.ZodObject<typeof wayOutShape>>;

/** In this order, the first that is set counts; curl's and Deno's names. */
const SECURE = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const PLAIN = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
const DIRECT = ["NO_PROXY", "no_proxy"];
/** Names of files: OpenSSL's, Deno's and Node.js's. All that are set count. */
const AUTHORITIES = ["SSL_CERT_FILE", "DENO_CERT", "NODE_EXTRA_CA_CERTS"];

/** How the agent gets out; what is wrong with it goes to `problems`. */
export async function wayOutOf(
  { proxy, no_proxy, ca }: Options,
  { env, absolute, problems }: ReadSecretOptions,
): Promise<WayOutSettings> {
  function fromVariable(names: readonly string[]): URL | undefined {
    const name = names.find((one) => env[one]);
    if (name === undefined) return undefined;
    const problem = problemOf(env[name]!);
    if (problem === undefined) return addressOf(env[name]!);
    problems.push(`the variable ${name} ${problem}`);
  }
  const own = proxy === undefined || proxy === NONE ? undefined : addressOf(proxy);
  const variable = (names: readonly string[]) => proxy === undefined ? fromVariable(names) : own;
  const direct = DIRECT.map((name) => env[name]).find((text) => text);
  const files = ca
    ? ca.map((path) => ({ what: "ca", path: absolute(path) }))
    : AUTHORITIES.filter((name) => env[name]).map((name) => (
      { what: `the variable ${name}`, path: env[name]! }
    ));
  const authorities: string[] = [];
  for (const { what, path } of files) {
    try {
      authorities.push(await readAuthorities(path));
    } catch (error) {
      problems.push(`${what} cannot be used: ${messageOf(error)}`);
    }
  }
  return {
    secureProxy: variable(SECURE),
    plainProxy: variable(PLAIN),
    noProxy: no_proxy ?? splitNoProxy(direct ?? ""),
    authorities,
  };
}

/** curl takes an address without a scheme for one of HTTP. */
function addressOf(text: string): URL | undefined {
  return URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`) ?? undefined;
}

/** What is wrong with the address of a proxy, without its password; `undefined`: nothing. */
function problemOf(text: string): string | undefined {
  const url = addressOf(text);
  const example = "such as http://proxy.example:3128, or http://name:password@proxy.example:3128";
  if (!url?.host) return `must be the address of a proxy, ${example}`;
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return `names a proxy of another kind (${url.protocol}); it must be one of HTTP, ${example}`;
  }
  if (url.pathname !== "/" || url.search) {
    return `must not have a path (${shownProxy(url)}); write / ? # in a password as %2F %3F %23`;
  }
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    return "has a name or password with a % that is no escape; write it as %25";
  }
}

/** The certificates of a PEM file, each of which can be read. */
async function readAuthorities(path: string): Promise<string> {
  const text = await Deno.readTextFile(path);
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END/g) ?? [];
  if (certificates.length === 0) throw new Error(`${path} holds no certificate in PEM`);
  const each = certificates.map((one) => `${one} CERTIFICATE-----\n`);
  for (const [index, pem] of each.entries()) {
    try {
      new X509Certificate(pem);
    } catch (error) {
      throw new Error(`certificate ${index + 1} of ${path} cannot be read: ${messageOf(error)}`);
    }
  }
  return each.join("");
}
