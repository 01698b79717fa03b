// A machine made of oauth4webapi: nobody signs in, a service user acts for itself.
import * as oauth from "oauth4webapi";
import { registration, report } from "./conversation.mjs";

const { clientId, clientSecret, scope } = registration;
const issuer = new URL(registration.issuer);
const loopback = { [oauth.allowInsecureRequests]: true };
const found = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...loopback });
const as = await oauth.processDiscoveryResponse(issuer, found);
const client = { client_id: clientId };
const proof = oauth.ClientSecretBasic(clientSecret);

const tokens = await oauth.processClientCredentialsResponse(
  as, client, await oauth.clientCredentialsGrantRequest(as, client, proof, { scope }, loopback),
);
const introspect = async () => oauth.processIntrospectionResponse(
  as, client, await oauth.introspectionRequest(as, client, proof, tokens.access_token, loopback),
);
const alive = await introspect();
await oauth.processRevocationResponse(
  await oauth.revocationRequest(as, client, proof, tokens.access_token, loopback),
);
report({ accessToken: tokens.access_token, scope: tokens.scope, alive, dead: await introspect() });
