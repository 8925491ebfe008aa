import assert from "node:assert/strict";
import { addressesOf, readTarget } from "./address.ts";

const show = (targets: { host: string; port: number }[]) =>
  targets.map(({ host, port }) => `${host} ${port}`).join(", ");

Deno.test("addressesOf() finds host and port in what databases are addressed by", () => {
  const cases: Record<string, string> = {
    "postgresql://db.hospital.example/research": "db.hospital.example 5432",
    "postgresql+psycopg2://me:p%40ss@DB.example:6543/research": "db.example 6543",
    "postgres://me:p@ss@db.example/x": "db.example 5432",
    "postgresql://one.example:5433,two.example/x?target_session_attrs=any":
      "one.example 5433, two.example 5432",
    "postgresql:///x?host=db.example&port=6000": "db.example 6000",
    "postgresql:///x?host=/var/run/postgresql": "",
    "mysql+pymysql://db/x": "db 3306",
    "mssql+pyodbc://db.example/x?driver=ODBC+Driver+18": "db.example 1433",
    "jdbc:sqlserver://db.example:1444;databaseName=x": "db.example 1444",
    "jdbc:postgresql://db.example/x": "db.example 5432",
    "https://triples.example/sparql": "triples.example 443",
    "http://10.1.2.3/sparql": "10.1.2.3 80",
    "postgresql://[2001:db8::5]:5432/x": "2001:db8::5 5432",
    "sqlite:////data/x.sqlite": "",
    "unknown://db.example/x": "",
    "unknown://db.example:99/x": "db.example 99",
    "postgresql://db.example:0/x": "",
    "postgresql://db.example:99999/x": "",
    "postgresql://db example/x": "",
    "postgresql://2130706433/x": "",
    "just text": "",
  };
  for (const [uri, expected] of Object.entries(cases)) {
    assert.equal(show(addressesOf({ type: "sql", uri })), expected, uri);
  }
});

Deno.test("addressesOf() reads the OHDSI programs' server/database with the kind that a variable tells", () => {
  const env = { DBMS: "postgresql", USER: "u" };
  const of = (uri: string, more: Record<string, string> = env) =>
    show(addressesOf({ type: "omop", uri, env: more }));
  assert.equal(of("db.example/omop"), "db.example 5432");
  assert.equal(of("db.example:6543/omop"), "db.example 6543");
  assert.equal(of("db.example/omop", { dbms: "sql server" }), "db.example 1433");
  assert.equal(of("db.example/omop", {}), "");
  assert.equal(show(addressesOf({ type: "other", uri: "db.example/x", env })), "");
});

Deno.test("readTarget() takes hosts with ports and nothing else", () => {
  assert.deepEqual(readTarget("KDC.example:88"), { host: "kdc.example", port: 88 });
  for (const bad of ["", "kdc.example", ":88", "a b:1", "a:b", "-x:1", "1.2.3:4", "[::1", "x:0"]) {
    assert.equal(readTarget(bad), undefined, bad);
  }
});
