import * as operator from "../../collaboration/operator.ts";
import { ShellError } from "../errors.ts";
import { counted } from "../show/words.ts";
import { back, createdAt, date, describeModel, id, one, secret, text } from "./description.ts";

export const node = describeModel({
  name: "Node",
  service: "collaboration",
  meaning: "The agent at a data station: one organization's, in one collaboration.",
  fields: {
    id,
    name: text("unique", { required: true }),
    status: text("online or offline", { readOnly: true }),
    lastSeen: date("when it last came or went", { readOnly: true }),
    ip: text("the address it gave", { readOnly: true }),
    createdAt,
    apiKey: secret("made by save() unless given; shown once, since only a digest is stored"),
  },
  relations: {
    organization: one("Organization", "whose data it works on; a member of the collaboration", {
      required: true,
    }),
    collaboration: one("Collaboration", "for which it works", { required: true }),
    results: back("Result", "what it was asked to compute"),
  },
  key: "name",
  methods: {
    resetApiKey: {
      usage: "resetApiKey()",
      meaning: "a new key at once: whoever holds the old one is cut off",
      async call(target) {
        if (target.id === undefined) {
          throw new ShellError("Node: it has no key yet; save() makes one");
        }
        target.apiKey = crypto.randomUUID();
        return await target.save();
      },
    },
  },
  create: operator.createNode,
  update: operator.updateNode,
  remove: operator.removeNode,
  async dependents({ task }, id) {
    const [open] = await task<{ unfinished_results: number }[]>`
      select count(*)::integer as unfinished_results from result
      where node_id = ${id} and finished_at is null`;
    return { later: counted({ ...open }).map((one) => `${one}, which will be failed`) };
  },
});
