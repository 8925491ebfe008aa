/**
 * Why something on the network could not be reached, in words that tell its owner what to do. Two
 * network stacks say it in two ways.
 * @module
 */

/** What a message shows, and what is to be done then; the first that fits counts. */
const ADVICE: [shows: RegExp, advice: (proxy: string | undefined) => string | undefined][] = [
  [
    /UnknownIssuer|unable to verify the first certificate|self[- ]signed certificate|get (local )?issuer cert/i,
    () =>
      "the certificate is of an authority that is not known here; name the authority's own in ca",
  ],
  [
    /proxy authentication required|\b407\b/i,
    (proxy) =>
      `${theProxy(proxy)} wants a name and password, or does not take these; ` +
      "they stand in its address: http://name:password@host:port",
  ],
  [
    /unsuccessful tunnel|unexpected server response: [45]/i,
    (proxy) => proxy && `${theProxy(proxy)} does not let it through`,
  ],
  [
    /refused|ENOTFOUND|dns error|unreachable|ETIMEDOUT|EHOST/i,
    (proxy) => proxy && `it is ${theProxy(proxy)} that cannot be reached`,
  ],
];

/** `text` is the error's own; `proxy` is the one on the way there. */
export function networkReason(text: string, proxy: string | undefined): string {
  const plain = text.replace(/^client error \(Connect\): /, "");
  for (const [shows, adviceOn] of ADVICE) {
    const advice = shows.test(plain) ? adviceOn(proxy) : undefined;
    if (advice) return `${plain} (${advice})`;
  }
  return proxy ? `${plain} (through ${theProxy(proxy)})` : plain;
}

function theProxy(proxy: string | undefined): string {
  return proxy ? `the proxy ${proxy}` : "a proxy";
}
