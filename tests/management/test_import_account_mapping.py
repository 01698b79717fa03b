"""Account Mapping and Policy in application documents: ours, and what a tenant's export says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from oidc_pkce.claims import ClaimsProvider
from oidc_pkce.models import Application, AuditEvent

LIMIT = timedelta(minutes=15)
OURS = {
    "UserNameStrategy": "Fixed",
    "UserNameClaim": "email",
    "SharedUserName": "reader@example.com",
    "SignInMaxAge": "0.00:15:00",
    "AllowedNetworks": ["10.0.0.0/8", "2001:db8::/32"],
    "RequiredAcr": "aal2",
}


def document(extension: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    ours = {} if extension is None else {"OidcPkce": extension}
    return {"ServiceName": "my_app", **ours, **members}


def stored() -> Application:
    return Application.objects.get()


def mapping() -> tuple[str, str, str]:
    found = stored()
    return found.user_name_strategy, found.user_name_claim, found.shared_user_name


# --- our own keys -------------------------------------------------------------------------------


def test_everything_is_read_and_written_as_it_was(run, import_):
    import_(document(OURS))

    found = stored()
    assert mapping() == ("Fixed", "email", "reader@example.com")
    assert (found.sign_in_max_age, found.required_acr) == (LIMIT, "aal2")
    assert found.allowed_networks == ["10.0.0.0/8", "2001:db8::/32"]
    written = run("export_webapps").json[0]["OidcPkce"]
    assert {key: written[key] for key in OURS} == OURS


def test_an_export_of_an_application_without_any_of_it_changes_nothing(run, import_, list_app):
    exported = run("export_webapps")
    assert exported.json[0]["OidcPkce"]["SignInMaxAge"] is None

    assert import_(exported.out.encode()).out == "Unchanged: my_app\n"
    assert not AuditEvent.objects.exists()


def test_a_missing_key_keeps_what_is_stored(import_):
    import_(document(OURS))

    assert import_(document({})).out == "Unchanged: my_app\n"
    assert import_(document()).out == "Unchanged: my_app\n"
    assert stored().sign_in_max_age == LIMIT


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_empty_limit_ends_the_limit(import_, nothing):
    import_(document(OURS))

    assert import_(document({"SignInMaxAge": nothing})).out == "Updated: my_app\n"
    assert stored().sign_in_max_age is None
    change = AuditEvent.objects.first().details["changes"]
    assert change == {"sign_in_max_age": {"before": "0.00:15:00", "after": None}}


def test_what_is_empty_empties_the_rest(import_):
    import_(document(OURS))

    empty = {"UserNameStrategy": "ADAttribute", "SharedUserName": "", "RequiredAcr": ""}
    import_(document({**empty, "AllowedNetworks": []}))

    found = stored()
    assert mapping() == ("ADAttribute", "email", "")
    assert (found.allowed_networks, found.required_acr) == ([], "")


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"UserNameStrategy": "Fixed"}, "SharedUserName"),
        ({"UserNameStrategy": "Prompt"}, "UserNameStrategy"),
        ({"UserNameClaim": "password"}, "UserNameClaim"),
        ({"SignInMaxAge": "900"}, "SignInMaxAge"),
        ({"SignInMaxAge": "00:00:30"}, "SignInMaxAge"),
        ({"SignInMaxAge": 900}, "SignInMaxAge"),
        ({"AllowedNetworks": ["10.0.0.0/8", "10.0.0.1/8"]}, "AllowedNetworks[1]"),
        ({"AllowedNetworks": "10.0.0.0/8"}, "AllowedNetworks"),
        ({"RequiredAcr": "aal7"}, "RequiredAcr"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_named_where_it_stands_and_nothing_is_saved(import_, wrong, place):
    answer = import_(document(wrong))

    assert any(f"OidcPkce.{place}: " in line for line in answer.lines), answer.lines
    assert not Application.objects.exists()


# --- a tenant's keys ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attribute", "claim"),
    [
        ("userprincipalname", "preferred_username"),
        ("mail", "email"),
        ("displayName", "name"),
        ("GivenName", "given_name"),
        ("sn", "family_name"),
        ("", "preferred_username"),
        (None, "preferred_username"),
    ],
)
def test_a_directory_field_becomes_the_claim_that_holds_the_same(import_, attribute, claim):
    theirs = {"UserNameStrategy": "ADAttribute", "ADAttribute": attribute, "UserNameArg": ""}

    answer = import_(document(**theirs, UserMapScript=""))

    assert answer.err == ""
    assert mapping() == ("ADAttribute", claim, "")


def test_the_name_that_all_users_share_is_taken_over(import_):
    answer = import_(document(UserNameStrategy="Fixed", UserNameArg="reader"))

    assert answer.err == ""
    assert mapping() == ("Fixed", "preferred_username", "reader")


@pytest.mark.parametrize(
    ("theirs", "warning"),
    [
        (
            {"UserNameStrategy": "ADAttribute", "ADAttribute": "employeeid"},
            "ADAttribute: “employeeid” is no claim here",
        ),
        (
            {"UserNameStrategy": "UseScript", "UserMapScript": "LoginUser.Username = 'x';"},
            "UserNameStrategy: scripts are not run here",
        ),
        ({"UserNameStrategy": "Prompt"}, "UserNameStrategy: “Prompt” is not known here"),
        ({"UserNameStrategy": "Fixed", "UserNameArg": ""}, "UserNameArg: the name that all users"),
        ({"UserNameStrategy": "Fixed", "UserNameArg": "x" * 256}, "UserNameArg: the name that"),
        ({"ADAttribute": "mail"}, "UserNameStrategy: this is missing, so ADAttribute counts"),
    ],
    ids=["unknown field", "script", "unknown strategy", "no name", "long name", "no strategy"],
)
def test_what_cannot_be_taken_over_is_kept_with_a_warning(import_, theirs, warning):
    import_(document(OURS))

    answer = import_(document(**theirs))

    assert answer.out == "Unchanged: my_app\n"
    assert [line for line in answer.lines if line.startswith("Warning: ")] == [
        next(line for line in answer.lines if line.startswith(f"Warning: {warning}"))
    ]


@pytest.mark.parametrize(
    ("key", "value"), [("UserNameStrategy", 7), ("UserNameArg", "a\x00b"), ("ADAttribute", [])]
)
def test_what_is_no_text_is_an_error(import_, key, value):
    theirs = {"UserNameStrategy": "Fixed" if key == "UserNameArg" else "ADAttribute", key: value}

    answer = import_(document(**theirs))

    assert any(f"{key}: " in line and "Warning" not in line for line in answer.lines)
    assert not Application.objects.exists()


@pytest.mark.parametrize("ours", [{"UserNameStrategy": "ADAttribute"}, {"UserNameClaim": "email"}])
def test_our_own_keys_go_before_a_tenants(import_, ours):
    answer = import_(document(ours, UserNameStrategy="Fixed", UserNameArg="reader"))

    assert (answer.err, mapping()[0]) == ("", "ADAttribute")


class Anonymous(ClaimsProvider):
    """A host that knows of nobody but the login name."""

    def supported(self) -> tuple[str, ...]:
        return ()


def test_a_claim_that_this_host_does_not_have_is_not_chosen(import_, settings):
    provider = f"{__name__}.Anonymous"
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "CLAIMS_PROVIDER": provider}

    answer = import_(document(UserNameStrategy="ADAttribute", ADAttribute="mail"))

    assert "use userprincipalname." in answer.err
    assert mapping() == ("ADAttribute", "preferred_username", "")
