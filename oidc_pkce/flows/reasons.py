"""Why a request was refused, in a sentence for whoever looks after the application.

One for each check, by its name; one for each near miss, with what to do about it.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..protocol.near_miss import NearMiss

Text = str | Promise

#: By the name of the check that failed.
REASONS: Mapping[str, Text] = {
    "application.known": _("Refused because no application has this Application ID."),
    "application.prefix": _("Refused because the issuers are under another path of this server."),
    "authorize.access": _("Refused because this person may not use the application."),
    "authorize.acr": _("Refused because this person cannot prove as much as is asked for."),
    "authorize.claims": _("Refused because the parameter claims cannot be understood."),
    "authorize.client_id": _("Refused because the application does not serve this client."),
    "authorize.code_challenge": _("Refused because the code_challenge is missing or malformed."),
    "authorize.code_challenge_method": _(
        "Refused because the application does not take this code_challenge_method."
    ),
    "authorize.consent": _(
        "Refused because the client asked for silence, but the person has not allowed it yet."
    ),
    "authorize.enabled": _("Refused because the application is disabled."),
    "authorize.flow": _("Refused because the application does not offer this flow."),
    "authorize.hinted_person": _(
        "Refused because somebody other than the person asked for is signed in."
    ),
    "authorize.id_token": _(
        "Refused because the client asks for an ID token without the scope openid or a nonce."
    ),
    "authorize.id_token_hint": _(
        "Refused because the id_token_hint is no ID token of this application for this client."
    ),
    "authorize.length": _("Refused because the request is too long to travel in an address."),
    "authorize.max_age": _("Refused because max_age is not a whole number of seconds."),
    "authorize.network": _("Refused because the browser is outside the allowed networks."),
    "authorize.parameters": _("Refused because a parameter is repeated, unreadable or too long."),
    "authorize.prompt": _("Refused because prompt holds what nobody knows, or contradicts itself."),
    "authorize.readable": _("Refused because client_id or redirect_uri is repeated or unreadable."),
    "authorize.redirect_uri": _(
        "Refused because the redirect URI is not one of the Allowed Redirects."
    ),
    "authorize.request_object": _("Refused because no request object can be taken here."),
    "authorize.resource": _("Refused because a resource is not an absolute URI."),
    "authorize.response_mode": _(
        "Refused because this response_mode cannot carry the answer to this redirect URI."
    ),
    "authorize.response_type": _("Refused because nobody knows this response_type."),
    "authorize.scope": _("Refused because the application does not define this scope."),
    "authorize.sign_in": _(
        "Refused because the client asked for silence, but nobody is signed in as it demands."
    ),
    "authorize.step_up": _(
        "Refused because the client asked for silence, but the person has to prove more first."
    ),
    "bearer.access": _("Refused because the user of this access token may not use it any more."),
    "bearer.application": _("Refused because another application issued this access token."),
    "bearer.client": _("Refused because the application no longer serves the token's client."),
    "bearer.form": _("Refused because a parameter of the form is repeated or unreadable."),
    "bearer.form_field": _("Refused because the form holds more than one access_token."),
    "bearer.json": _("Refused because the body says that it is JSON, and is not."),
    "bearer.present": _("Refused because no access token was sent."),
    "bearer.readable": _("Refused because the access token was sent in two places."),
    "bearer.token": _("Refused because the access token is unknown, expired or revoked."),
    "client.attempts": _("Refused because too many wrong secrets were sent lately."),
    "client.known": _("Refused because there is no such client, or its secret is wrong."),
    "client.named": _("Refused because the request does not say which client sends it."),
    "client.presented": _("Refused because the client's credentials cannot be read."),
    "client.public": _("Refused because a public client sent a secret."),
    "client.secret": _("Refused because the client sent no secret, and must."),
    "client.service_user": _("Refused because the service user is inactive, or lacks its flag."),
    "client_credentials.access": _("Refused because the service user may not use the application."),
    "client_credentials.client": _("Refused because this grant is for clients with a secret."),
    "client_credentials.network": _("Refused because the client is outside the allowed networks."),
    "code.application": _("Refused because another application issued this code."),
    "code.client": _("Refused because the code was issued to another client."),
    "code.client_authentication": _(
        "Refused because the client sent no secret, and the code is bound to no challenge."
    ),
    "code.grant": _("Refused because what the person allowed was revoked meanwhile."),
    "code.known": _("Refused because this server knows no such code."),
    "code.lifetime": _("Refused because the code had expired."),
    "code.parameters": _("Refused because code or redirect_uri is missing or too long."),
    "code.redirect_uri": _(
        "Refused because the redirect URI is not that of the authorization request."
    ),
    "code.single_use": _("Refused because the code had been redeemed before."),
    "code.verifier": _("Refused because the code_verifier does not fit the code_challenge."),
    "consent.allowed": _("Refused because the person did not allow it."),
    "consent.openid": _("Refused because the person took away openid, which an ID token needs."),
    "end_session.client_id": _(
        "The sign-out was not believed because the application does not serve this client."
    ),
    "end_session.id_token_hint": _(
        "The sign-out was not believed because the id_token_hint is no ID token of this server."
    ),
    "end_session.issuer": _(
        "The sign-out was not believed because another application issued the id_token_hint."
    ),
    "end_session.page": _(
        "Refused because the sign-out page was shown to another person or browser."
    ),
    "end_session.parameters": _("Refused because a parameter is repeated, unreadable or too long."),
    "end_session.post_logout_redirect_uri": _(
        "Refused because the address after the sign-out is not a registered one."
    ),
    "end_session.session": _(
        "The person was asked because the id_token_hint is about another person or session."
    ),
    "introspection.access": _("“Not active” because the token's user may not use it any more."),
    "introspection.application": _("“Not active” because another application issued the token."),
    "introspection.caller": _("Refused because whoever asks did not prove itself by a secret."),
    "introspection.client": _(
        "“Not active” because the application no longer serves the token's client."
    ),
    "introspection.owner": _(
        "“Not active” because the token is neither issued to nor meant for whoever asks."
    ),
    "introspection.refresh": _(
        "“Not active” because the application no longer offers refresh tokens."
    ),
    "introspection.token": _("“Not active” because the token is unknown, expired or revoked."),
    "page.csrf": _("Refused because the form was not sent from the page that it belongs to."),
    "page.fresh": _("Refused because the page is too old, or was not made by this server."),
    "page.person": _("Refused because the page was shown to another person or browser."),
    "page.readable": _("Refused because the form is not one that these pages send."),
    "page.sign_in": _("Refused because the person has to sign in again first."),
    "password.access": _("Refused because this person may not use the application."),
    "password.client": _("Refused because this grant is for clients with a secret."),
    "password.network": _("Refused because the client is outside the allowed networks."),
    "password.parameters": _("Refused because the user name or the password is missing."),
    "password.required_acr": _("Refused because the Policy asks for more than a password."),
    "password.sign_in": _("Refused because user name or password is wrong, or too often was."),
    "presented.token": _("Refused because no token was sent."),
    "refresh.application": _("Refused because another application issued this refresh token."),
    "refresh.client": _("Refused because the refresh token was issued to another client."),
    "refresh.client_authentication": _(
        "Refused because the token was issued to a secret, and none was sent."
    ),
    "refresh.grant": _("Refused because what the person allowed was revoked."),
    "refresh.known": _("Refused because this server knows no such refresh token."),
    "refresh.lifetime": _("Refused because the refresh token has expired."),
    "refresh.parameters": _("Refused because the refresh token is missing or too long."),
    "refresh.scope": _("Refused because this scope was not granted."),
    "refresh.single_use": _("Refused because the refresh token had been used before."),
    "remote.audience": _("Refused because the token was issued for another API."),
    "remote.issuer": _("Refused because this API takes no tokens of that server."),
    "remote.keys": _("Refused because the keys of the token's issuer cannot be fetched."),
    "remote.token": _("Refused because the token is forged, expired, or no access token."),
    "request.size": _("Refused because the request is too large."),
    "request_object.audience": _("Refused because the request object is for another server."),
    "request_object.client": _("Refused because the request object is another client's."),
    "request_object.members": _("Refused because the request object holds what is no parameter."),
    "request_object.response_type": _(
        "Refused because response_type differs inside and outside the request object."
    ),
    "request_object.signature": _(
        "Refused because none of the client's keys signed the request object."
    ),
    "request_object.times": _("Refused because the request object is out of time."),
    "resource_server.application": _("Refused because this API takes no tokens of that one."),
    "resource_server.audience": _("Refused because the token was issued for another API."),
    "resource_server.path": _("Refused because no granted scope opens this path."),
    "resource_server.scope": _("Refused because a scope that this needs was not granted."),
    "resource_server.user": _("Refused because the user of the token is not active here."),
    "revocation.client": _("Nothing was revoked because the token was issued to another client."),
    "revocation.client_authentication": _(
        "Nothing was revoked because the token was issued to a secret, and none was sent."
    ),
    "revocation.token": _("Nothing was revoked because there is no such live token here."),
    "login.attempts": _("Refused because too many sign-ins failed lately, there or from there."),
    "login.credentials": _("Not signed in because user name or password is wrong."),
    "server.available": _("Not answered because the server was busy or its storage was away."),
    "token.access": _("Refused because the user may not use the application any more."),
    "token.flow": _("Refused because the application does not offer this grant."),
    "token.grant_type": _("Refused because grant_type is missing, or nobody knows it."),
    "token.parameters": _("Refused because a parameter is repeated, unreadable or in the query."),
    "token.resource": _("Refused because the person did not allow this resource."),
    "token.resource_form": _("Refused because a resource is not an absolute URI."),
    "token.scope": _("Refused because the application does not define this scope."),
}
#: More exactly, where the refusal said one of these in its detail or its description.
SAID: Mapping[str, Text] = {
    "the application is disabled": _("Refused because the application is disabled."),
    "the user is not active": _("Refused because this user is not active."),
    "a service user cannot sign in as a person": _(
        "Refused because this is a service user, who cannot sign in as a person."
    ),
    "no row of Permissions gives the user the Run right": _(
        "Refused because no row of Permissions gives this user the Run right."
    ),
    "the user is gone": _("Refused because the user was deleted."),
    "no such client": _("Refused because the application has no such client."),
    "the secret is wrong or has expired": _(
        "Refused because the client's secret is wrong or has expired."
    ),
    "the service user is not active": _("Refused because the service user is not active."),
    "Must be OAuth Client is ticked, and the service user lacks the flag": _(
        "Refused because Must be OAuth Client is ticked, and the service user is not flagged."
    ),
    "code_verifier is missing": _("Refused because the code_verifier is missing."),
    "a verifier was sent, but the code has no challenge": _(
        "Refused because a code_verifier was sent, though no code_challenge had been."
    ),
    "the token has expired": _("Refused because the access token has expired."),
    "this is not an access token": _("Refused because what was sent is no access token."),
    "client_id is missing": _("Refused because the request names no client_id."),
    "redirect_uri is missing": _("Refused because the request names no redirect_uri."),
    "response_type is missing": _("Refused because the request names no response_type."),
    "grant_type is missing": _("Refused because the request names no grant_type."),
    "code is missing": _("Refused because no code was sent."),
    "nonce is missing": _("Refused because an ID token needs a nonce, and none was sent."),
    "an ID token needs the scope openid": _(
        "Refused because an ID token needs the scope openid, and it was not asked for."
    ),
    "code_challenge is required": _(
        "Refused because the application requires PKCE, and no code_challenge was sent."
    ),
    "a token never travels in a query": _("Refused because a token never travels in a query."),
}
#: For a check of another version of this server.
OTHER_REASON = _("Refused by a check that this version does not have.")


#: Where a failed check is no refusal: another answer is given, or something is not believed.
ANSWERED = ("introspection.", "revocation.", "end_session.")


def reason(check: str, *said: str) -> str:
    """Why the request was refused; ``said`` is what the refusal said of itself."""
    if not check.startswith(ANSWERED):
        for text in said:
            if text in SAID:
                return str(SAID[text])
    return str(REASONS.get(check, OTHER_REASON))


#: What is nearly right, and what to do.
NEAR_MISSES: Mapping[NearMiss, Text] = {
    NearMiss.TRAILING_SLASH: _(
        "One of the addresses ends with a slash (/), the other one does not. Register the address"
        " exactly as the client sends it, or correct the client."
    ),
    NearMiss.SCHEME: _(
        "One of the addresses begins with http://, the other one with https://. Often a proxy hides"
        " from the client that people come by https: tell the client its public address."
    ),
    NearMiss.PORT: _(
        "Only the port differs. Register the port that the client uses, or let it listen on the"
        " registered one."
    ),
    NearMiss.LETTER_CASE: _(
        "Only capital and small letters differ. They count: write both in the same way."
    ),
    NearMiss.WHITE_SPACE: _(
        "What was sent has white space at one of its ends. Look for a space or a line break in the"
        " client's configuration."
    ),
    NearMiss.LOOPBACK_NAME: _(
        "One of the addresses says localhost, the other one 127.0.0.1 or [::1]. They are different"
        " addresses here: write both in the same way."
    ),
    NearMiss.DOUBLE_ENCODING: _(
        "What was sent is percent-encoded once too often. Hand the plain value to the client"
        " library, which encodes it itself."
    ),
    NearMiss.QUERY: _(
        "The query, which begins at the question mark, differs. Keep what varies in state, not in"
        " the redirect URI."
    ),
    NearMiss.FRAGMENT: _(
        "What was sent has a fragment, which begins at #. No redirect URI may have one: use an"
        " address without it."
    ),
    NearMiss.PATH: _(
        "The server is the same, but not the path. Register the address exactly as the client"
        " sends it, or correct the client."
    ),
    NearMiss.COMMAS: _("The scopes are separated by commas. Separate them by spaces."),
    NearMiss.CHALLENGE_AS_VERIFIER: _(
        "The client sent one and the same value as code_challenge and as code_verifier. The"
        " challenge is the S256 hash of the verifier: hash it for the first request, and send it"
        " as it is with the second one."
    ),
    NearMiss.VERIFIER_AS_CHALLENGE: _(
        "The client sent the verifier itself as code_challenge, though it announced S256. Send its"
        " S256 hash with the first request."
    ),
    NearMiss.METHOD_LEFT_OUT: _(
        "The client did not say how it made the code_challenge, which means plain. Send"
        " code_challenge_method=S256 beside it."
    ),
    NearMiss.PADDING: _(
        "The value ends with =, the padding of base64. Leave it away, before hashing, too."
    ),
    NearMiss.STANDARD_BASE64: _(
        "The value is written in ordinary base64, with + and /. PKCE takes the URL-safe kind, with"
        " - and _ instead."
    ),
    NearMiss.HEXADECIMAL: _(
        "The client wrote the hash in hexadecimal digits. Write its 32 bytes in URL-safe base64"
        " without padding: 43 characters."
    ),
    NearMiss.HASHED_TWICE: _(
        "The client hashed the verifier twice. A library may hash it already: hand it the verifier."
    ),
    NearMiss.HASHED_BYTES: _(
        "The client hashed the bytes from which it made the verifier. Hash the verifier itself, as"
        " the text that is sent."
    ),
    NearMiss.VERIFIER_LENGTH: _(
        "The verifier fits the challenge, but is too short, too long or has characters that none"
        " may have. It has 43 to 128 letters, digits, hyphens, dots, underscores and tildes."
    ),
    NearMiss.SECRET_OF_PUBLIC_CLIENT: _(
        "The clients of this application are public: they have no secret. Take it out of the"
        " client's configuration, or make the application's Client ID Type Confidential."
    ),
    NearMiss.CODE_OF_ANOTHER_APPLICATION: _(
        "The code is good, but it belongs to another application. The client mixes the"
        " addresses of two applications: take both from one metadata document."
    ),
    NearMiss.TOKEN_OF_ANOTHER_APPLICATION: _(
        "The token is good, but it belongs to another application. Send it to the application"
        " that issued it."
    ),
    NearMiss.ID_TOKEN_AS_ACCESS_TOKEN: _(
        "The client sent an ID token. That tells the client who signed in; an API takes the"
        " access_token of the same answer."
    ),
}
