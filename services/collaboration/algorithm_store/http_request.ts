/**
 * One HTTP request to an address that has been judged: the connection goes to one of the given IP
 * addresses, and the host's name is not resolved again. `fetch` would resolve it once more, and a
 * name server that answers differently each time (DNS rebinding) would lead it anywhere.
 *
 * Redirects are not followed, and no more is read of an answer than 1 MiB.
 * @module
 */
import { Buffer } from "node:buffer";
import { type IncomingMessage, request as requestHttp, type RequestOptions } from "node:http";
import { request as requestHttps } from "node:https";
import { isIPv6 } from "node:net";

export interface JudgedRequest {
  url: URL;
  /** Where the URL's host is. */
  addresses: string[];
  method: string;
  headers: Record<string, string>;
  body?: string | undefined;
  timeoutMs: number;
}

export interface HttpAnswer {
  status: number;
  text: string;
}

/** An algorithm comes with the description of all its functions. */
const ANSWER_LIMIT = 1024 * 1024;

/** Sends it; rejects when the server cannot be reached, or does not finish in time. */
export async function requestJudged(
  { url, addresses, method, headers, body, timeoutMs }: JudgedRequest,
): Promise<HttpAnswer> {
  const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  const length = body === undefined ? {} : { "content-length": `${Buffer.byteLength(body)}` };
  const options: RequestOptions = {
    method,
    headers: { ...headers, ...length, "accept-encoding": "identity", connection: "close" },
    agent: false,
    signal: AbortSignal.timeout(timeoutMs),
    lookup(_host, { all }, callback) {
      if (all) callback(null, found);
      else callback(null, found[0]!.address, found[0]!.family);
    },
  };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sending = (url.protocol === "https:" ? requestHttps : requestHttp)(url, options, resolve);
  sending.on("error", reject);
  sending.end(body);
  try {
    const answer = await promise;
    return { status: answer.statusCode!, text: await readSome(answer) };
  } finally {
    sending.destroy();
  }
}

async function readSome(answer: IncomingMessage): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of answer) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > ANSWER_LIMIT) break;
  }
  return text;
}
