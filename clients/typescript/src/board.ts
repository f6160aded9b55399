/** The board of a queue as an endless stream. Knows when a stream is broken and opens it again; knows no display. */
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { Code, type Client } from "@connectrpc/connect";
import { mppError, type MppError } from "./errors.js";
import type { QueueService } from "./gen/mpp/queue/v1/queue_service_pb.js";
import { QueueStatusSchema, type QueueStatus } from "./gen/mpp/queue/v1/ticket_pb.js";
import { backoff, pause } from "./pacing.js";

/** The platform says something every 15 s at the latest; after this silence (ms) the stream is taken for dead. */
const SILENCE = 45_000;
/** What opening the stream again cannot mend. */
const FINAL = new Set([Code.InvalidArgument, Code.NotFound, Code.PermissionDenied, Code.Unauthenticated, Code.Unimplemented]);

export interface WatchOptions {
  signal?: AbortSignal;
  /** Told each time the stream breaks and will be opened again: time to show "connecting". */
  onReconnect?: (error: MppError | undefined, attempt: number) => void;
  /** Milliseconds of silence after which the stream is taken for dead. */
  silence?: number;
}

/** See `MppClient.watchBoard`. Throws an MppError for what a new stream cannot mend (an unknown queue). */
export async function* watchBoard(
  client: Pick<Client<typeof QueueService>, "watchQueue">,
  queue: string,
  { signal, onReconnect, silence = SILENCE }: WatchOptions = {},
): AsyncGenerator<QueueStatus, void, undefined> {
  let failures = 0;
  while (!signal?.aborted) {
    let problem: MppError | undefined;
    const dog = new Watchdog(silence);
    try {
      const stop = signal ? AbortSignal.any([signal, dog.signal]) : dog.signal;
      for await (const status of client.watchQueue({ name: queue }, { signal: stop })) {
        failures = 0;
        dog.pat();
        yield status;
        dog.pat(); // the time that our caller took is not the platform's silence
      }
    } catch (error) {
      if (signal?.aborted) return;
      problem = mppError(error);
      if (FINAL.has(problem.code)) throw problem;
    } finally {
      dog.stop(); // also ends the stream when our caller leaves its loop
    }
    failures++;
    onReconnect?.(problem, failures);
    await pause(backoff(failures), signal).catch(() => undefined);
  }
}

/** Aborts its signal when it was not patted for a while. */
class Watchdog {
  private readonly controller = new AbortController();
  readonly signal = this.controller.signal;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly milliseconds: number) {
    this.pat();
  }

  pat(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.controller.abort(new Error("the stream was silent")), this.milliseconds);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.controller.abort(new Error("the watcher has left"));
  }
}

export interface BoardEvents {
  close(): void;
}

/**
 * The same over Server-Sent Events, for pages that use the browser's own `EventSource`. The browser opens a broken stream
 * again by itself; where it gives up (the gateway answered with an error) we do.
 */
export function boardEvents(
  baseUrl: string,
  queue: string,
  onStatus: (status: QueueStatus) => void,
  onReconnect: () => void = () => undefined,
): BoardEvents {
  const url = new URL(`/v1/${queue}:watch`, baseUrl);
  let [closed, attempt] = [false, 0];
  let source: EventSource;
  const open = () => {
    source = new EventSource(url);
    source.onmessage = (event: MessageEvent<string>) => {
      attempt = 0;
      onStatus(fromJson(QueueStatusSchema, JSON.parse(event.data) as JsonValue, { ignoreUnknownFields: true }));
    };
    source.onerror = () => {
      onReconnect();
      if (source.readyState !== EventSource.CLOSED) return;
      void pause(backoff(++attempt)).then(() => closed || open());
    };
  };
  open();
  return {
    close() {
      closed = true;
      source.close();
    },
  };
}
