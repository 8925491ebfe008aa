/**
 * Options of v6's nodes that mean nothing here: why, and what to do instead.
 * @module
 */

const WHOLE_LOG =
  "the agent writes one JSON object a line on standard error, and what starts it keeps that";

const ADVICE: Readonly<Record<string, string>> = {
  images: "the node starts no containers of its own whose images could be chosen",
  vpn_subnet: "there is no VPN between algorithms; let them exchange what they need by subtasks",
  node_extra_env:
    "the agent is a process of this machine: set its variables where it is started, " +
    "those of algorithms in algorithm_env, and a proxy in proxy",
  node_extra_mounts:
    "the agent is a process of this machine: it reads what its account may read; " +
    "name files by their own path",
  node_extra_hosts: "the agent uses this machine's own name resolution: use /etc/hosts",
  debug: "use logging: { level: DEBUG }",
  "logging.use_console": WHOLE_LOG,
  "logging.backup_count": WHOLE_LOG,
  "logging.max_size": WHOLE_LOG,
  "logging.format": WHOLE_LOG,
  "logging.datefmt": WHOLE_LOG,
  "logging.file": WHOLE_LOG,
  "logging.loggers": WHOLE_LOG,
};

/** What to tell somebody who sets the option of this name; nothing for what no node has. */
export function adviceOnV6Option(option: string): string | undefined {
  return Object.hasOwn(ADVICE, option) ? ADVICE[option] : undefined;
}
