// A relying party made of openid-client that lives through everything after the sign-in.
import * as client from "openid-client";
import { registration, report, sendTheBrowserTo } from "./conversation.mjs";

const { issuer, clientId, clientSecret, redirectUri, postLogoutRedirectUri } = registration;
const config = await client.discovery(
  new URL(issuer), clientId, undefined, client.ClientSecretBasic(clientSecret),
  { execute: [client.allowInsecureRequests] },
);
const pkceCodeVerifier = client.randomPKCECodeVerifier();
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: redirectUri,
  scope: "openid email offline_access",
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: "S256",
});
const callback = await sendTheBrowserTo(url);
const tokens = await client.authorizationCodeGrant(config, callback, { pkceCodeVerifier });
const first = tokens.claims();

const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
const alive = await client.tokenIntrospection(config, renewed.access_token);
const own = await client.clientCredentialsGrant(config);
const state = client.randomState();
const leaving = client.buildEndSessionUrl(config, {
  id_token_hint: renewed.id_token,
  post_logout_redirect_uri: postLogoutRedirectUri,
  state,
});
await client.tokenRevocation(config, renewed.refresh_token);
const dead = await client.tokenIntrospection(config, renewed.access_token);
const refused = await client.refreshTokenGrant(config, renewed.refresh_token).catch((e) => e.error);
report({
  first,
  renewed: renewed.claims(),
  rotated: renewed.refresh_token !== tokens.refresh_token,
  alive,
  dead,
  refused,
  own: own.access_token,
  leaving: leaving.href,
  state,
});
