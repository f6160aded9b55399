/** The client against a server in this process that fails as told (@connectrpc's router): retries, ids, errors, reconnects. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { createMppClient, isRetryable, mppError, newRequestId, services, solveChallenge } from "../dist/index.js";
import { BadRequestSchema, ErrorInfoSchema } from "../dist/gen/google/rpc/error_details_pb.js";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function client(queue, options = {}) {
  const transport = (interceptors) =>
    createRouterTransport((router) => router.service(services.queue, queue), { transport: { interceptors } });
  return createMppClient({ baseUrl: "http://unused", transport, ...options });
}

function failing(times, code, details) {
  const seen = [];
  const takeTicket = (request) => {
    seen.push(request.requestId);
    if (seen.length <= times) throw new ConnectError("not now", code, undefined, details);
    return { ticket: { number: "D-001" } };
  };
  return { seen, takeTicket };
}

test("a command is tried again with the same request id", async () => {
  const server = failing(2, Code.Unavailable);
  const issued = await client(server).queue.takeTicket({ parent: "sites/malang/queues/dukcapil" });
  assert.equal(issued.ticket.number, "D-001");
  assert.equal(server.seen.length, 3);
  assert.match(server.seen[0], UUID);
  assert.equal(new Set(server.seen).size, 1);
});

test("your own request id is kept, and each command has its own", async () => {
  const server = failing(0);
  const here = client(server);
  const mine = newRequestId();
  await here.queue.takeTicket({ requestId: mine });
  await here.queue.takeTicket({});
  await here.queue.takeTicket({});
  assert.equal(server.seen[0], mine);
  assert.equal(new Set(server.seen).size, 3);
});

test("what is not UNAVAILABLE is not tried again", async () => {
  for (const code of [Code.InvalidArgument, Code.Aborted, Code.DeadlineExceeded, Code.Internal, Code.Unknown]) {
    const server = failing(1, code);
    await assert.rejects(client(server).queue.takeTicket({}), (error) => mppError(error).code === code);
    assert.equal(server.seen.length, 1);
  }
});

test("there is an end to trying", async () => {
  const server = failing(99, Code.Unavailable);
  await assert.rejects(client(server, { attempts: 3 }).queue.takeTicket({}));
  assert.equal(server.seen.length, 3);
});

test("a caller who leaves stops the trying", async () => {
  const server = failing(99, Code.Unavailable);
  await assert.rejects(client(server, { attempts: 50 }).queue.takeTicket({}, { signal: AbortSignal.timeout(150) }));
  assert.ok(server.seen.length < 10);
});

test("the reason and the fields of an error are at hand", async () => {
  const details = [
    { desc: ErrorInfoSchema, value: { reason: "INVALID_FIELD", domain: "mpp", metadata: { a: "b" } } },
    { desc: BadRequestSchema, value: { fieldViolations: [{ field: "parent", description: "is wrong" }] } },
  ];
  const server = failing(1, Code.InvalidArgument, details);
  const error = await client(server).queue.takeTicket({}).catch(mppError);
  assert.deepEqual([error.name, error.code, error.reason, error.message], ["MppError", Code.InvalidArgument, "INVALID_FIELD", "not now"]);
  assert.deepEqual([error.fields, error.metadata], [[{ field: "parent", description: "is wrong" }], { a: "b" }]);
  assert.equal(mppError(error), error);
  assert.equal(mppError(new Error("x")).reason, "");
});

test("a token is asked for before each call", async () => {
  const heard = [];
  const server = {
    getQueue: (_, context) => {
      heard.push(context.requestHeader.get("authorization"));
      return {};
    },
  };
  let number = 0;
  const here = client(server, { token: async () => (number++ ? `t${number}` : undefined) });
  for (let i = 0; i < 3; i++) await here.queue.getQueue({});
  assert.deepEqual(heard, [null, "Bearer t2", "Bearer t3"]);
});

test("a unary call has a time limit and a board has none", async () => {
  const heard = [];
  const server = {
    getQueue: async (_, context) => {
      await new Promise((done) => context.signal.addEventListener("abort", done));
      return {};
    },
    watchQueue: async function* (_, context) {
      heard.push(context.timeoutMs());
      yield { waiting: 1 };
    },
  };
  const here = client(server, { timeoutMs: 50 });
  await assert.rejects(here.queue.getQueue({}), (error) => mppError(error).code === Code.DeadlineExceeded);
  for await (const status of here.watchBoard("q")) {
    assert.equal(status.waiting, 1);
    break;
  }
  assert.deepEqual(heard, [undefined]);
});

test("a broken or silent board is opened again, and leaving the loop ends it", async () => {
  let opened = 0;
  let ended = 0;
  const server = {
    watchQueue: async function* (_, context) {
      opened++;
      context.signal.addEventListener("abort", () => ended++);
      yield { waiting: opened };
      if (opened === 1) throw new ConnectError("draining", Code.Unavailable);
      if (opened === 2) return; // a proxy closed it politely
      await new Promise((done) => context.signal.addEventListener("abort", done)); // silence
    },
  };
  const seen = [];
  const broken = [];
  for await (const status of client(server).watchBoard("q", { silence: 60, onReconnect: (e, n) => broken.push([e?.code, n]) })) {
    seen.push(status.waiting);
    if (seen.length === 4) break;
  }
  assert.deepEqual(seen, [1, 2, 3, 4]);
  assert.deepEqual(broken.map(([, n]) => n), [1, 1, 1]);
  assert.equal(broken[0][0], Code.Unavailable);
  assert.equal(opened, 4);
  assert.ok(ended >= 2);
});

test("an unknown queue is told, not asked for again", async () => {
  let opened = 0;
  const server = {
    watchQueue: async function* () {
      opened++;
      throw new ConnectError("no such queue", Code.NotFound);
    },
  };
  await assert.rejects(client(server).watchBoard("q").next(), (error) => error.name === "MppError" && error.code === Code.NotFound);
  assert.equal(opened, 1);
});

test("a signal ends a board quietly", async () => {
  const server = {
    watchQueue: async function* (_, context) {
      yield { waiting: 1 };
      await new Promise((done) => context.signal.addEventListener("abort", done));
    },
  };
  const seen = [];
  for await (const status of client(server).watchBoard("q", { signal: AbortSignal.timeout(60) })) seen.push(status.waiting);
  assert.deepEqual(seen, [1]);
});

test("a broken connection is worth another try, a wrong answer is not", () => {
  assert.ok(isRetryable(ConnectError.from(new TypeError("fetch failed"))));
  assert.ok(!isRetryable(new ConnectError("x", Code.Internal)));
});

test("a request id is a UUID also without randomUUID", () => {
  Object.defineProperty(globalThis.crypto, "randomUUID", { value: undefined, configurable: true });
  assert.match(newRequestId(), UUID);
  delete globalThis.crypto.randomUUID;
});

/** A challenge as the platform makes it (ALTCHA's): the answer is `counter`. */
function challenge(counter, cost = 2) {
  const parameters = { algorithm: "SHA-256", nonce: "0011", salt: "a0ff", cost, keyLength: 32, keyPrefix: "" };
  const first = Buffer.concat([Buffer.from("a0ff0011", "hex"), Buffer.alloc(4)]);
  first.writeUInt32BE(counter, 4);
  let key = first;
  for (let round = 0; round < cost; round++) key = createHash("sha256").update(key).digest();
  parameters.keyPrefix = key.subarray(0, 16).toString("hex");
  return { told: JSON.stringify({ parameters, signature: "s" }), parameters, derivedKey: key.toString("hex") };
}

