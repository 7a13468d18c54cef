// Runs a program in a process and session of its own, to which it forwards every signal and whose exit code it returns:
// `node cli/own-session.cjs cli/main.ts start`. A terminal sends Ctrl-C to all processes of its session: the engine would
// get it as well as the command's own request to end, take two requests for "now", and stop in the middle of an update or
// a rollback. It is plain JavaScript and loads nothing, so that it runs before a signal can come.
const { spawn } = require("node:child_process");
const { constants } = require("node:os");

// npm forwards the SIGINT that the terminal has sent to all processes: one Ctrl-C comes twice. In milliseconds.
const SAME_SIGNAL = 1000;

// The channel closes when this process ends, however it ends, and so tells the command.
const command = spawn(process.execPath, ["--import", "tsx", ...process.argv.slice(2)], {
  detached: true,
  stdio: ["inherit", "inherit", "inherit", "ipc"],
});
const last = {};
for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
  process.on(name, () => {
    if (Date.now() - (last[name] ?? 0) < SAME_SIGNAL) {
      return;
    }
    last[name] = Date.now();
    command.kill(name);
  });
}
command.on("exit", (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal];
});
