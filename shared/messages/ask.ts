/**
 * Questions between the hub services, typed by the closed list in `rpc_methods.ts`.
 * @module
 */
import type { z } from "zod";
import { asUnavailable } from "../storage/db.ts";
import type { Logger } from "../service/log.ts";
import type { Tracer } from "../tracing/tracer.ts";
import { callRpc, type CallRpcOptions, type RpcMethod, type RpcServer, serveRpc } from "./rpc.ts";
import { type Ask, RPC_METHODS, type RpcHandlers } from "./questions.ts";
import type { BrokerConnection } from "../broker/connection.ts";
import type { HubService } from "../broker/subjects.ts";

interface Declared {
  input: z.ZodType;
  output: z.ZodType;
}

function methodsOf(service: HubService): Record<string, Declared> {
  return RPC_METHODS[service];
}

/** The function with which a service asks the others. */
export function createAsk(nc: BrokerConnection, options: CallRpcOptions = {}): Ask {
  const ask = (service: HubService, method: string, input: unknown) =>
    callRpc(nc, service, method, input, methodsOf(service)[method]!.output, options);
  return ask as Ask;
}

/** Answers the questions of the other services. */
export function serveAnswers<Service extends HubService>(
  nc: BrokerConnection,
  service: Service,
  handlers: RpcHandlers<Service>,
  options: { log: Logger; tracer?: Tracer },
): RpcServer {
  const answering = Object.entries(
    handlers as Record<string, (input: unknown) => Promise<unknown>>,
  );
  const methods = answering.map(([name, handle]): [string, RpcMethod] => [name, {
    input: methodsOf(service)[name]!.input,
    async handler(input) {
      try {
        return await handle(input);
      } catch (error) {
        throw asUnavailable(error);
      }
    },
  }]);
  return serveRpc(nc, service, Object.fromEntries(methods), options);
}
