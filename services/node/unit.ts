/**
 * `deno task node --unit`: an agent as a service of systemd.
 * @module
 */
import { fileURLToPath } from "node:url";
import { systemdUnit } from "../../shared/command_line/systemd_unit.ts";

const USER = "sextant-node";
const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

export interface NodeUnitOptions {
  /** Of the configuration. */
  config: string;
  /** Journal and runs. */
  dataFolder: string;
}

export function nodeUnit({ config, dataFolder }: NodeUnitOptions): string {
  return systemdUnit({
    description: "Sextant node agent",
    command: [
      ...[Deno.execPath(), "run", "--allow-all", "--unstable-no-legacy-abort"],
      ...["--v8-flags=--max-semi-space-size=4", MAIN, "--config", config],
    ],
    workingFolder: fileURLToPath(new URL("../..", import.meta.url)),
    user: USER,
    stateFolder: USER,
    writes: [dataFolder],
    environmentFile: "/etc/sextant/node.env",
    stopSeconds: 30,
    // What the sandbox keeps algorithms off the network with.
    makesNamespaces: true,
    comments: [
      `useradd --system --home-dir /var/lib/${USER} --shell /usr/sbin/nologin ${USER}`,
      `install --directory --owner ${USER} --mode 0700 ${dataFolder}`,
      `chown ${USER} ${config}    # and the files that it names: data, keys`,
      `deno task node --unit --config ${config} > /etc/systemd/system/sextant-node.service`,
      "systemctl daemon-reload && systemctl enable --now sextant-node",
      "For container images, add to [Service]: SupplementaryGroups=docker (or that of the engine's socket)",
    ],
  });
}
