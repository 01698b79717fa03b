// The page of the sample client: a button, the answer, and every check on the way. See oidc.js.

import * as oidc from "./oidc.js";

const at = (id) => document.getElementById(id);

const config = await (await fetch("/config.json")).json();
const redirect = new URL(config.redirect_uri);

if (location.origin !== redirect.origin) {
  // What is kept for the answer is kept per origin, and the answer goes to the redirect URI.
  location.replace(new URL("/", redirect));
} else {
  showConfig();
  at("sign-in").addEventListener("click", () => attempt(start));
  at("sign-in").disabled = false;
  if (location.pathname === redirect.pathname && location.search) await attempt(finish);
}

async function attempt(action) {
  at("sign-in").disabled = at("refresh").disabled = true;
  at("problem").hidden = true;
  try {
    await action();
  } catch (error) {
    showProblem(error);
  }
  at("sign-in").disabled = at("refresh").disabled = false;
}

async function start() {
  const metadata = await oidc.discover(config.issuer);
  location.assign(await oidc.authorizationUrl(config, metadata));
}

async function finish() {
  const query = new URLSearchParams(location.search);
  history.replaceState(null, "", "/"); // a code works once: a reload must not send it again
  at("sign-in").textContent = "Sign in again";
  const metadata = await oidc.discover(config.issuer);
  step("The metadata was found and speaks for this issuer");
  const answer = oidc.readAnswer(query, metadata);
  step("state and iss match: the answer is the one that this window asked for");
  const tokens = await oidc.redeem(config, metadata, answer);
  step("The code and its verifier were traded for tokens");
  const idToken = await readIdToken(tokens, metadata, answer.nonce);
  const access = await readAccessToken(tokens, metadata);
  const person = await oidc.userInfo(metadata, tokens.access_token, (idToken ?? access)?.claims.sub);
  step("UserInfo answered about the same person");
  showPerson(person);
  showTokens(tokens, idToken, access, person);
  offer("sign-out", () => location.assign(oidc.signOutUrl(config, metadata, tokens.id_token)));
  offerRefresh(metadata, tokens, person);
}

async function renew(metadata, { refresh_token }, person) {
  const tokens = await oidc.refresh(config, metadata, refresh_token);
  step("The refresh token was traded for new tokens, and for its own successor");
  const idToken = tokens.id_token && (await oidc.readToken(tokens.id_token, metadata, config.client_id));
  const access = await readAccessToken(tokens, metadata);
  const about = (idToken || access)?.claims.sub ?? person.sub;
  if (about !== person.sub) throw new oidc.SignInError("The new tokens speak about somebody else.");
  showTokens(tokens, idToken, access, person);
  offerRefresh(metadata, tokens, person);
}

function offerRefresh(metadata, tokens, person) {
  if (tokens.refresh_token) offer("refresh", () => attempt(() => renew(metadata, tokens, person)));
}

function offer(id, action) {
  at(id).hidden = false;
  at(id).onclick = action;
}

async function readIdToken(tokens, metadata, nonce) {
  if (!tokens.id_token) return null;
  const read = await oidc.readToken(tokens.id_token, metadata, config.client_id);
  if (!read) throw new oidc.SignInError("The ID token is not a JWT.");
  await oidc.checkIdToken(read, config, nonce, tokens.access_token);
  step("ID token: signature, iss, aud, exp and nonce are right");
  return read;
}

async function readAccessToken(tokens, metadata) {
  const audience = config.audience || config.client_id;
  const read = await oidc.readToken(tokens.access_token, metadata, audience);
  step(read ? "Access token: signature, iss, aud and exp are right" : "The access token is opaque");
  return read;
}

// Showing. Text goes in as text, never as markup.

function showConfig() {
  const rows = { Issuer: config.issuer, "Client ID": config.client_id };
  rows["Redirect URI"] = config.redirect_uri;
  rows.Scope = config.scope || "none";
  at("config").replaceChildren(
    ...Object.entries(rows).map(([name, value]) => element("div", element("dt", name), element("dd", value))),
  );
}

function step(text, className = "good") {
  at("steps-panel").hidden = false;
  at("steps").append(element("li", text));
  at("steps").lastChild.className = className;
}

function showProblem(error) {
  if (!(error instanceof oidc.SignInError)) console.error(error);
  const denied = error.code === "access_denied";
  announce(denied ? "You were not signed in" : "The sign-in did not succeed", "");
  at("problem").replaceChildren(element("span", error.message || "The provider gave no reason."));
  if (error.code) at("problem").prepend(element("code", error.code));
  at("problem").hidden = false;
  if (!at("steps-panel").hidden) step(`Stopped here: ${error.message || error.code}`, "bad");
}

function showPerson(person) {
  const name = person.name || person.unique_name || person.preferred_username || person.sub;
  announce(`Signed in as ${name}`, "Everything below was verified in this browser.");
}

function announce(title, summary) {
  at("title").textContent = title;
  at("summary").textContent = summary;
  at("summary").hidden = !summary;
  document.title = `${title} · Sample client`;
  at("title").focus();
}

function showTokens(tokens, idToken, access, person) {
  const panels = [
    tokenPanel("Access token", access),
    idToken && tokenPanel("ID token", idToken),
    panel("UserInfo", [["Claims", person]]),
    panel("Token answer", [["JSON, tokens shortened", shortened(tokens)]]),
  ];
  at("results").replaceChildren(...panels.filter(Boolean));
}

function tokenPanel(title, read) {
  if (!read) return panel(title, [], { note: "Opaque: only the provider can read it." });
  const until = new Date(read.claims.exp * 1000).toLocaleString();
  const parts = [["Header", read.header], ["Claims", read.claims]];
  return panel(title, parts, { badge: "Signature verified", note: `Valid until ${until}` });
}

function panel(title, parts, { badge = "", note = "" } = {}) {
  const made = at("result").content.cloneNode(true);
  made.querySelector("h2").textContent = title;
  for (const [selector, text] of [[".badge", badge], [".note", note]]) {
    made.querySelector(selector).textContent = text;
    made.querySelector(selector).hidden = !text;
  }
  for (const [name, value] of parts) {
    const code = element("pre", element("code", JSON.stringify(value, null, 2)));
    made.querySelector(".parts").append(element("h3", name), code);
  }
  return made;
}

function shortened(tokens) {
  const short = (value) => `${value.slice(0, 20)}…${value.slice(-6)} (${value.length} characters)`;
  const isToken = (name) => name.endsWith("_token");
  const entries = Object.entries(tokens);
  return Object.fromEntries(entries.map(([name, value]) => [name, isToken(name) ? short(value) : value]));
}

function element(name, ...content) {
  const made = document.createElement(name);
  made.append(...content);
  return made;
}
