// A relying party made of openid-client that takes tokens from the authorization endpoint.
import * as client from "openid-client";
import { registration, report, sendTheBrowserTo } from "./conversation.mjs";

const { issuer, clientId, clientSecret, redirectUri, responseType, responseMode } = registration;
const config = await client.discovery(
  new URL(issuer), clientId, undefined, client.ClientSecretPost(clientSecret),
  { execute: [client.allowInsecureRequests] },
);
if (responseType === "id_token") client.useIdTokenResponseType(config);
else client.useCodeIdTokenResponseType(config);

const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const expectedNonce = client.randomNonce();
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: redirectUri,
  scope: "openid email",
  state: expectedState,
  nonce: expectedNonce,
  ...(responseMode && { response_mode: responseMode }),
  ...(responseType !== "id_token" && {
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
  }),
});

const callback = await sendTheBrowserTo(url);
if (responseType === "id_token") {
  report({ claims: await client.implicitAuthentication(config, callback, expectedNonce, { expectedState }) });
} else {
  // Verifies the ID token of the front channel, and its c_hash, before it redeems the code.
  const checks = { pkceCodeVerifier, expectedState, expectedNonce };
  const tokens = await client.authorizationCodeGrant(config, callback, checks);
  report({ claims: tokens.claims(), accessToken: tokens.access_token });
}
