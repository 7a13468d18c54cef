import { go } from "../../toolchain/go-command";

// Runs Go in the given folder, in a process that tests can stop.
go(process.argv[2] ?? "", ["build"]).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
