"""Signing keys: their public halves and states; rotate and retire."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ..flows import key_retirement, keys
from ..models import KeyState, SigningKey
from ..protocol.application import TokenType
from . import problems
from .base import ManagementView
from .fields import Choice, Flag, Object, StrictSerializer, Text
from .pagination import PageQuery, page_of, paged
from .problems import Fault, Problem
from .schema import LOCATION, operation, path_parameter

KID = path_parameter("kid", {"type": "string"}, "The key's id.")
ALGORITHMS = list(dict.fromkeys(token_type.algorithm for token_type in TokenType))


class SigningKeySerializer(StrictSerializer):
    """One key, without its private half."""

    kid = Text()
    algorithm = Text()
    generation = serializers.IntegerField()
    state = serializers.ChoiceField(choices=KeyState.values)
    public_jwk = Object()
    created_at = serializers.DateTimeField()
    signs_from = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


class RotationSerializer(StrictSerializer):
    """Which key is replaced, and how soon."""

    algorithm = Choice(choices=ALGORITHMS)
    emergency = Flag(
        required=False,
        help_text="Sign with the new key at once; what earlier ones signed is no longer valid.",
    )


class RetirementSerializer(StrictSerializer):
    """What happens when the key still signs."""

    replace = Flag(required=False, help_text="Make one that signs at once in its place.")


class SigningKeyQuery(PageQuery):
    """Which keys."""

    algorithm = Choice(choices=ALGORITHMS, required=False)


class RetiredSerializer(StrictSerializer):
    """What a retirement did."""

    retired = SigningKeySerializer()
    replacement = SigningKeySerializer(allow_null=True)


class SigningKeys(ManagementView):
    """All of them."""

    chapter = "Signing keys"

    @operation(
        "list_signing_keys",
        "List signing keys",
        description="Needs the permission oidc_pkce.view_signingkey.",
        answer=paged(SigningKeySerializer, counted=True),
        query=SigningKeyQuery,
    )
    def get(self, request: Request) -> Response:
        """A page of them, newest first within an algorithm."""
        require_view(self)
        query = self.query(SigningKeyQuery)
        rows = SigningKey.objects.defer("private_key")
        if "algorithm" in query:
            rows = rows.filter(algorithm=query["algorithm"])
        return Response(page_of(rows, request, query, _shown(self)))


class OneSigningKey(ManagementView):
    """One of them."""

    chapter = "Signing keys"

    @operation(
        "read_signing_key",
        "Read a signing key",
        answer=SigningKeySerializer,
        headers=[KID],
        kinds=[problems.NOT_FOUND],
    )
    def get(self, request: Request, kid: str) -> Response:
        """Its public half and its state."""
        require_view(self)
        self.query()
        return Response(_shown(self)(SigningKey.objects.get(kid=kid)))


class RotateKeys(ManagementView):
    """The next key of an algorithm."""

    chapter = "Signing keys"

    @operation(
        "rotate_signing_key",
        "Rotate the signing key of an algorithm",
        description=(
            "The new key is published now and signs once clients have had time to see it. Needs the"
            " permission oidc_pkce.change_signingkey."
        ),
        status=201,
        body=RotationSerializer,
        answer=SigningKeySerializer,
        example={"algorithm": "RS256"},
        headers=[LOCATION],
        kinds=[problems.CONFLICT],
    )
    def post(self, request: Request) -> Response:
        """Make it."""
        self.require("change_signingkey")
        self.query()
        members = self.read(RotationSerializer)
        made = keys.rotate(
            members["algorithm"],
            self.now,
            actor=self.actor,
            emergency=members.get("emergency", False),
        )
        place = reverse("oidc_pkce_api:signing-key", args=[made.kid])
        return Response(_shown(self)(made), 201, headers={"Location": place})


class RetireKey(ManagementView):
    """Withdraw one of them."""

    chapter = "Signing keys"

    @operation(
        "retire_signing_key",
        "Retire a signing key",
        description=(
            "At once: what it has signed is no longer valid. The key that signs now needs"
            ' {"replace": true}. Needs the permission oidc_pkce.change_signingkey.'
        ),
        body=RetirementSerializer,
        answer=RetiredSerializer,
        example={"replace": True},
        headers=[KID],
        kinds=[problems.NOT_FOUND, problems.INVALID, problems.CONFLICT],
    )
    def post(self, request: Request, kid: str) -> Response:
        """Withdraw it."""
        self.require("change_signingkey")
        self.query()
        key = SigningKey.objects.get(kid=kid)
        done = _retire(self, key, replace=self.read(RetirementSerializer).get("replace", False))
        show = _shown(self)
        key.refresh_from_db()
        replacement = show(done.replacement) if done.replacement else None
        return Response({"retired": show(key), "replacement": replacement})


def require_view(view: ManagementView) -> None:
    """Raise ``Problem`` 403 unless one of the permissions lets the user look."""
    if not view.request.user.has_perm("oidc_pkce.change_signingkey"):
        view.require("view_signingkey")


def _retire(view: ManagementView, key: SigningKey, *, replace: bool) -> key_retirement.Retired:
    try:
        done = key_retirement.retire(key.pk, view.now, actor=view.actor, replace=replace)
    except key_retirement.KeyStillSigns:
        sentence = _("This key signs now: say “replace” to have another one sign in its place.")
        raise Problem(problems.INVALID, faults=[Fault("/replace", sentence)]) from None
    if done is None:
        raise Problem(problems.INVALID, _("This key is not published any more."))
    return done


def _shown(view: ManagementView) -> Any:
    now = view.now
    signing = _signing(SigningKey.objects.published(now).filter(signs_from__lte=now))

    def show(key: SigningKey) -> dict[str, Any]:
        plain = ("kid", "algorithm", "generation", "public_jwk")
        times = ("created_at", "signs_from", "expires_at")
        members = {name: getattr(key, name) for name in (*plain, *times)}
        return {**members, "state": str(_state(key, now, signing))}

    return show


def _signing(rows: QuerySet[SigningKey]) -> dict[str, Any]:
    """The key that signs now, by algorithm: one statement for all."""
    return dict(rows.order_by("generation").values_list("algorithm", "pk"))


def _state(key: SigningKey, now: Any, signing: dict[str, Any]) -> KeyState:
    """As ``flows.keys.state`` says it, without a statement for each key."""
    if key.expires_at is not None and key.expires_at <= now:
        return KeyState.EXPIRED
    if key.signs_from > now:
        return KeyState.NEXT
    return KeyState.CURRENT if signing.get(key.algorithm) == key.pk else KeyState.RETIRING
