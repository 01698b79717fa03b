// A client made of oauth4webapi: https://github.com/panva/oauth4webapi
import * as oauth from "oauth4webapi";
import { registration, report, sendTheBrowserTo } from "./conversation.mjs";

const { clientId, clientSecret, method, redirectUri, scope, algorithm } = registration;
const issuer = new URL(registration.issuer);
const loopback = { [oauth.allowInsecureRequests]: true };
const proofs = {
  none: () => oauth.None(),
  client_secret_basic: () => oauth.ClientSecretBasic(clientSecret),
  client_secret_post: () => oauth.ClientSecretPost(clientSecret),
};
const found = await oauth.discoveryRequest(issuer, { algorithm, ...loopback });
const as = await oauth.processDiscoveryResponse(issuer, found);
const client = { client_id: clientId };

const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const nonce = algorithm === "oidc" ? oauth.generateRandomNonce() : undefined;
const url = new URL(as.authorization_endpoint);
url.search = new URLSearchParams({
  client_id: clientId,
  redirect_uri: redirectUri,
  response_type: "code",
  scope,
  state,
  ...(nonce && { nonce }),
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
});

const callback = oauth.validateAuthResponse(as, client, await sendTheBrowserTo(url), state);
const response = await oauth.authorizationCodeGrantRequest(
  as, client, proofs[method](), callback, redirectUri, verifier, loopback,
);
const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, {
  expectedNonce: nonce,
  requireIdToken: algorithm === "oidc",
});
const claims = oauth.getValidatedIdTokenClaims(tokens);
if (claims) await oauth.validateApplicationLevelSignature(as, response, loopback);

const asked = await oauth.userInfoRequest(as, client, tokens.access_token, loopback);
const sub = claims ? claims.sub : oauth.skipSubjectCheck;
report({
  claims,
  accessToken: tokens.access_token,
  scope: tokens.scope,
  userinfo: await oauth.processUserInfoResponse(as, client, sub, asked),
  // An API that takes our tokens reads them by RFC 9068, which only at+jwt claims to follow.
  resource: claims && (await readAsAnApiWould(tokens.access_token)),
});

async function readAsAnApiWould(accessToken) {
  const request = new Request("https://api.example.com/notes", {
    headers: { authorization: `Bearer ${accessToken}` },
  });
  return oauth.validateJwtAccessToken(as, request, clientId, loopback);
}
