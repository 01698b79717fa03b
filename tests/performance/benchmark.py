"""`make bench`: what a token request costs beside a bare Django view, and whether it stays so.

Everything is a ratio within this one run, on a private PostgreSQL with durable commits. CPU counts,
in Python and in PostgreSQL's own process; the requests pass through the whole of Django, without a
socket. Exits with 1 when a promise is not kept.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tests import postgres

if TYPE_CHECKING:
    from tests.performance.workload import Bench, Cost

TOKEN, BARE = "token endpoint", "bare view"
BATCH, WARM_UP = 25, 5
RATIO = 1.6
DRIFT = 0.15
TRACING = 0.05
FEW, MANY = 10_000, 1_000_000

GRANTS = """
INSERT INTO oidc_pkce_grant (id, application_id, user_id, client_id, client_authentication, scope,
    resources, subject, sid, amr, acr, requested_claims, nonce, auth_time, created_at, expires_at)
SELECT gen_random_uuid(), %(application)s, %(user)s, 'my_service_user', 'none', '', '[]', 'subject',
    '', '[]', '', '{}', '', now(), now(), now() + interval '1 day'
FROM generate_series(1, %(count)s)
"""
CODES = """
INSERT INTO oidc_pkce_authorizationcode
    (digest, grant_id, redirect_uri, challenge, challenge_method, expires_at)
SELECT sha256(id::text::bytea), id, 'http://localhost:5000/callback', repeat('a', 43), 'S256',
    now() + random() * interval '1 day'
FROM oidc_pkce_grant g
WHERE NOT EXISTS (SELECT FROM oidc_pkce_authorizationcode c WHERE c.grant_id = g.id)
"""
TOKENS = """
INSERT INTO oidc_pkce_refreshtoken (digest, grant_id, seed, created_at, expires_at)
SELECT sha256(id::text::bytea), id, '', now(), now() + random() * interval '1 day'
FROM oidc_pkce_grant g
WHERE NOT EXISTS (SELECT FROM oidc_pkce_refreshtoken t WHERE t.grant_id = g.id)
"""


def main() -> int:
    """Run the benchmark; 0 when every promise is kept."""
    arguments = _arguments()
    bench, application, user = _prepare()
    print(_machine())
    _preload(application, user, FEW)
    views = {TOKEN: bench.token, BARE: bench.bare, "bare view, no ORM": bench.bare_sql}
    costs = _compare(views, application, user, arguments.rounds)
    ratio = _report(costs)
    tracing = _report_tracing(bench, application, user, arguments.rounds)
    few = _steady(bench, application, user, arguments.rounds)
    _preload(application, user, arguments.rows)
    many = _steady(bench, application, user, arguments.rounds)
    _report_operations(bench, application, user, arguments.rounds // 4)
    _report_cleaning(bench, application, user, arguments.rows // 3)
    drift = many / few - 1
    print(f"\nfrom {FEW:,} to {arguments.rows:,} stored codes and tokens: {drift:+.1%} CPU")
    promises = {
        f"ratio <= {RATIO}": ratio <= RATIO,
        f"drift <= {DRIFT:.0%}": abs(drift) <= DRIFT,
        f"tracing <= {TRACING:.0%}": tracing <= TRACING,
    }
    broken = ", ".join(promise for promise, is_kept in promises.items() if not is_kept)
    print(f"NOT KEPT: {broken}" if broken else "every promise is kept")
    return 1 if broken else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=80, help=f"batches of {BATCH} requests each")
    parser.add_argument("--rows", type=int, default=MANY, help="rows of the large run")
    return parser.parse_args()


def _prepare() -> tuple[Bench, Any, Any]:
    """Set Django up on a fresh database, as docs/how-to/run-in-production.md says."""
    os.environ["DATABASE_URL"] = postgres.cluster(durable=True).url
    os.environ["OIDC_PKCE_TEST_DATABASE"] = "postgresql"
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.performance.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from django.core.handlers.wsgi import WSGIHandler

    from tests.fixtures import make_user
    from tests.journeys import make_application
    from tests.performance.workload import Bench

    return Bench(WSGIHandler()), make_application(), make_user("ada")


def _preload(application: Any, user: Any, rows: int) -> None:
    """Store so many codes and refresh tokens, each with its grant."""
    from django.db import connection

    from oidc_pkce.models import Grant

    missing = rows - Grant.objects.count()
    with connection.cursor() as cursor:
        cursor.execute(GRANTS, {"application": application.pk, "user": user.pk, "count": missing})
        cursor.execute(CODES)
        cursor.execute(TOKENS)
        cursor.execute("VACUUM ANALYZE")


def _compare(
    views: Mapping[str, Callable[[str], int]], application: Any, user: Any, rounds: int
) -> Mapping[str, list[Cost]]:
    """The views in turn, batch by batch, so that drift of the machine hits all alike."""
    costs: dict[str, list[Cost]] = {name: [] for name in views}
    for number in range(WARM_UP + rounds):
        for name, send in views.items():
            cost = _batch(send, application, user)
            if number >= WARM_UP:
                costs[name].append(cost)
    return costs


def _steady(bench: Bench, application: Any, user: Any, rounds: int) -> float:
    """The token endpoint's CPU in units of a view that touches no table."""
    views = {TOKEN: bench.token, "signature": bench.signature}
    return _ratio(_compare(views, application, user, rounds), "signature")


