/**
 * The configuration of a new node, as its owner begins with it.
 * @module
 */

/** `node.yaml` for the hub at this address. The key is the secret in it. */
export function nodeFile({ hubUrl, apiKey }: { hubUrl: string; apiKey: string }): string {
  const { protocol, hostname, port, pathname } = new URL(hubUrl);
  const prefix = pathname.replace(/\/$/, "");
  return `api_key: ${apiKey}
server_url: ${protocol}//${hostname}
port: ${port || (protocol === "https:" ? 443 : 80)}
${prefix === "" ? "" : `api_path: ${prefix}/api\n`}databases:
  - label: default
    uri: patients.csv # relative to this file
    type: csv
policies:
  allowed_algorithms: [] # for example deno:average@1.0.0
disclosure:
  profile: datashield # what results may tell
`;
}

export const START_NODE = "deno task node --config node.yaml";
