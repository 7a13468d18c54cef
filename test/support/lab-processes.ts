import { readdirSync, readFileSync } from "node:fs";

/** Processes of a lab, including supervisors: their commands contain the path of its runtime state or folder. */
export function processesOf(name: string, folder: string): string[] {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid)
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        return command.includes(`/ml-lab/${name}/`) || command.includes(`${folder}/`);
      } catch {
        return false;
      }
    })
    .map((pid) => `process ${pid}`);
}
