/**
 * `deno task up --unit`: the hub as a service of systemd.
 * @module
 */
import { systemdUnit } from "../../shared/command_line/systemd_unit.ts";
import { ROOT } from "./service_part.ts";

const USER = "sextant";
const STATE = "sextant";

export interface HubUnitOptions {
  /** The data folder; below /var/lib/sextant unless given. */
  data: string | undefined;
  /** What else `deno task up` was given, with whole paths. */
  args: string[];
  /** Folders besides, which it writes to. */
  writes?: string[];
  /** Whether nodes are started, too: they make namespaces for algorithms. */
  withNodes?: boolean;
}

export function hubUnit(
  { data, args, writes: others = [], withNodes = false }: HubUnitOptions,
): string {
  const writes = [...data === undefined ? [] : [data], ...others];
  return systemdUnit({
    description: "Sextant hub",
    command: [Deno.execPath(), "run", "--allow-all", `${ROOT}services/stack/main.ts`, "up"].concat(
      "--data",
      data ?? `/var/lib/${STATE}/hub`,
      args,
    ),
    workingFolder: ROOT,
    user: USER,
    stateFolder: STATE,
    writes,
    makesNamespaces: withNodes,
    environmentFile: "/etc/sextant/hub.env",
    // Four tiers, each of which may take ten seconds.
    stopSeconds: 60,
    comments: [
      `useradd --system --home-dir /var/lib/${STATE} --shell /usr/sbin/nologin ${USER}`,
      ...writes.map((folder) => `install --directory --owner ${USER} --mode 0711 ${folder}`),
      `chmod -R o+rX ${ROOT}    # and every folder above it`,
      "deno task up --unit > /etc/systemd/system/sextant-hub.service",
      "systemctl daemon-reload && systemctl enable --now sextant-hub",
      "journalctl --unit sextant-hub    # shows the first administrator's password, once",
      "Variables such as SEXTANT_SMTP_HOST go into /etc/sextant/hub.env, which root alone should read.",
    ],
  });
}
