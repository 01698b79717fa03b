"""`rotate_keys`: nothing to do on most days, and safe to run on all of them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.utils import timezone

from oidc_pkce.flows import keys
from oidc_pkce.models import SigningKey

pytestmark = pytest.mark.django_db


def rotate(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    call_command("rotate_keys", *arguments, "--json")
    return json.loads(capsys.readouterr().out)


def make_keys(*algorithms: str, age: timedelta = timedelta(0)) -> None:
    for algorithm in algorithms:
        keys.rotate(algorithm, timezone.now() - age)


def test_nothing_is_done_while_no_key_is_due(capsys: pytest.CaptureFixture[str]) -> None:
    assert rotate(capsys) == {"rotated": [], "resealed": 0}
    make_keys("EdDSA")

    assert rotate(capsys) == {"rotated": [], "resealed": 0}
    assert SigningKey.objects.count() == 1


def test_a_key_that_is_due_is_replaced_once(capsys: pytest.CaptureFixture[str]) -> None:
    make_keys("EdDSA", age=timedelta(days=90))

    (told,) = rotate(capsys)["rotated"]
    assert SigningKey.objects.get(kid=told["kid"]).signs_from.isoformat() == told["signs_from"]
    assert rotate(capsys)["rotated"] == []


def test_force_replaces_what_is_not_due(capsys: pytest.CaptureFixture[str]) -> None:
    make_keys("EdDSA", "ES256")

    assert [key["algorithm"] for key in rotate(capsys, "--force")["rotated"]] == ["ES256", "EdDSA"]


def test_one_algorithm_can_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    make_keys("EdDSA", "ES256", age=timedelta(days=90))

    told = rotate(capsys, "--algorithm", "ES256")["rotated"]
    assert [key["algorithm"] for key in told] == ["ES256"]


def test_an_emergency_withdraws_every_earlier_key(capsys: pytest.CaptureFixture[str]) -> None:
    make_keys("EdDSA")

    (told,) = rotate(capsys, "--emergency")["rotated"]
    published = SigningKey.objects.published(timezone.now())
    assert [key.kid for key in published] == [told["kid"]]


def test_keys_are_encrypted_anew_when_the_secret_was_rolled(
    capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    make_keys("EdDSA")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next secret"

    assert rotate(capsys)["resealed"] == 1


def test_a_race_that_is_lost_by_force_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    make_keys("EdDSA")

    def beaten(*args: Any, **kwargs: Any) -> None:
        raise IntegrityError

    monkeypatch.setattr(keys, "rotate", beaten)

    call_command("rotate_keys")
    with pytest.raises(CommandError, match="Another process"):
        call_command("rotate_keys", "--force")


def test_sentences_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("rotate_keys")
    make_keys("EdDSA")
    call_command("rotate_keys", "--force")

    printed = capsys.readouterr().out
    assert printed.startswith("No key is due.\nEdDSA: the new key ")


def test_one_key_is_withdrawn_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    make_keys("EdDSA", age=timedelta(hours=2))
    make_keys("EdDSA", age=timedelta(hours=1))
    old, current = SigningKey.objects.order_by("generation").values_list("kid", flat=True)

    assert rotate(capsys, "--retire", old) == {"retired": old, "rotated": []}
    assert [key.kid for key in SigningKey.objects.published(timezone.now())] == [current]
    with pytest.raises(CommandError, match="is not published"):
        call_command("rotate_keys", "--retire", old)


def test_the_key_that_signs_is_withdrawn_with_now_only(capsys: pytest.CaptureFixture[str]) -> None:
    make_keys("EdDSA")
    kid = SigningKey.objects.get().kid

    with pytest.raises(CommandError, match=r"signs now. Add --now"):
        call_command("rotate_keys", "--retire", kid)
    call_command("rotate_keys", "--retire", kid, "--now")

    printed = capsys.readouterr().out
    made = SigningKey.objects.get(generation=2).kid
    assert printed.startswith(f"The key {kid} is withdrawn.\nEdDSA: the new key {made} signs from")


def test_now_and_an_unknown_key_are_explained() -> None:
    with pytest.raises(CommandError, match="--now goes with --retire"):
        call_command("rotate_keys", "--now")
    with pytest.raises(CommandError, match="There is no key 'x'"):
        call_command("rotate_keys", "--retire", "x")
