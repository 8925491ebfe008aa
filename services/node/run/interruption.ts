/** Why an attempt is to end before its time: the reason with which its signal is aborted. */
export class Interruption extends Error {
  override name = "Interruption";

  /**
   * `killed`: a user wants it; the hub hears that it was done. `unwanted`: the hub wants no more of
   * it. `stopping`: the agent ends.
   */
  constructor(readonly kind: "killed" | "unwanted" | "stopping", message: string) {
    super(message);
  }
}
