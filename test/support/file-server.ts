import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { LabInfo } from "../../lab/cluster/lab";
import type { Kubectl } from "./kubectl";

/** Writes the bytes 0 to 255, repeated, to a file, and serves its folder. */
const REPEATED = 40_000;
const PROGRAM = `
import http.server, os
os.makedirs('/tmp/files'); os.chdir('/tmp/files')
open('served.bin', 'wb').write(bytes(range(256)) * ${REPEATED})
http.server.test(http.server.SimpleHTTPRequestHandler, port=8080)
`;

/** A file on an HTTP server in the namespace `default`. */
export async function serveFile(
  kubectl: Kubectl,
  lab: LabInfo,
): Promise<{ url: string; sha256: string; size: number }> {
  const [python] = Object.entries(JSON.parse(readFileSync(lab.imagesLock, "utf8"))).filter(
    ([name]) => name.includes("/python:"),
  );
  const image = `--image=${lab.registry}/${python?.join("@")}`;
  const pod = ["run", "files", "-n", "default", image, "--port=8080", "--expose"];
  await kubectl.run(...pod, "--command", "--", "python3", "-c", PROGRAM);
  await kubectl.run("wait", "-n", "default", "pod/files", "--for=condition=Ready", "--timeout=60s");
  const content = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const hash = createHash("sha256");
  for (let count = 0; count < REPEATED; count++) {
    hash.update(content);
  }
  // By address: the policies refuse a name in a namespace of another stack.
  const address = ["get", "service", "files", "-n", "default", "-o", "jsonpath={.spec.clusterIP}"];
  const url = `http://${await kubectl.run(...address)}:8080/served.bin`;
  return { url, sha256: hash.digest("hex"), size: content.length * REPEATED };
}
