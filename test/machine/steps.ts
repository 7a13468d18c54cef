import type { Guest } from "./boot";
import { CONTAINER_UP, inContainer } from "./container";
import { GUEST_CHECKOUT } from "./disk";

/** One step in the guest, which must succeed. */
export interface Step {
  readonly name: string;
  /** A command line of the user `dev`, or an action on the machine. */
  readonly command: string | ((guest: Guest) => Promise<void>);
  /** Timeout in seconds. */
  readonly limit: number;
  /** Expected exit code. @default 0 */
  readonly exitCode?: number;
  /** Expected output. */
  readonly says?: RegExp;
}

/** Options of the test. */
export interface Variant {
  /** In a container of the machine: cgroup v2 without systemd. */
  readonly container: boolean;
  /** With Docker running at the same time. */
  readonly docker: boolean;
  /** Also with the platform. */
  readonly stack: boolean;
  /** Factor by which the machine is slower than this one. */
  readonly slowness: number;
}

const guestCommand = (words: string) => `sudo npx tsx test/machine/guest.ts ${words}`;
const lab = (words: string) => `sudo npm run --silent lab -- ${words}`;
/** Only root can read its cache, so root's shell expands the path. */
const kubectl = `sudo sh -c '"$(ls -t ~root/.cache/ml-platform/tools/kubectl/*/kubectl | head -1)" --kubeconfig .lab/dev/kubeconfig "$@"' kubectl`;

/** A pod that the Pod Security level restricted admits. */
const POD = JSON.stringify({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "restricted" },
  spec: {
    restartPolicy: "Always",
    containers: [
      {
        name: "main",
        image: "127.0.0.1:5001/docker.io/library/python:3.13-slim",
        command: ["python3", "-c", "import time; time.sleep(1e9)"],
        resources: { limits: { cpu: "100m", memory: "64Mi" } },
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 1000,
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"] },
          seccompProfile: { type: "RuntimeDefault" },
        },
      },
    ],
  },
});

const RUN_POD = `echo '${POD}' | ${kubectl} apply -f - && ${kubectl} wait --for=condition=Ready --timeout=300s pod/restricted`;
const POD_RUNS = `${kubectl} wait --for=condition=Ready --timeout=300s pod/restricted`;

/** A container without a registry: Debian's static busybox in an otherwise empty image. */
const DOCKER_UP = `sudo apt-get install -y -q --no-install-recommends docker.io busybox-static &&
mkdir -p /tmp/image/bin && cp "$(command -v busybox)" /tmp/image/bin/ && cp /etc/resolv.conf /tmp/image/ &&
sudo tar -C /tmp/image -c . | sudo docker import - local/busybox &&
sudo docker run -d --name stays -p 9090:80 local/busybox /bin/busybox httpd -f -p 80 -h /`;
const MIRROR = `$(grep -rhoE 'https?://[^/ ]+' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | head -1 | cut -d/ -f3)`;
/** Both directions: in through a published port, and out through the machine's forwarding. */
const DOCKER_WORKS = `curl -sf --max-time 20 -o /dev/null http://127.0.0.1:9090/resolv.conf &&
sudo docker run --rm local/busybox /bin/busybox nslookup "${MIRROR}" 10.0.2.3 && sudo docker exec stays /bin/busybox true`;

/** All steps on the machine, from the first command to the last. */
export function machineSteps({ container, docker, stack, slowness }: Variant): Step[] {
  const step = (
    name: string,
    command: Step["command"],
    minutes: number,
    more: Partial<Step> = {},
  ) => ({ name, command, limit: minutes * 60 * slowness, ...more });
  const dockerWorks = (when: string) =>
    docker ? [step(`Docker works ${when}`, DOCKER_WORKS, 3)] : [];
  const up = stack ? "sudo npm start" : lab("up");
  const down = stack ? "sudo npm stop" : lab("down");
  const served = stack ? { says: /prediction/ } : {};
  const reload = [
    step("daemon-reload", "sudo systemctl daemon-reload && sleep 5", 1),
    step("the pod still runs", POD_RUNS, 6),
  ];
  const reboot = [
    step("a reboot", (guest) => guest.reboot(), 10),
    ...(docker ? [step("Docker after the reboot", "sudo docker start stays", 2)] : []),
    step("snapshot after the reboot", guestCommand("snapshot /var/tmp/boot.json"), 2),
    step(`after the reboot: ${up}`, up, stack ? 30 : 10, served),
    step("the pod runs again", POD_RUNS, 6),
  ];
  const boot = container ? "/var/tmp/before.json" : "/var/tmp/boot.json";
  return [
    step("cgroup v2", "stat -fc %T /sys/fs/cgroup", 1, { says: /cgroup2fs/ }),
    step("systemd", `test ${container ? "!" : ""} -d /run/systemd/system`, 1),
    step("without root: npm start", "npm start", 2, { exitCode: 1, says: /Run: sudo npm start/ }),
    step("Debian's packages", guestCommand("packages"), 15),
    ...(docker ? [step("Docker", DOCKER_UP, 20)] : []),
    ...dockerWorks("before"),
    step("before", guestCommand("snapshot /var/tmp/before.json"), 2),
    step(`first: ${up}`, up, stack ? 60 : 20, served),
    step("a restricted pod runs", RUN_POD, 6),
    ...dockerWorks("while the lab runs"),
    ...(container ? [] : reload),
    step(`again: ${up}`, up, stack ? 20 : 5, served),
    step("status", lab("status"), 3),
    step(`${down}`, down, 5),
    step("as before, except for its data", guestCommand("compare-stopped /var/tmp/before.json"), 2),
    step(`after a stop: ${up}`, up, stack ? 30 : 10, served),
    step("the pod runs again after the stop", POD_RUNS, 6),
    ...(container ? [] : reboot),
    ...(stack ? [step("npm run destroy", "sudo npm run destroy", 20)] : []),
    ...dockerWorks("after the stop"),
    step("reset", lab("reset"), 5),
    step("as before", guestCommand(`compare ${boot} /var/tmp/before.json`), 2),
    step("nothing remains in the checkout", "test ! -e .lab/dev", 1),
    ...dockerWorks("after the reset"),
  ];
}

/** The command that prepares the machine. */
export function prepare({ container }: Variant): string {
  return container ? CONTAINER_UP : "true";
}

/** The command line in the checkout of the guest. */
export function inCheckout(command: string, { container }: Variant): string {
  const line = `cd ${GUEST_CHECKOUT} && ${command}`;
  return container ? inContainer(line) : line;
}
