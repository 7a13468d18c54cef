import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { firstPrediction } from "../../../../cli/stack/summary";

let server: Server;
afterEach(() => server?.close());

/** A model on the loopback address, which responds with these statuses and then repeats the last one. */
async function model(...statuses: number[]): Promise<Record<string, string>> {
  server = createServer((_request, response) => {
    const [status = 200] = statuses.length > 1 ? statuses.splice(0, 1) : statuses;
    response.writeHead(status).end(` answer ${status}\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { churn: `http://churn.demo.localhost:${(server.address() as AddressInfo).port}` };
}

test("the request to a model is repeated until the Ingress has its route", async () => {
  const models = await model(404, 503, 200);
  const url = `${models.churn}/predict`;
  expect(await firstPrediction({ models }, true)).toEqual({
    model: "churn",
    url,
    answer: "answer 200",
  });
});

test("every answer of a model on another cluster is shown", async () => {
  const models = await model(400);
  const url = `${models.churn}/predict`;
  const answer = `${url} answered 400: answer 400`;
  expect(await firstPrediction({ models }, false)).toEqual({ model: "churn", url, answer });
});

test("no request is sent if there is no model", async () => {
  expect(await firstPrediction({}, true)).toBeUndefined();
});
