/**
 * HTTP over NATS: a hub service opens no port, it answers requests on `http.<service>`.
 *
 * A request whose body fits one message costs one NATS request and one answer. Larger bodies go in
 * numbered chunks, both ways at once when need be. The receiver grants the sender a window and
 * moves it on as the body is read, so memory stays bounded whatever the size.
 *
 * ```
 * client                                          service (one queue group, any number of replicas)
 *   REQUEST meta, first bytes ─ http.<service> ─▶   one replica takes it
 *                  ◀─ inbox of the exchange ─────   ALIVE (its name; window): within 2 s, then
 *                                                     every 5 s
 *   DATA … END, ALIVE, ABORT ── http.<service>.<replica>.<exchange> ─▶
 *                  ◀─ inbox of the exchange ─────   HEAD meta, first bytes; DATA … END or ABORT
 * ```
 *
 * Every frame carries how many chunks its sender has sent and how many it accepts, so a lost
 * message shows as a gap and fails the exchange; nothing is ever silently shortened. A side that
 * hears nothing for 15 s gives up. A request that reached no replica is sent again for two seconds,
 * which is safe for any method. One that only reads and of which nothing was heard for three
 * seconds is asked once more: the replica that took it was killed.
 *
 * `client.ts` and `serve.ts` hold a process's connection and all that is under way on it;
 * `client_exchange.ts` and `server_exchange.ts` one request each, over the few things they need of
 * it; `due.ts` decides what its times ask for; `body.ts` moves bodies; `frames.ts` is the messages.
 * @module
 */
export { createHttpClient, type HttpClient, type HttpClientOptions } from "./client.ts";
export { type HttpServer, serveHttp, type ServeHttpOptions } from "./serve.ts";
