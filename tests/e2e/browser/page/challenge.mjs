/**
 * A guest's page on a site that asks for work first: ALTCHA's own widget, as its makers publish it, and the client's own
 * answer. `window.first` and `window.second` are what the test calls; each gives the name of what was made.
 */
import "altcha";
import { createMppClient, mppError, newRequestId } from "@mpp/client";

const widget = document.querySelector("altcha-widget");
const { gateway } = await (await fetch("/config.json")).json();

/** The challenge that a refused call brings; everything else is an error. */
async function challengeOf(call) {
  const refused = await call.then(() => undefined, mppError);
  if (refused?.reason !== "CHALLENGE_REQUIRED") throw refused ?? new Error("nothing was asked for");
  return JSON.parse(refused.metadata.challenge);
}

async function byWidget(challenge) {
  await widget.configure({ challenge, minDuration: 0, workers: 2 });
  widget.reset();
  const done = await widget.verify();
  return done.payload;
}

/** A ticket and a held time, each with the widget's answer. */
window.first = async (token, queue, seconds) => {
  const mpp = createMppClient({ baseUrl: gateway, token, solve: false });
  const ticket = { parent: queue, requestId: newRequestId() };
  ticket.proof = await byWidget(await challengeOf(mpp.queue.takeTicket(ticket)));
  const slot = { parent: queue, start: { seconds: BigInt(seconds), nanos: 0 }, requestId: newRequestId() };
  slot.proof = await byWidget(await challengeOf(mpp.appointments.holdSlot(slot)));
  const [given, held] = [await mpp.queue.takeTicket(ticket), await mpp.appointments.holdSlot(slot)];
  const another = await mpp.queue.takeTicket({ ...ticket, requestId: newRequestId() }).catch(mppError);
  return { ticket: given.ticket.name, held: held.name, state: widget.getState(), another: another.metadata.why };
};

/** The same without a widget: the client answers by itself, with WebCrypto. */
window.second = async (token, queue) => {
  const mpp = createMppClient({ baseUrl: gateway, token });
  return (await mpp.queue.takeTicket({ parent: queue })).ticket.name;
};
document.body.dataset.ready = "yes";
