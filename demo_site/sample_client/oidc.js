// What a public client does: authorization code with PKCE (RFC 7636), by discovery, with every
// check that RFC 9700 and OpenID Connect Core ask of a client. No page in here: see app.js.

const LEEWAY = 60; // seconds that two clocks may differ
const KEPT = "sign-in:";

const ALGORITHMS = {
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  PS256: { name: "RSA-PSS", hash: "SHA-256", saltLength: 32 },
  ES256: { name: "ECDSA", hash: "SHA-256", namedCurve: "P-256" },
};

/** A sentence for the person, and the wire code if the provider sent one. */
export class SignInError extends Error {
  constructor(message, code = "") {
    super(message);
    this.code = code;
  }
}

/** The provider's metadata; it must speak for exactly the issuer that was configured. */
export async function discover(issuer) {
  const metadata = await fetchJson(`${issuer}.well-known/openid-configuration`);
  demand(metadata.issuer === issuer, `The metadata speaks for another issuer: ${metadata.issuer}`);
  return metadata;
}

/** Where to send the browser. What the answer must match is kept for this window only. */
export async function authorizationUrl(config, metadata) {
  const state = randomText();
  const nonce = randomText();
  const verifier = randomText();
  sessionStorage.setItem(KEPT + state, JSON.stringify({ nonce, verifier }));
  const url = new URL(metadata.authorization_endpoint);
  const parameters = {
    response_type: "code",
    client_id: config.client_id,
    redirect_uri: config.redirect_uri,
    state,
    code_challenge: base64url(await sha256(verifier)),
    code_challenge_method: "S256",
  };
  if (config.scope) parameters.scope = config.scope;
  if (asksForIdToken(config)) parameters.nonce = nonce;
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url;
}

/** The code and what belongs to it, once the answer is known to be ours (state, RFC 9207 iss). */
export function readAnswer(query, metadata) {
  const key = KEPT + (query.get("state") ?? "");
  const kept = sessionStorage.getItem(key);
  sessionStorage.removeItem(key); // one answer per request
  demand(kept, "This answer does not belong to a sign-in that was started in this window.");
  const iss = query.get("iss");
  const due = metadata.authorization_response_iss_parameter_supported;
  demand(iss === metadata.issuer || (iss === null && !due), "The answer comes from another issuer.");
  if (query.has("error")) {
    throw new SignInError(query.get("error_description") ?? "", query.get("error"));
  }
  demand(query.get("code"), "The answer holds neither a code nor an error.");
  return { code: query.get("code"), ...JSON.parse(kept) };
}

/** Trade the code and its verifier for tokens. */
export async function redeem(config, metadata, { code, verifier }) {
  const tokens = await fetchJson(metadata.token_endpoint, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri: config.redirect_uri,
      client_id: config.client_id,
      code_verifier: verifier,
    }),
  });
  demand(tokens.token_type?.toLowerCase() === "bearer", "The token answer is not of type Bearer.");
  const due = asksForIdToken(config) && tokens.scope?.split(" ").includes("openid");
  demand(tokens.id_token || !due, "The scope openid was granted, but there is no ID token.");
  return tokens;
}

/** Trade a refresh token for fresh tokens; a public client gets a new refresh token each time. */
export async function refresh(config, metadata, refreshToken) {
  return fetchJson(metadata.token_endpoint, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: refreshToken,
      client_id: config.client_id,
    }),
  });
}

/** Where to send the browser to sign out; an ID token as a hint spares the person the question. */
export function signOutUrl(config, metadata, idToken) {
  const url = new URL(metadata.end_session_endpoint);
  url.searchParams.set("client_id", config.client_id);
  url.searchParams.set("post_logout_redirect_uri", new URL("/", config.redirect_uri));
  if (idToken) url.searchParams.set("id_token_hint", idToken);
  return url;
}

/** A JWT's header and claims, verified against the issuer's keys; null for an opaque token. */
export async function readToken(token, metadata, audience) {
  const parts = token.split(".");
  if (parts.length !== 3) return null;
  const [header, claims] = parts.slice(0, 2).map(decodeJson);
  await verifySignature(parts, header, metadata.jwks_uri);
  const now = Date.now() / 1000;
  demand(claims.iss === metadata.issuer, "The token comes from another issuer.");
  demand([claims.aud].flat().includes(audience), "The token is meant for another audience.");
  demand(claims.exp > now - LEEWAY, "The token has expired.");
  return { header, claims };
}

/** What only an ID token must satisfy (OpenID Connect Core §3.1.3.7, §3.1.3.8). */
export async function checkIdToken({ header, claims }, config, nonce, accessToken) {
  demand(claims.nonce === nonce, "The ID token belongs to another request.");
  demand((claims.azp ?? config.client_id) === config.client_id, "The ID token is another client's.");
  if (claims.at_hash && header.alg in ALGORITHMS) {
    const half = (await sha256(accessToken)).slice(0, 16);
    demand(claims.at_hash === base64url(half), "The access token does not belong to the ID token.");
  }
}

/** The claims about the person; they must be about the one who signed in. */
export async function userInfo(metadata, accessToken, subject) {
  const claims = await fetchJson(metadata.userinfo_endpoint, {
    headers: { Authorization: `Bearer ${accessToken}` },
  });
  demand(!subject || claims.sub === subject, "UserInfo speaks about somebody else.");
  return claims;
}

async function verifySignature([header64, claims64, signature64], header, jwksUri) {
  const algorithm = ALGORITHMS[header.alg];
  demand(algorithm, `This client does not accept tokens signed with ${header.alg}.`);
  demand(!("crit" in header), "The token demands an extension that this client does not know.");
  const { keys } = await fetchJson(jwksUri);
  const jwk = keys.find((key) => key.kid === header.kid);
  demand(jwk, "The token is signed with a key that the issuer does not publish.");
  const key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["verify"]);
  const signed = new TextEncoder().encode(`${header64}.${claims64}`);
  const good = await crypto.subtle.verify(algorithm, key, decode(signature64), signed);
  demand(good, "The signature of the token is wrong.");
}

async function fetchJson(url, options) {
  let answer;
  try {
    answer = await fetch(url, { credentials: "omit", referrerPolicy: "no-referrer", ...options });
  } catch {
    const { origin } = new URL(url);
    throw new SignInError(`Nothing answers at ${origin}, or this page may not read the answer.`);
  }
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  throw new SignInError(body.error_description ?? `${url} answered ${answer.status}.`, body.error);
}

function asksForIdToken(config) {
  return config.scope.split(" ").includes("openid");
}

function demand(condition, otherwise) {
  if (!condition) throw new SignInError(otherwise);
}

function randomText() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

async function sha256(text) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

function base64url(bytes) {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function decode(text) {
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(raw, (character) => character.charCodeAt(0));
}

function decodeJson(text) {
  try {
    return JSON.parse(new TextDecoder().decode(decode(text)));
  } catch {
    throw new SignInError("The token cannot be read.");
  }
}
