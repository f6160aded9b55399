/** A citizen's page: log in, take a number, watch the board. What a frontend team would write with @mpp/client. */
import { boardEvents, createMppClient, finishLogin, logout, mppError, startLogin, type Tokens } from "@mpp/client";

const QUEUE = "sites/malang/queues/dukcapil";
const config = (await (await fetch("/config.json")).json()) as { gateway: string; issuer: string };
const sso = { issuer: config.issuer, clientId: "frontend", redirectUri: `${location.origin}/` };
let tokens: Tokens | undefined;
let mine = "";

const mpp = createMppClient({ baseUrl: config.gateway, token: () => tokens?.accessToken });
Object.assign(window, { mpp, mppError }); // for the test's own calls

const at = (id: string) => document.getElementById(id) as HTMLElement;
const show = (id: string, text: string) => (at(id).textContent = text);

function problem(error: unknown): void {
  const { reason, message } = mppError(error);
  show("problem", `${reason || "ERROR"}: ${message}`);
}

at("login").onclick = () => startLogin(sso).catch(problem);
at("logout").onclick = () => logout(sso, tokens?.idToken, `${location.origin}/`).catch(problem);
at("take").onclick = async () => {
  try {
    const issued = await mpp.queue.takeTicket({ parent: QUEUE });
    mine = issued.ticket?.number ?? "";
    show("number", mine);
    show("ahead", `${issued.peopleAhead} orang di depan Anda / people before you`);
    at("ticket").hidden = false;
    at("take").hidden = true;
  } catch (error) {
    problem(error);
  }
};

boardEvents(config.gateway, QUEUE, (status) => {
  show("waiting", String(status.waiting));
  const rows = status.board.map(({ number, counter }) => {
    const row = document.createElement("tr");
    for (const text of [number, counter]) row.insertCell().textContent = String(text);
    return row;
  });
  at("board").replaceChildren(...rows);
  const call = status.board.find(({ number }) => number === mine);
  if (!call) return;
  show("called", `Silakan ke loket ${call.counter} / Please go to counter ${call.counter}`);
  show("ahead", "");
});

try {
  tokens = await finishLogin(sso);
  if (tokens) {
    const reply = await fetch(`${config.issuer}/userinfo`, { headers: { authorization: `Bearer ${tokens.accessToken}` } });
    show("who", ((await reply.json()) as { name: string }).name);
    at("out").hidden = true;
    at("in").hidden = false;
  }
} catch (error) {
  problem(error);
}
document.body.dataset["ready"] = "yes";
