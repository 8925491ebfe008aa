/**
 * The nouns by which the description of the API is grouped, in the order of its page, with a
 * sentence on each.
 * @module
 */
export const NOUNS = {
  token: "Log-in: access and refresh tokens, of users, nodes and the algorithms that nodes run.",
  session: "One's own log-ins that go on, beyond v6's API.",
  password: "One's own password, and ways back in for who has lost it or the second factor.",
  organization: "The parties: each with its own users, nodes and data.",
  user: "People who may log in.",
  role: "Named sets of rules that users can have.",
  rule: "The rights there are: an operation on a resource, within a scope.",
  collaboration: "Organizations that agreed to compute together.",
  study: "Some of the organizations of a collaboration, as the place of tasks.",
  node: "The agents at the data stations.",
  algorithm: "What may run at which nodes, with what it says of itself, beyond v6's API.",
  algorithmstore: "Lists of approved algorithms, kept elsewhere.",
  task: "Computations: an algorithm, its input, and the organizations that take part.",
  run: "What is known of an organization's share of a task: status, times, log.",
  result: "What an organization's share of a task resulted in.",
  column: "The columns of databases, as nodes tell them.",
  blobstream: "Large inputs and results, uploaded and downloaded on their own.",
  kill: "Ending what runs.",
  port: "Ports of algorithms that talk to one another.",
  event: "What happens, as it happens.",
  metrics: "Figures for monitoring.",
  audit: "The record of every change and refusal, beyond v6's API.",
  hub: "The hub itself: version, health, description of the API.",
} as const;

const GROUPED: Record<string, keyof typeof NOUNS> = {
  "jwks.json": "token",
  recover: "password",
  events: "event",
  version: "hub",
  health: "hub",
  "openapi.json": "hub",
  docs: "hub",
};

/** The noun that a path is about: `/api/user/:id` is about `user`. */
export function nounOf(path: string): string {
  const part = path.split("/")[2] ?? "hub";
  return GROUPED[part] ?? part;
}
