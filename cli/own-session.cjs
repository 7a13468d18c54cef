// Runs one of the commands in a process and session of its own, which gets every signal of this one and hands its exit
// code on: `node cli/own-session.cjs cli/start.ts ...`. A terminal sends Ctrl-C to all processes of its session: the
// engine would get it beside what the command itself sends it, take the two for "now", and end in the midst of an update or
// of the way back. It is plain JavaScript and loads nothing, as it is there before a signal is.
const { spawn } = require("node:child_process");
const { constants } = require("node:os");

// npm hands on the SIGINT that the terminal has sent to all: one Ctrl-C comes twice. Milliseconds.
const SAME_SIGNAL = 1000;

// The channel tells the command when this process has gone, whatever ended it.
const command = spawn(process.execPath, ["--import", "tsx", ...process.argv.slice(2)], {
  detached: true,
  stdio: ["inherit", "inherit", "inherit", "ipc"],
});
const last = {};
for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
  process.on(name, () => {
    if (Date.now() - (last[name] ?? 0) < SAME_SIGNAL) return;
    last[name] = Date.now();
    command.kill(name);
  });
}
command.on("exit", (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal];
});
