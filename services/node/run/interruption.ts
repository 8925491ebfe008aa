/** Why an attempt is to end before its time: the reason with which its signal is aborted. */
export class Interruption extends Error {
  override name = "Interruption";

  /**
   * `killed`: a user wants it; the hub hears that it was done. `unwanted`: the hub wants no more of
   * it. `stopping`: the agent ends, and what it runs with it. `handed over`: the agent ends; what
   * can outlive it goes on, for the next one to take up.
   */
  constructor(
    readonly kind: "killed" | "unwanted" | "stopping" | "handed over",
    message: string,
  ) {
    super(message);
  }
}

/** Whether an attempt that is interrupted for this reason goes on if it can. */
export function isHandedOver(reason: unknown): boolean {
  return reason instanceof Interruption && reason.kind === "handed over";
}
