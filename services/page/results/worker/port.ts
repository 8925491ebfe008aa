/**
 * Calls between the page and its worker, in both directions.
 * @module
 */

/** What one side offers the other: functions of one argument by name. */
// deno-lint-ignore no-explicit-any -- each call has types of its own
export type Calls = Record<string, (given: any) => unknown>;

/** The page's `Worker`, or what a worker calls `self`. */
export interface Port {
  postMessage(message: unknown): void;
  addEventListener(type: "message", hear: (event: MessageEvent) => void): void;
}

interface Asked {
  call: number;
  name: string;
  given: unknown;
}
type Message =
  | Asked
  | { answer: number; value: unknown }
  | { answer: number; error: { name: string; message: string } };

export interface Remote<Offered extends Calls> {
  call<Name extends keyof Offered & string>(
    name: Name,
    given: Parameters<Offered[Name]>[0],
  ): Promise<Awaited<ReturnType<Offered[Name]>>>;
  /** Rejects whatever is not answered yet. */
  end(reason: Error): void;
}

/** Answers what the other side asks by `own`, and asks it. */
export function connect<Offered extends Calls>(port: Port, own: Calls): Remote<Offered> {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let calls = 0;

  async function answer({ call, name, given }: Asked): Promise<void> {
    try {
      const offered = Object.hasOwn(own, name) ? own[name] : undefined;
      if (!offered) throw new Error(`There is no "${name}".`);
      port.postMessage({ answer: call, value: await offered(given) });
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      port.postMessage({ answer: call, error: { name, message } });
    }
  }

  port.addEventListener("message", ({ data }) => {
    const message = data as Message;
    if ("call" in message) return void answer(message);
    const asked = waiting.get(message.answer);
    waiting.delete(message.answer);
    if (!("error" in message)) return asked?.resolve(message.value);
    const error = new Error(message.error.message);
    error.name = message.error.name;
    asked?.reject(error);
  });

  return {
    call(name, given) {
      const call = ++calls;
      const asked = Promise.withResolvers<unknown>();
      waiting.set(call, asked);
      port.postMessage({ call, name, given });
      return asked.promise as never;
    },
    end(reason) {
      for (const { reject } of waiting.values()) reject(reason);
      waiting.clear();
    },
  };
}
