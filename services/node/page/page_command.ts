/**
 * `deno task node page`: a new link to the owner's page. Only the account of the agent can make
 * one.
 * @module
 */
import { messageOf } from "../../../shared/service/errors.ts";
import { isAgentThere, readStatus } from "../record/agent_status.ts";
import { linkTo } from "./address.ts";
import { LINK_MS, makeLink } from "./links.ts";

/** A link, or why there is none. */
export async function runPage(dataFolder: string): Promise<{ text: string; code: number }> {
  const page = (await readStatus(dataFolder))?.page;
  if (!await isAgentThere(dataFolder) || !page) {
    return { text: "The agent does not run, and the page with it.", code: 1 };
  }
  if (page.address === null) return { text: `The page is not there: ${page.problem}.`, code: 1 };
  try {
    const link = linkTo(page.address, await makeLink(dataFolder));
    const { port } = new URL(page.address);
    const text = `${link}\nIt lets in once, within ${LINK_MS / 60_000} minutes, on this machine. ` +
      `From another one:\n  ssh -N -L ${port}:127.0.0.1:${port} this-machine`;
    return { text, code: 0 };
  } catch (error) {
    const advice = "run this as the account of the agent";
    return { text: `Cannot make a link: ${messageOf(error)}; ${advice}.`, code: 1 };
  }
}
