// A relying party made of openid-client: https://github.com/panva/openid-client
import * as client from "openid-client";
import { registration, report, sendTheBrowserTo } from "./conversation.mjs";

const { issuer, clientId, clientSecret, method, redirectUri, scope, algorithm } = registration;
const proofs = {
  none: () => client.None(),
  client_secret_basic: () => client.ClientSecretBasic(clientSecret),
  client_secret_post: () => client.ClientSecretPost(clientSecret),
};
const config = await client.discovery(new URL(issuer), clientId, undefined, proofs[method](), {
  algorithm,
  execute: [client.allowInsecureRequests],
});
if (algorithm === "oidc") client.enableNonRepudiationChecks(config); // verify by jwks_uri, too

const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const expectedNonce = algorithm === "oidc" ? client.randomNonce() : undefined;
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: redirectUri,
  scope,
  state: expectedState,
  ...(expectedNonce && { nonce: expectedNonce }),
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: "S256",
});

const callback = await sendTheBrowserTo(url);
const tokens = await client.authorizationCodeGrant(config, callback, {
  pkceCodeVerifier,
  expectedState,
  expectedNonce,
});
const claims = tokens.claims();
const sub = claims ? claims.sub : client.skipSubjectCheck;
report({
  claims,
  accessToken: tokens.access_token,
  scope: tokens.scope,
  userinfo: await client.fetchUserInfo(config, tokens.access_token, sub),
});
