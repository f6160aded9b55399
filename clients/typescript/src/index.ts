/** The public face of `@mpp/client`. Messages and schemas are under `@mpp/client/gen/mpp/<service>/v1/..._pb`. */
export { boardEvents, watchBoard, type BoardEvents, type WatchOptions } from "./board.js";
export { solveChallenge } from "./challenge.js";
export { createMppClient, newRequestId, type MppClient, type MppClientOptions, type Token } from "./client.js";
export { Code, isRetryable, mppError, MppError, type FieldViolation } from "./errors.js";
export { services } from "./gen/services.js";
export * from "./login.js";
export { PriorityGroup, Ticket_State } from "./gen/mpp/queue/v1/ticket_pb.js";
