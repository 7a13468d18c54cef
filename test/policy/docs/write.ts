import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configJsonSchema, withGenerated } from "./readme";

const PACK = join(__dirname, "../../../policy");

/** Writes the generated parts of policy/README.md, and the schema of policy configurations. */
const readme = join(PACK, "README.md");
writeFileSync(readme, withGenerated(readFileSync(readme, "utf8")));
writeFileSync(join(PACK, "config", "config.schema.json"), configJsonSchema());
