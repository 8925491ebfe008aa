/**
 * The page's worker for results: it alone has the organization's private key, in its memory, and
 * nothing here stores it or sends it.
 * @module
 */
import type { PageCalls } from "./calls.ts";
import { createHolder } from "./holder.ts";
import { connect, type Port, type Remote } from "./port.ts";

const page: Remote<PageCalls> = connect(self as unknown as Port, createHolder(() => page));
