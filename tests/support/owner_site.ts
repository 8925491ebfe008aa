/**
 * A node with something on its owner's page: held results, runs that ended, one that was refused.
 * @module
 */
import { runPage } from "../../services/node/page/page_command.ts";
import { waitFor } from "../harness.ts";
import { API_KEY, type HeldResult, type HubDouble, startHubDouble } from "./hub_double.ts";
import { type AgentProcess, nodeFolder, startAgentProcess } from "./node_agent.ts";

export interface OwnerSite {
  hub: HubDouble;
  dataFolder: string;
  configPath: string;
  /** Of the page, without a key. */
  address: string;
  agent: AgentProcess;
  /** A new link to the page. */
  link(): Promise<string>;
  /** Computes a mean, which is held. */
  hold(): Promise<HeldResult>;
}

/** What is asked for and held. */
const HELD_WORK = {
  image: "deno:test@1.0",
  input: { method: "mean", kwargs: { column: "age" } },
  databases: ["default"],
};

/** A hub's double and a real agent; `options` are those of its node.yaml. */
export async function withOwnerSite(
  use: (site: OwnerSite) => Promise<void>,
  options: Record<string, unknown> = {},
  { hasPage = true } = {},
): Promise<void> {
  const hub = await startHubDouble();
  const folder = await nodeFolder(hub, API_KEY, {
    disclosure: { profile: "datashield", unlisted: "hold" },
    ...options,
  });
  const dataFolder = `${folder.path}/node-data`;
  const agent = startAgentProcess(folder.configPath);
  async function link(): Promise<string> {
    const { text, code } = await runPage(dataFolder);
    if (code !== 0) throw new Error(text);
    return text.split("\n")[0]!;
  }
  try {
    await agent.ready;
    await use({
      hub,
      dataFolder,
      configPath: folder.configPath,
      agent,
      address: hasPage ? (await link()).split("#")[0]! : "",
      link,
      async hold() {
        const result = await hub.post(HELD_WORK);
        await waitFor(() => result.heldSince !== null, { what: "the result to be held" });
        return result;
      },
    });
  } finally {
    await agent.kill9();
    await hub.stop();
    await folder.remove();
  }
}
