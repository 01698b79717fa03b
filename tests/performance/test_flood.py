"""A hundred thousand refused requests leave a bounded table.

They are recorded as the endpoints record them, one transaction each; that the endpoints themselves
do so for each bad request shows ``tests/endpoints/test_flood.py`` with hundreds each, as Django
around a hundred thousand of them takes several minutes.
"""

from __future__ import annotations

import pytest
from django.utils import timezone

from oidc_pkce.conf import settings
from oidc_pkce.flows import tracing
from oidc_pkce.flows.tracing import Traced
from oidc_pkce.models import RequestTrace
from oidc_pkce.protocol.checks import Trace
from oidc_pkce.protocol.errors import InvalidGrant
from tests.endpoints.test_flood import bytes_of, prunes_as_shipped  # noqa: F401
from tests.journeys import make_application

FLOOD = 100_000
MEGABYTE = 1_000_000


@pytest.mark.django_db
@pytest.mark.usefixtures("prunes_as_shipped")
def test_a_hundred_thousand_bad_requests_leave_a_bounded_table() -> None:
    known = [make_application(application_id=f"app{n}", name=f"App {n}").pk for n in range(3)]
    targets, now = [*known, None, None], timezone.now()
    refusal = InvalidGrant("the code is unknown or expired", received="x" * 4000)

    for number in range(FLOOD):
        trace = Trace()
        trace.refused("code.known", refusal)
        target = targets[number % len(targets)]
        tracing.record(Traced("token", target, f"client-{number}"), trace, now)

    for target in (*known, None):
        kept = RequestTrace.objects.filter(application=target)
        most = settings.traces_per_application
        assert settings.traces_of_unknown_applications == most
        assert most <= kept.count() < most + tracing.PRUNE_EVERY
        newest = kept.latest("pk").client_id
        assert int(newest.removeprefix("client-")) >= FLOOD - len(targets)
    assert bytes_of(RequestTrace.objects.all()) < 4 * MEGABYTE
