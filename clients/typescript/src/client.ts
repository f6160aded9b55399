/**
 * One typed client for all services at the platform's edge. Knows gRPC-Web, tokens and request ids; knows no service:
 * those come from the generated list. Works in browsers and in Node 20 and later.
 */
import { clone, create, type DescService, type Message, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { createClient, type Client, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { watchBoard, type WatchOptions } from "./board.js";
import { solveChallenge } from "./challenge.js";
import { isRetryable, mppError } from "./errors.js";
import { services } from "./gen/services.js";
import type { QueueStatus } from "./gen/mpp/queue/v1/ticket_pb.js";
import { backoff, pause } from "./pacing.js";

export type Token = string | (() => string | undefined | Promise<string | undefined>);

export interface MppClientOptions {
  /** Address of the gateway, `https://mpp.example.go.id`. */
  baseUrl: string;
  /** An access token, or what gives one: it is asked before each call, so a renewed token is used at once. */
  token?: Token;
  /** Milliseconds that a unary call may take, all tries together. Streams have no such limit. */
  timeoutMs?: number;
  /** Tries of a unary call while the platform says UNAVAILABLE. 1 switches it off. */
  attempts?: number;
  /**
   * How a challenge of CHALLENGE_REQUIRED is answered: its JSON in, the text for `proof` out. Without it, by
   * `solveChallenge`; false: not at all, the error is yours. Each try after an answer has `timeoutMs` of its own.
   */
  solve?: ((challenge: string, signal?: AbortSignal) => Promise<string>) | false;
  /** Another transport, for example gRPC of `@connectrpc/connect-node` straight to one service. */
  transport?: (interceptors: Interceptor[]) => Transport;
}

type Services = typeof services;

export type MppClient = { readonly [Name in keyof Services]: Client<Services[Name]> } & {
  /**
   * The board of a queue, `sites/malang/queues/dukcapil`: its state now and after each change, until `signal` aborts or
   * you leave the loop. A broken stream is opened again; you may then see the same state twice.
   */
  watchBoard(queue: string, options?: WatchOptions): AsyncGenerator<QueueStatus, void, undefined>;
};

export function createMppClient(options: MppClientOptions): MppClient {
  const { baseUrl, timeoutMs = 10_000, attempts = 4 } = options;
  const interceptors = [retries(Math.max(1, attempts)), bearer(options.token)];
  const inner = options.transport?.(interceptors) ?? createGrpcWebTransport({ baseUrl, interceptors, fetch: plainFetch });
  const transport = commands(impatient(inner, timeoutMs), options.solve ?? solveChallenge);
  const clients = Object.fromEntries(
    Object.entries(services).map(([name, service]) => [name, createClient(service as DescService, transport)]),
  ) as unknown as { [Name in keyof Services]: Client<Services[Name]> };
  return { ...clients, watchBoard: (queue, how) => watchBoard(clients.queue, queue, how) };
}

/** A time limit for unary calls only: the transports' own default would end streams too. */
function impatient(inner: Transport, timeoutMs: number): Transport {
  return {
    unary: (method, signal, limit, ...rest) => inner.unary(method, signal, limit ?? timeoutMs, ...rest),
    stream: (...call) => inner.stream(...call),
  };
}

/** The tokens say who calls: no cookie goes along. Found when called, so that a page may wrap `fetch` later. */
const plainFetch: typeof fetch = (input, init) => globalThis.fetch(input, { ...init, credentials: "omit" });

/**
 * A command without a `requestId` gets one. Set your own to repeat a command after a reload: the same id and the same
 * content give the stored reply, for 24 hours at least.
 *
 * Where the platform asks for work first (CHALLENGE_REQUIRED), the same command is sent once more with its proof: the
 * challenge is good for this request id only.
 */
function commands(inner: Transport, solve: Exclude<MppClientOptions["solve"], undefined>): Transport {
  return {
    unary: async (method, signal, limit, header, input, context) => {
      const message = create(method.input, input) as Message & { requestId?: string; proof?: string };
      if (method.input.field["requestId"] !== undefined) message.requestId ||= newRequestId();
      const call = (asked: typeof message) =>
        inner.unary(method, signal, limit, header, asked as MessageInitShape<typeof method.input>, context);
      if (!solve || method.input.field["proof"] === undefined) return call(message);
      try {
        return await call(message);
      } catch (error) {
        const { reason, metadata } = mppError(error);
        if (reason !== "CHALLENGE_REQUIRED" || !metadata["challenge"]) throw error;
        const again = clone(method.input, message as MessageShape<typeof method.input>) as typeof message;
        again.proof = await solve(metadata["challenge"], signal);
        return call(again);
      }
    },
    stream: (...call) => inner.stream(...call),
  };
}

/** Only what the platform calls UNAVAILABLE is tried again, with the same request id: a command is done once. */
function retries(attempts: number): Interceptor {
  return (next) => async (request) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await next(request);
      } catch (error) {
        if (request.stream || attempt >= attempts || !isRetryable(error)) throw error;
        await pause(backoff(attempt), request.signal);
      }
    }
  };
}

function bearer(token: Token | undefined): Interceptor {
  return (next) => async (request) => {
    const now = typeof token === "function" ? await token() : token;
    if (now) request.header.set("authorization", `Bearer ${now}`);
    return next(request);
  };
}

export function newRequestId(): string {
  const crypto = globalThis.crypto;
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  // A page that came over plain http from another machine has no randomUUID.
  const hex = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b, i) =>
    (i === 6 ? (b & 0x0f) | 0x40 : i === 8 ? (b & 0x3f) | 0x80 : b).toString(16).padStart(2, "0"),
  ).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
