import type { TestStack } from "../harness.ts";
import type { Site } from "../site.ts";

/** What every benchmark is given. */
export interface BenchContext {
  stack: TestStack;
  /** Two organizations whose nodes are online. */
  site: Site;
  /** A tenth of the size where that takes long: to see that it works, not to compare. */
  quick: boolean;
}
