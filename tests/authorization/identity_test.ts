import { DEFAULT_ROLES, ruleName, RULES } from "../../services/identity/rights/catalogue.ts";
import { NODE_PROTOCOL } from "../../shared/node_protocol/reports.ts";
import { newUserKey } from "../../shared/broker/signing.ts";
import { PASSWORD } from "../support/hub.ts";
import { testTable } from "./table.ts";

const NO = "401 401 401";
const YES = "200 200 200";

/** A rule that everybody holds who may change roles. */
const COMMON_RULE = RULES.find((rule) => ruleName(rule) === "user:VIEW:ORGANIZATION")!.id;
const VIEWER = DEFAULT_ROLES.findIndex(({ name }) => name === "Viewer") + 1;

testTable("identity", [
  { route: "GET /openapi.json", open: 200 },

  // -- tokens: whoever has none needs these
  { route: "POST /token/user", open: 400 },
  { route: "POST /token/node", open: 400 },
  { route: "POST /token/refresh", open: 401 },
  { route: "DELETE /token/refresh", open: 401 },
  {
    route: "POST /token/user/validate",
    request: () => ({ path: "/token/user/validate" }),
    expect: { "a node, a container": NO, "*": YES },
  },
  {
    route: "POST /token/node/validate",
    request: () => ({ path: "/token/node/validate" }),
    expect: { "a node": YES, "*": NO },
  },
  {
    route: "POST /token/store",
    request: () => ({ path: "/token/store", body: { url: "https://store.example/api" } }),
    expect: { "a container": NO, "*": YES },
  },
  {
    route: "POST /token/container",
    request: () => ({ path: "/token/container", body: { task_id: 9999, image: "x" } }),
    expect: { "a node": "400 400 400", "*": NO },
  },
  {
    route: "POST /token/broker",
    request: () => ({
      path: "/token/broker",
      body: { public_key: newUserKey().publicKey, protocol: NODE_PROTOCOL },
    }),
    expect: { "a node": YES, "*": NO },
  },

  // -- accounts
  { route: "POST /recover/lost", open: 400 },
  { route: "POST /recover/reset", open: 400 },
  { route: "POST /recover/2fa/lost", open: 400 },
  { route: "POST /recover/2fa/reset", open: 400 },
  {
    // The old password is wrong: 401 for all. What it does is tested with the accounts.
    route: "PATCH /password/change",
    request: () => ({
      path: "/password/change",
      body: { current_password: "x", new_password: PASSWORD },
    }),
    expect: { "*": NO },
  },
  {
    route: "GET /password/2fa",
    request: () => ({ path: "/password/2fa" }),
    expect: { "a node, a container": NO, "*": YES },
  },
  {
    // On a hub that asks for no second factor: 400 for all users.
    route: "POST /password/2fa",
    request: () => ({ path: "/password/2fa", body: { current_password: "x" } }),
    expect: { "a node, a container": NO, "*": "400 400 400" },
  },
  {
    route: "PATCH /password/2fa",
    request: () => ({ path: "/password/2fa", body: { ticket: "x", mfa_code: "000000" } }),
    expect: { "a node, a container": NO, "*": "400 400 400" },
  },

  // -- one's own log-ins; those of others are as if they were not there
  {
    route: "GET /session",
    request: () => ({ path: "/session" }),
    expect: { "a node, a container": NO, "*": YES },
  },
  {
    route: "DELETE /session/:id",
    request: () => ({ path: `/session/${crypto.randomUUID()}` }),
    expect: { "a node, a container": NO, "*": "404 404 404" },
  },
  {
    route: "DELETE /session",
    request: () => ({ path: "/session" }),
    expect: { "a node, a container": NO, "*": YES },
  },

  // -- organizations
  {
    route: "GET /organization",
    request: ({ collaborations }, place) => ({
      path: `/organization?collaboration_id=${collaborations[place]}`,
    }),
    expect: {
      "Root, Collaboration Admin": YES,
      "*": "200 200 401",
    },
  },
  {
    route: "POST /organization",
    request: ({ name }) => ({ path: "/organization", body: { name: name() } }),
    expect: { Root: "201 201 201", "*": NO },
  },
  {
    route: "GET /organization/:id",
    request: ({ organizations }, place) => ({ path: `/organization/${organizations[place]}` }),
    expect: { "Root, Collaboration Admin": YES, "*": "200 200 401" },
  },
  {
    route: "PATCH /organization/:id",
    request: ({ organizations }, place) => ({
      path: `/organization/${organizations[place]}`,
      body: { country: "NL" },
    }),
    expect: {
      Root: YES,
      "Collaboration Admin": "200 200 401",
      "Organization Admin, node, a node": "200 401 401",
      "*": NO,
    },
  },
  {
    // Nobody may delete their own organization; the others are new ones.
    route: "DELETE /organization/:id",
    request: async ({ organizations, newOrganization }, place) => ({
      path: `/organization/${place === "own" ? organizations.own : await newOrganization()}`,
    }),
    expect: { Root: "400 200 200", "*": NO },
  },

  // -- users
  {
    route: "GET /user",
    request: ({ organizations }, place) => ({
      path: `/user?organization_id=${organizations[place]}`,
    }),
    expect: {
      Root: YES,
      "Collaboration Admin": "200 200 401",
      "Viewer, Researcher, Organization Admin": "200 401 401",
      "*": NO,
    },
  },
  {
    route: "POST /user",
    request: ({ organizations, name }, place) => {
      const username = name();
      return {
        path: "/user",
        body: {
          username,
          password: PASSWORD,
          email: `${username}@x.example`,
          firstname: "F",
          lastname: "L",
          organization_id: organizations[place],
          roles: [VIEWER],
        },
      };
    },
    expect: {
      Root: "201 201 201",
      "Collaboration Admin": "201 201 401",
      "Organization Admin": "201 401 401",
      "*": NO,
    },
  },
  {
    route: "GET /user/:id",
    request: async ({ newUser }, place) => ({ path: `/user/${await newUser(place)}` }),
    expect: {
      Root: YES,
      "Collaboration Admin": "200 200 401",
      "Viewer, Researcher, Organization Admin": "200 401 401",
      "*": NO,
    },
  },
  {
    route: "PATCH /user/:id",
    request: async ({ newUser }, place) => ({
      path: `/user/${await newUser(place)}`,
      body: { firstname: "New", roles: [VIEWER] },
    }),
    expect: {
      Root: YES,
      "Collaboration Admin": "200 200 401",
      "Organization Admin": "200 401 401",
      "*": NO,
    },
  },
  {
    route: "DELETE /user/:id",
    request: async ({ newUser }, place) => ({ path: `/user/${await newUser(place)}` }),
    expect: { Root: YES, "Collaboration Admin, Organization Admin": "200 401 401", "*": NO },
  },

  // -- roles and rules
  {
    route: "GET /role",
    request: ({ organizations }, place) => ({
      path: `/role?organization_id=${organizations[place]}`,
    }),
    expect: {
      Root: YES,
      "Collaboration Admin": "200 200 401",
      "Viewer, Researcher, Organization Admin": "200 401 401",
      "*": NO,
    },
  },
  {
    route: "POST /role",
    request: ({ organizations, name }, place) => ({
      path: "/role",
      body: { name: name(), rules: [COMMON_RULE], organization_id: organizations[place] },
    }),
    expect: {
      Root: "201 201 201",
      "Collaboration Admin, Organization Admin": "201 401 401",
      "*": NO,
    },
  },
  {
    route: "GET /role/:id",
    request: async ({ newRole }, place) => ({ path: `/role/${await newRole(place)}` }),
    expect: {
      Root: YES,
      "Collaboration Admin": "200 200 401",
      "Viewer, Researcher, Organization Admin": "200 401 401",
      "*": NO,
    },
  },
  {
    route: "PATCH /role/:id",
    request: async ({ newRole }, place) => ({
      path: `/role/${await newRole(place)}`,
      body: { rules: [COMMON_RULE] },
    }),
    expect: { Root: YES, "Collaboration Admin, Organization Admin": "200 401 401", "*": NO },
  },
  {
    route: "DELETE /role/:id",
    request: async ({ newRole }, place) => ({ path: `/role/${await newRole(place)}` }),
    expect: { Root: YES, "Collaboration Admin, Organization Admin": "200 401 401", "*": NO },
  },
  {
    route: "POST /role/:id/rule/:rule_id",
    request: async ({ newRole }, place) => ({
      path: `/role/${await newRole(place)}/rule/${COMMON_RULE}`,
    }),
    expect: {
      Root: "201 201 201",
      "Collaboration Admin, Organization Admin": "201 401 401",
      "*": NO,
    },
  },
  {
    route: "DELETE /role/:id/rule/:rule_id",
    request: async ({ newRole }, place) => ({
      path: `/role/${await newRole(place)}/rule/${COMMON_RULE}`,
    }),
    expect: { Root: YES, "Collaboration Admin, Organization Admin": "200 401 401", "*": NO },
  },
  {
    route: "GET /rule",
    request: () => ({ path: "/rule" }),
    expect: { "a node, a container": NO, "*": YES },
  },
  {
    route: "GET /rule/:id",
    request: () => ({ path: "/rule/1" }),
    expect: { "a node, a container": NO, "*": YES },
  },

  // -- audit
  {
    route: "GET /audit",
    request: () => ({ path: "/audit" }),
    expect: { Root: YES, "*": NO },
  },
  {
    route: "GET /audit/seals",
    request: () => ({ path: "/audit/seals" }),
    expect: { "a container": NO, "*": YES },
  },
  {
    route: "GET /audit/checkpoints",
    request: () => ({ path: "/audit/checkpoints" }),
    expect: { "a container": NO, "*": YES },
  },
  {
    route: "GET /audit/consistency",
    request: () => ({ path: "/audit/consistency?service=task&from=0&to=0" }),
    expect: { "a container": NO, "*": YES },
  },
]);
