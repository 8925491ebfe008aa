import assert from "node:assert/strict";
import { PROFILES } from "../disclosure/rules.ts";
import { checkDisclosure } from "./disclosure.ts";

Deno.test("checkDisclosure() warns where nothing is said, and not where nothing is wanted", () => {
  const none = { disclosure: null, shareLogs: true };
  const unsaid = checkDisclosure({ ...none, disclosureIsSaid: false });
  assert.equal(unsaid.well, true, "what worked before goes on");
  assert.match(
    unsaid.note,
    /^WARNING: .* one row leaves; set disclosure\.profile to datashield, opensafely/,
  );
  assert.doesNotMatch(checkDisclosure({ ...none, disclosureIsSaid: true }).note, /WARNING/);
});

Deno.test("checkDisclosure() prints the rules that hold under their names in node.yaml", () => {
  const { well, note } = checkDisclosure({
    disclosure: {
      rules: { profile: "acro", persons: "patient", ...PROFILES.acro, minCell: 20 },
      ledger: true,
      trusted: ["deno:ours"],
      unlisted: { sandbox: "guard", containers: "hold" },
    },
    disclosureIsSaid: true,
    shareLogs: false,
  });
  assert.equal(well, true);
  assert.equal(
    note,
    "profile acro; persons by column patient; min_cell 20; min_subset 10; round_to 1; " +
      "max_terms_share 1; min_residual_freedom 10; min_level 10; extremes false; " +
      "dominance 2 at most 0.9; p_ratio 0.1; ledger true; queries plain; trusted deno:ours; " +
      "unlisted guard, containers hold; logs and words of errors stay",
  );
});
