"""The redirect matcher, against whatever Hypothesis thinks of: exact, but for a loopback port."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from hypothesis import assume, example, given
from hypothesis import strategies as st

from oidc_pkce.protocol.redirect_uri import matches, problem
from tests.spec import spec

hosts = st.sampled_from(
    ["app.example", "APP.example", "127.0.0.1", "[::1]", "localhost", "127.0.0.2", "xn--bcher-kva"]
)
ports = st.one_of(st.just(""), st.integers(0, 70_000).map(lambda port: f":{port}"))
paths = st.sampled_from(["", "/", "/cb", "/cb/", "/CB", "/c%62", "/cb;x", "/cb//", "/a/../cb"])
queries = st.sampled_from(["", "?", "?x=1", "?x=1&y", "?X=1"])
web = st.builds(
    "{}://{}{}{}{}".format, st.sampled_from(["https", "http", "HTTP"]), hosts, ports, paths, queries
)
native = st.builds("{}:{}".format, st.sampled_from(["com.example.app", "myapp"]), paths)
uris = st.one_of(web, native)

#: What attackers write into, behind or in place of something.
MARKS = [
    *("\\", "@", "#", "?", "/", "//", "..", "/..", ":", ";", "%2e", "%5c", "%00", "%0d%0a"),
    *("\t", "\n", "\r", "\0", " ", "\u3002", "\u2025", "é", ".evil.example", "evil.example@"),
]


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, str]:
    """A URI, and the same one changed at one place."""
    uri = draw(uris)
    at = draw(st.integers(0, len(uri)))
    to = draw(st.integers(at, min(len(uri), at + 2)))
    mark = draw(st.one_of(st.sampled_from(MARKS), st.characters(), st.just("")))
    return uri, uri[:at] + mark + uri[to:]


def differs_by_loopback_port_alone(one: str, other: str) -> bool:
    """Said in another way than the matcher says it: cut up by the standard library's parser."""
    first, second = urlsplit(one), urlsplit(other)
    literal = re.compile(r"(127\.0\.0\.1|\[::1\])(:[0-9]+)?")
    hosts = [literal.fullmatch(parts.netloc) for parts in (first, second)]
    if not all(hosts) or not (one.startswith("http://") and other.startswith("http://")):
        return False
    behind = [uri.removeprefix(f"http://{urlsplit(uri).netloc}") for uri in (one, other)]
    return hosts[0][1] == hosts[1][1] and behind[0] == behind[1]


@spec("RFC 9700", "2.1")
@given(st.lists(uris, max_size=5), uris)
@example(["http://127.0.0.1:80/cb"], "http://127.0.0.1:81/cb")
@example(["http://[::1]/cb"], "http://127.0.0.1/cb")
@example(["http://localhost:1/cb"], "http://localhost:2/cb")
@example(["https://127.0.0.1:1/cb"], "https://127.0.0.1:2/cb")
def test_a_uri_matches_exactly_when_it_is_sound_and_registered(registered, received):
    wanted = problem(received) is None and (
        received in registered
        or any(differs_by_loopback_port_alone(uri, received) for uri in registered)
    )

    assert matches(registered, received) == wanted


@spec("RFC 9700", "4.1.3")
@given(spoiled())
def test_a_change_at_one_place_is_another_uri(pair):
    registered, received = pair
    assume(registered != received)

    if matches([registered], received):
        assert differs_by_loopback_port_alone(registered, received)


@spec("RFC 9700", "4.1.3")
@given(st.one_of(st.text(), uris, spoiled().map(lambda pair: pair[1])))
def test_what_has_a_problem_matches_nothing_not_even_itself(received):
    if problem(received) is not None:
        assert not matches([received], received)
    else:
        assert matches([received], received)


@spec("RFC 9700", "2.1")
@given(st.lists(uris, max_size=5), st.lists(uris, max_size=5), uris)
def test_registering_more_takes_nothing_away_and_order_decides_nothing(some, more, received):
    if matches(some, received):
        assert matches([*more, *some], received)
    assert matches([*some, *more], received) == matches([*more, *some], received)
    assert matches([*some, *more], received) == (matches(some, received) or matches(more, received))


@spec("RFC 8252", "7.3")
@given(
    st.sampled_from(["127.0.0.1", "[::1]"]),
    st.integers(1, 65535),
    st.integers(1, 65535),
    st.sampled_from(["/", "/cb", "/cb?x=1", ""]),
)
def test_every_port_of_a_registered_loopback_literal_will_do(host, one, other, rest):
    registered = f"http://{host}:{one}{rest}"

    assert matches([registered], f"http://{host}:{other}{rest}")
    assert matches([registered], f"http://{host}{rest}")
    assert matches([f"http://{host}{rest}"], registered)
    assert not matches([registered], f"http://{host}:{other}{rest}x")
    assert not matches([registered], f"https://{host}:{other}{rest}")
