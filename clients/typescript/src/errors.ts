/** What went wrong, in the platform's words. Knows google.rpc's error details; knows no transport. */
import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";

export { Code };

export interface FieldViolation {
  /** `parent`, `site.name`: as in the proto. */
  field: string;
  description: string;
}

/** An error of the platform. `reason` is stable (`QUEUE_EMPTY`, `INVALID_FIELD`); `message` is for people. */
export class MppError extends Error {
  override readonly name = "MppError";
  readonly code: Code;
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly fields: readonly FieldViolation[];

  constructor(cause: ConnectError) {
    super(cause.rawMessage, { cause });
    const [info] = cause.findDetails(ErrorInfoSchema);
    this.code = cause.code;
    this.reason = info?.reason ?? "";
    this.metadata = info?.metadata ?? {};
    this.fields = cause
      .findDetails(BadRequestSchema)
      .flatMap((bad) => bad.fieldViolations.map(({ field, description }) => ({ field, description })));
  }
}

/** `try { ... } catch (e) { const error = mppError(e); if (error.reason === "QUEUE_EMPTY") ... }` */
export function mppError(error: unknown): MppError {
  return error instanceof MppError ? error : new MppError(ConnectError.from(error));
}

/** Whether the same call may be sent again: the platform, or the way to it, was not there. */
export function isRetryable(error: unknown): boolean {
  const found = ConnectError.from(error);
  // A browser tells of a broken connection by a TypeError, which becomes UNKNOWN.
  return found.code === Code.Unavailable || (found.code === Code.Unknown && found.cause instanceof TypeError);
}