function guarded(asked) {
  const seen = [];
  const takeTicket = ({ requestId, proof }) => {
    seen.push({ requestId, proof });
    if (proof) return { ticket: { number: "D-007" } };
    const value = { reason: "CHALLENGE_REQUIRED", domain: "mpp", metadata: { challenge: asked.told, why: "missing" } };
    throw new ConnectError("work first", Code.FailedPrecondition, undefined, [{ desc: ErrorInfoSchema, value }]);
  };
  return { seen, takeTicket };
}

test("a challenge is answered, and the same command sent once more", async () => {
  const asked = challenge(37);
  const server = guarded(asked);
  const given = { parent: "sites/malang/queues/dukcapil" };
  assert.equal((await client(server).queue.takeTicket(given)).ticket.number, "D-007");
  assert.deepEqual(server.seen.map(({ proof }) => Boolean(proof)), [false, true]);
  assert.equal(server.seen[0].requestId, server.seen[1].requestId);
  assert.equal(given.proof, undefined);
  const answer = JSON.parse(atob(server.seen[1].proof));
  assert.deepEqual(answer, {
    challenge: { parameters: asked.parameters, signature: "s" },
    solution: { counter: 37, derivedKey: asked.derivedKey },
  });
});

test("a page may answer challenges its own way, or not at all", async () => {
  const server = guarded(challenge(1));
  const own = client(server, { solve: async (told) => `solved ${JSON.parse(told).parameters.nonce}` });
  await own.queue.takeTicket({});
  assert.equal(server.seen[1].proof, "solved 0011");
  const refused = await client(server, { solve: false }).queue.takeTicket({}).catch(mppError);
  assert.equal(refused.reason, "CHALLENGE_REQUIRED");
  assert.equal(server.seen.length, 3);
});

test("a challenge of another kind is refused, and who leaves stops the work", async () => {
  const other = JSON.stringify({ parameters: { ...challenge(1).parameters, algorithm: "SCRYPT" } });
  await assert.rejects(solveChallenge(other), TypeError);
  const endless = JSON.stringify({ parameters: { ...challenge(1).parameters, keyPrefix: "zz" } });
  await assert.rejects(solveChallenge(endless, AbortSignal.timeout(50)), { name: "TimeoutError" });
});
