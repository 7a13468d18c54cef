import { go } from "../../toolchain/go-command";

// A process of its own that runs Go in the folder it is given, for tests that end it.
go(process.argv[2] ?? "", ["build"]).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