def _batch(send: Callable[[str], int], application: Any, user: Any) -> Cost:
    from tests.performance.workload import measure, stored_codes

    return measure(send, stored_codes(application.pk, user.pk, BATCH))


def _report(costs: Mapping[str, list[Cost]]) -> float:
    """Print a row per view; the ratio that is promised."""
    print(f"\n{'CPU per request, median':26}{'Python':>9}{'database':>10}{'ratio':>8}")
    for name, found in costs.items():
        python = statistics.median(cost.python for cost in found)
        database = statistics.median(cost.database for cost in found)
        print(f"{name:26}{python:6.2f} ms{database:7.2f} ms{_ratio(costs, name):8.2f}")
    return _ratio(costs, BARE)


def _report_tracing(bench: Bench, application: Any, user: Any, rounds: int) -> float:
    """Print what tracing and counting cost the token endpoint; as shipped, the share of it all.

    Sums, not medians: as shipped one request in a hundred pays, and most batches hold none.
    """
    from tests.performance.workload import every_success_traced, tracing_off

    views = {
        "tracing as shipped": bench.token,
        "every success traced": every_success_traced(bench.token),
        "tracing off": tracing_off(bench.token),
    }
    costs = _compare(views, application, user, rounds)
    sums = {name: sum(cost.total for cost in found) for name, found in costs.items()}
    print(f"\n{'token endpoint, mean':26}{'CPU':>9}{'over off':>13}")
    for name, total in sums.items():
        print(f"{name:26}{total / rounds:6.2f} ms{total / sums['tracing off'] - 1:+13.1%}")
    return sums["tracing as shipped"] / sums["tracing off"] - 1


def _report_operations(bench: Bench, application: Any, user: Any, rounds: int) -> None:
    """Print what everything else costs, each beside the bare view, with the large tables."""
    from tests.performance.operations import Cast
    from tests.performance.workload import measure, stored_codes

    print(f"\n{'the other requests, median':26}{'Python':>9}{'database':>10}{'ratio':>8}")
    for name, operation in Cast(bench, user).operations().items():
        ours, bare = [], []
        for number in range(WARM_UP + rounds):
            cost = measure(operation.send, operation.prepare(BATCH))
            other = measure(bench.bare, stored_codes(application.pk, user.pk, BATCH))
            if number >= WARM_UP:
                ours.append(cost)
                bare.append(other)
        python = statistics.median(cost.python for cost in ours)
        database = statistics.median(cost.database for cost in ours)
        pairs = zip(ours, bare, strict=True)
        ratio = statistics.median(cost.total / other.total for cost, other in pairs)
        print(f"{name:26}{python:6.2f} ms{database:7.2f} ms{ratio:8.2f}")


def _report_cleaning(bench: Bench, application: Any, user: Any, grants: int) -> None:
    """Print how fast expired rows go, and what a token request beside it waits at most."""
    from tests.performance.cleaning import clean

    seen = clean(bench.token, application, user, grants)
    print(
        f"\nclean-up: {seen.rows:,} rows in {seen.seconds:.1f} s, {seen.rate:,.0f} rows/s;"
        f" the longest of {seen.requests} token requests beside it took"
        f" {seen.longest * 1000:.0f} ms (without it: {seen.quiet * 1000:.0f} ms)"
    )


def _ratio(costs: Mapping[str, list[Cost]], other: str) -> float:
    """How often the other view's CPU the token endpoint takes, by neighbouring batches."""
    pairs = zip(costs[TOKEN], costs[other], strict=True)
    return statistics.median(token.total / neighbour.total for token, neighbour in pairs)


def _machine() -> str:
    import django
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0]
    return (
        f"Python {platform.python_version()}, Django {django.get_version()}, PostgreSQL {version},"
        f" {os.cpu_count()} processors ({platform.machine()})"
    )


if __name__ == "__main__":
    sys.exit(main())
