import assert from "node:assert/strict";
import { temporaryFolder } from "../../../tests/harness.ts";
import { writtenDescription } from "../../../shared/node_protocol/description.ts";
import { pack } from "../workshop/pack.ts";
import { libraryPackages, packedFromLibrary } from "./library.ts";

Deno.test("libraryPackages() have a name, a description that holds, and a method to begin with", async () => {
  const packages = await libraryPackages();
  assert.ok(packages.length >= 8);
  for (const { name, entry, description } of packages) {
    assert.ok(entry.endsWith(`/packages/${description.name}/algorithm.ts`), entry);
    assert.equal(name, `${description.name}@${description.version}`);
    assert.deepEqual(writtenDescription.parse(description), description);
    assert.ok(!description.methods.central!.internal);
  }
});

Deno.test("every method of the library takes organizations and where, and says n, sites and what was left out", async () => {
  for (const { name, description } of await libraryPackages()) {
    for (
      const [method, { internal, arguments: described, outputs }] of Object.entries(
        description.methods,
      )
    ) {
      // A method that reads no column rests on no rows.
      const readsRows = Object.values(described).some(({ type }) => /^columns?$/.test(type));
      if (internal || !readsRows) continue;
      const what = `${name} ${method}`;
      assert.equal(described.organizations?.type, "organizations", what);
      assert.equal(described.where?.type, "condition", what);
      const names: string[] = outputs.map(({ name }) => name);
      for (const one of ["n", "sites", "left_out"]) {
        assert.ok(names.includes(one), `${what}: ${one}`);
      }
    }
  }
});

Deno.test("packedFromLibrary() is what the workshop packs, once, and keeps it for the next start", async () => {
  const folder = await temporaryFolder();
  try {
    const { name, entry } = (await libraryPackages())[0]!;
    const both = await Promise.all([1, 2].map(() => packedFromLibrary(name, folder.path)));
    assert.equal(both[0], both[1]);
    assert.deepEqual(both[0], (await pack(entry)).code);
    const [file, ...others] = await Array.fromAsync(Deno.readDir(folder.path));
    assert.deepEqual(others, []);
    assert.ok(file!.name.startsWith(`${name} of `));
    assert.deepEqual(await Deno.readFile(`${folder.path}/${file!.name}`), both[0]);
    assert.equal(await packedFromLibrary("nosuch@1.0.0", folder.path), undefined);
  } finally {
    await folder.remove();
  }
});
