import { readFileSync } from "node:fs";
import type { LabInfo } from "../../lab/cluster/lab";
import type { Kubectl } from "./kubectl";

/** Prints the response of each URL in the arguments: a status, or that the connection was denied. */
const PROGRAM = `
import sys, urllib.request
for target in sys.argv[1:]:
    try: print(urllib.request.urlopen('http://' + target, timeout=3).status)
    except OSError: print('denied')
`;

/** The responses of these URLs to a pod in the namespace `default`, which no stack has created. */
export async function requestFromOtherNamespace(
  kubectl: Kubectl,
  lab: LabInfo,
  targets: readonly string[],
): Promise<string[]> {
  const [python] = Object.entries(JSON.parse(readFileSync(lab.imagesLock, "utf8"))).filter(
    ([name]) => name.includes("/python:"),
  );
  const image = `${lab.registry}/${python?.join("@")}`;
  const pod = ["run", "client", "-n", "default", `--image=${image}`, "--restart=Never"];
  await kubectl.run(...pod, "--command", "--", "python3", "-c", PROGRAM, ...targets);
  const done = ["wait", "-n", "default", "pod/client", "--timeout=60s"];
  await kubectl.run(...done, "--for=jsonpath={.status.phase}=Succeeded");
  return (await kubectl.run("logs", "-n", "default", "client")).trim().split("\n");
}
