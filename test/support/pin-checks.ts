import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { versionInRange } from "../../toolchain/on-path";
import type { GoPin, Pin } from "../../toolchain/pin";

function goMod({ module }: GoPin): string[] {
  const lines = readFileSync(join(module.folder, "go.mod"), "utf8").split("\n");
  return lines.map((line) =>
    line
      .replace(/^require /, "")
      .split("//")[0]!
      .trim(),
  );
}

/** The files that the Go code in a folder embeds. */
function embeddedBy(folder: string): string[] {
  const sources = existsSync(folder) ? readdirSync(folder).filter((f) => f.endsWith(".go")) : [];
  return sources.flatMap((name) => {
    const text = readFileSync(join(folder, name), "utf8");
    return [...text.matchAll(/^\/\/go:embed (\S+)$/gm)].map((match) => join(folder, match[1]!));
  });
}

/** Whether the code of the pin is in this repository. */
const isOwn = (pin: GoPin) => pin.package.startsWith("./");

/**
 * Tests that a table of pins matches its Go modules.
 *
 * @param requirements lines of `go.mod` for tools whose module has another version or name than the tool
 */
export function checkPins(
  pins: Readonly<Record<string, Pin>>,
  requirements: Readonly<Record<string, string>>,
): void {
  const all = Object.entries(pins).filter((entry): entry is [string, GoPin] => {
    return entry[1].kind === "go";
  });
  const thirdParty = all.filter(([name, pin]) => !isOwn(pin) || requirements[name]);

  describe("pins", () => {
    it.each(thirdParty)("%s: go.mod requires the version of the pin", (name, pin) => {
      const expected = requirements[name];
      const found = goMod(pin).filter((requirement) => {
        const [module, version] = requirement.split(" ");
        if (expected) {
          return requirement === expected;
        }
        return pin.package.startsWith(`${module}/`) && version === `v${pin.version}`;
      });
      expect(found).toHaveLength(1);
    });

    it.each(all)(
      "%s: the package is a tool of its module or in this repository, with checksums",
      (_, pin) => {
        const tools = goMod(pin).map((line) => line.replace(/^tool /, ""));
        if (isOwn(pin)) {
          expect(existsSync(join(pin.module.folder, pin.package))).toBe(true);
        } else {
          expect(tools).toContain(pin.package);
        }
        expect(readFileSync(join(pin.module.folder, "go.sum"), "utf8")).toMatch(/ h1:/);
      },
    );

    it.each(all)("%s: local replacements are in the folder", (_, { module: { folder } }) => {
      const text = readFileSync(join(folder, "go.mod"), "utf8");
      for (const [, path] of text.matchAll(/=> ([./]\S*)/g)) {
        const target = resolve(folder, path!);
        expect(target.startsWith(`${folder}/`)).toBe(true);
        expect(existsSync(join(target, "go.mod"))).toBe(true);
      }
    });

    it.each(all)("%s: the files of its patches and embeds exist", (_, pin) => {
      const { folder, patches = [], embeds = [] } = pin.module;
      for (const { with: file } of patches) {
        if (typeof file === "string") {
          expect(existsSync(join(folder, file))).toBe(true);
        }
      }
      const declared = embeds.map(({ file }) => join(folder, file));
      const missing = isOwn(pin) ? embeddedBy(join(folder, pin.package)) : [];
      expect(missing.filter((file) => !declared.includes(file) && !existsSync(file))).toEqual([]);
    });

    it.each(all)("%s: its version is in the range for PATH", (_, pin) => {
      if (pin.onPath) {
        expect(versionInRange(pin.version, pin.onPath.range)).toBe(true);
      }
      for (const value of pin.values ?? []) {
        expect(value).toMatch(/^[\w./-]+\.[A-Za-z]+=v?[\d.]+$/);
      }
    });
  });
}
