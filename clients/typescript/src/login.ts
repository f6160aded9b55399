/**
 * Logging a person in from a browser: OpenID Connect, authorization code with PKCE, a public client. Knows the issuer's
 * discovery document and this tab's session storage; checks state, nonce and issuer. Knows no user interface.
 */

export interface LoginOptions {
  /** The issuer's address, as in its discovery document and in `iss` of its tokens. */
  issuer: string;
  clientId: string;
  /** Where the issuer sends the browser back; must be one that the issuer knows. This page by default. */
  redirectUri?: string;
  scope?: string;
  /** Further parameters of the request: `{ prompt: "login" }`. */
  extra?: Record<string, string>;
}

export interface Tokens {
  accessToken: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
  idToken?: string;
  refreshToken?: string;
}

interface Discovery {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
  end_session_endpoint?: string;
  authorization_response_iss_parameter_supported?: boolean;
}

interface Pending {
  state: string;
  nonce: string;
  verifier: string;
  redirectUri: string;
}

const KEPT = "mpp.login";

export class LoginError extends Error {
  override readonly name = "LoginError";
  constructor(
    /** The OAuth error (`access_denied`), or what was wrong with the answer (`state_mismatch`). */
    readonly error: string,
    message: string,
  ) {
    super(message);
  }
}

/** Send the browser to the login page. It comes back to `redirectUri`; call `finishLogin` there. */
export async function startLogin(options: LoginOptions): Promise<void> {
  const found = await discover(options.issuer);
  const pending: Pending = {
    state: random(),
    nonce: random(),
    verifier: random(),
    redirectUri: options.redirectUri ?? location.origin + location.pathname,
  };
  sessionStorage.setItem(KEPT, JSON.stringify(pending));
  const url = new URL(found.authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: options.clientId,
    redirect_uri: pending.redirectUri,
    scope: options.scope ?? "openid profile",
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await challenge(pending.verifier),
    code_challenge_method: "S256",
    ...options.extra,
  }).toString();
  location.assign(url);
}

/** On the page that the issuer came back to: the tokens. `undefined` when this is no return from a login. */
export async function finishLogin(options: LoginOptions): Promise<Tokens | undefined> {
  const answer = new URLSearchParams(location.search);
  if (!answer.has("code") && !answer.has("error")) return undefined;
  history.replaceState(null, "", location.pathname); // a code in the address would be bookmarked and shared
  const kept = sessionStorage.getItem(KEPT);
  sessionStorage.removeItem(KEPT);
  const pending = kept ? (JSON.parse(kept) as Pending) : undefined;
  if (!pending || answer.get("state") !== pending.state) {
    throw new LoginError("state_mismatch", "the answer belongs to another login");
  }
  const found = await discover(options.issuer);
  const from = answer.get("iss");
  if (from === null ? found.authorization_response_iss_parameter_supported : from !== found.issuer) {
    throw new LoginError("issuer_mismatch", "the answer is of another issuer");
  }
  if (answer.has("error")) throw new LoginError(answer.get("error") ?? "", answer.get("error_description") ?? "");
  const tokens = await ask(found, {
    grant_type: "authorization_code",
    code: answer.get("code") ?? "",
    redirect_uri: pending.redirectUri,
    client_id: options.clientId,
    code_verifier: pending.verifier,
  });
  if (tokens.idToken && claims(tokens.idToken)["nonce"] !== pending.nonce) {
    throw new LoginError("nonce_mismatch", "the ID token belongs to another login");
  }
  return tokens;
}

/** New tokens for a refresh token (scope `offline_access`). Use the new refresh token from then on. */
export async function refreshLogin(options: LoginOptions, refreshToken: string): Promise<Tokens> {
  return ask(await discover(options.issuer), {
    grant_type: "refresh_token",
    refresh_token: refreshToken,
    client_id: options.clientId,
  });
}

/** Log out at the issuer too; it sends the browser to `returnTo` when it knows that address. */
export async function logout(options: LoginOptions, idToken?: string, returnTo?: string): Promise<void> {
  const found = await discover(options.issuer);
  if (!found.end_session_endpoint) return;
  const url = new URL(found.end_session_endpoint);
  url.searchParams.set("client_id", options.clientId);
  if (idToken) url.searchParams.set("id_token_hint", idToken);
  if (returnTo) url.searchParams.set("post_logout_redirect_uri", returnTo);
  location.assign(url);
}

async function discover(issuer: string): Promise<Discovery> {
  const reply = await fetch(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, { credentials: "omit" });
  if (!reply.ok) throw new LoginError("issuer_unavailable", `the issuer answered ${reply.status}`);
  const found = (await reply.json()) as Discovery;
  if (found.issuer !== issuer) throw new LoginError("issuer_mismatch", `${issuer} calls itself ${found.issuer}`);
  return found;
}

async function ask(found: Discovery, form: Record<string, string>): Promise<Tokens> {
  const body = new URLSearchParams(form);
  const reply = await fetch(found.token_endpoint, { method: "POST", body, credentials: "omit" });
  const said = (await reply.json()) as Record<string, unknown>;
  if (!reply.ok) throw new LoginError(String(said["error"]), String(said["error_description"] ?? ""));
  return {
    accessToken: String(said["access_token"]),
    expiresAt: Date.now() + Number(said["expires_in"] ?? 300) * 1000,
    ...(said["id_token"] ? { idToken: String(said["id_token"]) } : {}),
    ...(said["refresh_token"] ? { refreshToken: String(said["refresh_token"]) } : {}),
  };
}

/** The claims of a token that came straight from the issuer over TLS (OpenID Connect Core 3.1.3.7, point 6): unchecked. */
function claims(token: string): Record<string, unknown> {
  const part = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
  const bytes = Uint8Array.from(atob(part), (c) => c.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
}

function random(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

/** RFC 7636 S256. `crypto.subtle` is there on https and on localhost. */
async function challenge(verifier: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
