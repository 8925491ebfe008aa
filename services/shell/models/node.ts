import { sha256Hex } from "../../../shared/service/digest.ts";
import type { Description, Row } from "../description.ts";
import { ShellError } from "../errors.ts";
import { counted } from "../words.ts";

export const node: Description = {
  name: "Node",
  service: "collaboration",
  table: "node",
  meaning: "The agent at a data station: one organization's, in one collaboration.",
  fields: {
    id: {
      column: "id",
      type: "integer",
      readOnly: true,
      meaning: "number, given when it is saved",
    },
    name: { column: "name", type: "text", required: true, meaning: "unique" },
    status: { column: "status", type: "text", readOnly: true, meaning: "online or offline" },
    lastSeen: {
      column: "last_seen",
      type: "date",
      readOnly: true,
      meaning: "when it last came or went",
    },
    ip: { column: "ip", type: "text", readOnly: true, meaning: "the address it gave" },
    createdAt: { column: "created_at", type: "date", readOnly: true, meaning: "when it was made" },
  },
  virtuals: {
    apiKey: {
      type: "text",
      settable: true,
      hidden: true,
      meaning: "made by save() unless given; shown once, since only a digest is stored",
    },
  },
  relations: {
    organization: {
      kind: "one",
      model: "Organization",
      column: "organization_id",
      required: true,
      meaning: "whose data it works on; a member of the collaboration",
    },
    collaboration: {
      kind: "one",
      model: "Collaboration",
      column: "collaboration_id",
      required: true,
      meaning: "for which it works",
    },
    results: {
      kind: "back",
      model: "Result",
      column: "node_id",
      meaning: "what it was asked to compute",
    },
  },
  key: "name",
  lookups: { getByName: ["name"] },
  notes: [],
  statics: {},
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
  async prepare({ given, columns, before, once }) {
    if (!before || given.has("apiKey")) {
      const key = given.get("apiKey") ?? crypto.randomUUID();
      if (typeof key !== "string" || key === "") {
        throw new ShellError("Node: apiKey must be text, and not empty");
      }
      columns.api_key_sha256 = await sha256Hex(key);
      if (before) columns.key_issued_at = new Date();
      once.set("apiKey", key);
    }
  },
  written({ unit, before, columns }, row) {
    const place = placeOf(row);
    const { emit } = unit.change("collaboration");
    emit("node.changed", place);
    if (!before || !("api_key_sha256" in columns)) return;
    emit("node.key_reset", place);
    unit.shutOut(place.node_id);
  },
  async removal({ databases }, row) {
    const place = placeOf(row);
    const [work] = await databases.task<Row[]>`
      select count(*)::integer as unfinished_results from result
      where node_id = ${place.node_id} and finished_at is null`;
    return {
      services: ["collaboration"],
      // The task service ends them when it hears of the node's end.
      goes: counted({ ...work }).map((one) => `${one}, which will be failed`),
      async run(unit) {
        const { tx, emit } = unit.change("collaboration");
        await tx`delete from node where id = ${place.node_id}`;
        emit("node.deleted", place);
        unit.shutOut(place.node_id);
      },
    };
  },
};

function placeOf(row: Row) {
  return {
    node_id: row.id as number,
    organization_id: row.organization_id as number,
    collaboration_id: row.collaboration_id as number,
  };
}
