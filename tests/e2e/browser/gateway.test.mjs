/** The built client in Node against the running gateway (MPP_GATEWAY), with tokens in MPP_KIOSK and MPP_OFFICER. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, createMppClient, mppError, newRequestId, PriorityGroup, Ticket_State } from "../../../clients/typescript/dist/index.js";

const { MPP_GATEWAY: baseUrl, MPP_KIOSK: kiosk, MPP_OFFICER: officer } = process.env;
const queue = "sites/malang/queues/imigrasi";
const as = (token) => createMppClient({ baseUrl, token });

test("anyone may search", async () => {
  const { offerings } = await as().catalog.searchOfferings({ parent: "sites/malang", query: "paspor" });
  assert.ok(offerings.length > 0);
  assert.ok(offerings[0].displayName.id);
});

test("the same request id twice is one ticket; another content under it is refused", async () => {
  const requestId = newRequestId();
  const [one, two] = [await as(kiosk).queue.takeTicket({ parent: queue, requestId }), await as(kiosk).queue.takeTicket({ parent: queue, requestId })];
  assert.equal(one.ticket.name, two.ticket.name);
  assert.equal(one.ticket.state, Ticket_State.WAITING);
  const other = { parent: queue, requestId, priorityGroup: PriorityGroup.ELDERLY };
  assert.equal((await as(kiosk).queue.takeTicket(other).catch(mppError)).reason, "REQUEST_ID_REUSED");
});

test("errors carry a code, a reason and the field", async () => {
  const wrong = await as(kiosk).queue.takeTicket({ parent: "x" }).catch(mppError);
  assert.deepEqual([wrong.code, wrong.reason, wrong.fields[0].field], [Code.InvalidArgument, "INVALID_FIELD", "parent"]);
  const stranger = await as().queue.takeTicket({ parent: queue }).catch(mppError);
  assert.equal(stranger.code, Code.Unauthenticated);
  const kiosks = await as(kiosk).queue.callNext({ parent: queue, counter: 1 }).catch(mppError);
  assert.deepEqual([kiosks.code, kiosks.reason], [Code.PermissionDenied, "ROLE_MISSING"]);
  const rubbish = await as("x.y.z").queue.takeTicket({ parent: queue }).catch(mppError);
  assert.equal(rubbish.code, Code.Unauthenticated);
});

test("a board shows a call as it happens", async () => {
  const { ticket } = await as(kiosk).queue.takeTicket({ parent: queue });
  let called = false;
  for await (const status of as().watchBoard(queue, { signal: AbortSignal.timeout(30_000) })) {
    if (status.board.some((line) => line.number === ticket.number)) return assert.ok(called, "seen before it happened");
    if (!called) await callUntil(ticket.number);
    called = true;
  }
  assert.fail("the call was not seen");
});

/** Calls whoever comes first, and lets each go, until this number is at the counter. */
async function callUntil(number) {
  const { queue: desk } = as(officer);
  for (let calls = 0; calls < 200; calls++) {
    const next = await desk.callNext({ parent: queue, counter: 1 }).catch(mppError);
    if (next.reason === "COUNTER_BUSY") {
      await desk.startServing({ name: next.metadata.ticket }).catch(mppError); // it may be served already
      await desk.finishTicket({ name: next.metadata.ticket });
    } else if (next instanceof Error) throw next;
    else if (next.number === number) return;
  }
  assert.fail(`${number} does not come up`);
}
