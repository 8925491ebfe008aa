import type { FinalStatus } from "../../../shared/node_protocol/status.ts";

/** Why a run cannot even begin, in a sentence for the researcher. */
export class CannotStart extends Error {
  override name = "CannotStart";
  constructor(message: string, readonly status: FinalStatus = "start failed") {
    super(message);
  }
}
