/**
 * A unit for systemd: a program of its own user, with no right that it does not need, started again
 * when it dies.
 * @module
 */

export interface UnitOptions {
  description: string;
  /** The program and its arguments. */
  command: string[];
  /** The checkout. */
  workingFolder: string;
  /** The account, and the group of the same name. */
  user: string;
  /** Below /var/lib, and made by systemd; the user's home and Deno's cache are there. */
  stateFolder: string;
  /** Folders outside of it that the program writes to. */
  writes?: string[];
  /** A file with variables, which need not be there. */
  environmentFile: string;
  /** How long it may take to stop in order. */
  stopSeconds: number;
  /**
   * Whether the program makes namespaces for what it runs. The kernel lets nobody but root do that
   * where parts of /proc are hidden or made read-only.
   */
  makesNamespaces?: boolean;
  /** Further lines of the section `[Service]`. */
  service?: string[];
  /** For the reader: what to do with it. */
  comments: string[];
}

/** The text of the unit. */
export function systemdUnit(options: UnitOptions): string {
  const { user, stateFolder, writes = [], makesNamespaces = false, service = [] } = options;
  const state = `/var/lib/${stateFolder}`;
  return [
    ...options.comments.map((line) => `# ${line}`),
    "",
    "[Unit]",
    `Description=${escaped(options.description)}`,
    "Wants=network-online.target",
    "After=network-online.target",
    // It starts what dies of itself; a start that fails at once, again and again, is given up.
    "StartLimitIntervalSec=600",
    "StartLimitBurst=10",
    "",
    "[Service]",
    "Type=exec",
    `User=${user}`,
    `Group=${user}`,
    `WorkingDirectory=${escaped(options.workingFolder)}`,
    `ExecStart=${options.command.map(quoted).join(" ")}`,
    `StateDirectory=${stateFolder}`,
    "StateDirectoryMode=0711",
    `Environment=HOME=${state} DENO_DIR=${state}/deno DENO_NO_UPDATE_CHECK=1 NO_COLOR=1`,
    `EnvironmentFile=-${escaped(options.environmentFile)}`,
    "Restart=on-failure",
    "RestartSec=5",
    // The program first, in its own order; what is left after that at once.
    "KillMode=mixed",
    `TimeoutStopSec=${options.stopSeconds}`,
    "LimitNOFILE=65536",
    "TasksMax=8192",
    "MemoryMax=90%",
    "UMask=0077",
    ...service,
    "",
    "NoNewPrivileges=true",
    "CapabilityBoundingSet=",
    "ProtectSystem=strict",
    // Where the programs themselves are in somebody's home, that can be read.
    `ProtectHome=${isInHome([...options.command, ...writes]) ? "read-only" : "true"}`,
    ...writes.length > 0 ? [`ReadWritePaths=${writes.map(quoted).join(" ")}`] : [],
    "PrivateTmp=true",
    "ProtectHostname=true",
    "ProtectClock=true",
    "ProtectKernelModules=true",
    "ProtectControlGroups=true",
    "RestrictRealtime=true",
    "RestrictSUIDSGID=true",
    "LockPersonality=true",
    "SystemCallArchitectures=native",
    ...makesNamespaces ? [] : [
      "PrivateDevices=true",
      "ProtectKernelTunables=true",
      "ProtectKernelLogs=true",
      "ProtectProc=invisible",
      "RestrictNamespaces=true",
      "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    ],
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");
}

/** systemd reads what follows a percent sign. */
const escaped = (text: string) => text.replaceAll("%", "%%");

/** One word of a command line, whatever is in it. */
function quoted(word: string): string {
  if (/^[\w./:@=,+-]+$/.test(word)) return word;
  const text = word.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("$", "$$$$");
  return `"${escaped(text)}"`;
}

const isInHome = (paths: string[]) => paths.some((path) => /^\/(home|root|run\/user)\//.test(path));
