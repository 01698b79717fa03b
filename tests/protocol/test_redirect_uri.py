"""Redirect URIs: raw strings, nothing ambiguous, one exception (RFC 9700 §2.1, RFC 8252 §7.3)."""

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from oidc_pkce.protocol import redirect_uri
from tests.spec import spec

CALLBACK = "https://app.example/cb"

GOOD = [
    CALLBACK,
    "https://app.example",
    "https://app.example/",
    "https://app.example:8443/cb?tenant=1&x=%20",
    "https://APP.example/Cb",
    "https://app_1.example/cb",
    "https://192.0.2.1/cb",
    "https://[2001:db8::1]:8443/cb",
    "https://xn--bcher-kva.example/cb",
    "https://app.example/a.b/...//c;v=1",
    "https://app.example/cb?back=../x",
    "http://localhost:3000/cb",
    "http://localhost/cb",
    "http://127.0.0.1/cb",
    "http://127.0.0.1:65535/cb",
    "http://127.8.9.10:1/cb",
    "http://[::1]:8000/cb",
    "com.example.app:/oauth2redirect",
    "com.example.app:/cb?x=1",
    "myapp://cb",
    "myapp:///cb",
    "my-app+v1.2:cb",
]

BAD = {
    "empty": ["", " "],
    "relative": ["cb", "/cb", "//evil.example/cb", "?x", "app.example/cb", ":cb", "1app:/cb"],
    "scheme forgotten": ["localhost:3000/cb", "app.example:443", "localhost:3000"],
    "no host": ["https:", "https:/cb", "https:cb", "https://", "https:///cb", "https://:443/cb"],
    "empty app URI": ["myapp:"],
    "dangerous scheme": [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "javascript://app.example/%0aalert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://app.example/1",
        "about:blank",
        "view-source:https://app.example",
        "filesystem:https://app.example/x",
        "intent://x",
        "ws://app.example",
        "urn:ietf:wg:oauth:2.0:oob",
    ],
    "plain http": ["http://app.example/cb", "http://localhost.evil.example/cb", "http://128.0.0.1"],
    "userinfo": [
        "https://good.example@evil.example/cb",
        "https://user:pw@app.example/cb",
        "https://@app.example/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "myapp://user@cb",
    ],
    "backslash": [
        "https://app.example\\@evil.example",
        "https:\\\\app.example/cb",
        "https://app.example/%5c",
        "https://app.example/%5Ccb",
    ],
    "control": [
        *(f"https://app.example/{mark}cb" for mark in "\t\n\r\0\x0b\x1f\x7f "),
        *(f"https://app{mark}.example/cb" for mark in "\t\n\r\0 "),
        "\nhttps://app.example/cb",
        "https://app.example/cb\n",
        "java\tscript:alert(1)",
        "https://app.example/%0d%0aSet-Cookie:x",
        "https://app.example/%00",
        "https://app.example/%7F",
    ],
    "outside ASCII": [
        "https://bücher.example/cb",
        "https://аpp.example/cb",  # noqa: RUF001 - the look-alike is the attack
        "https://app。example/cb",
        "https://app.example/cbé",
        "https://app.example\u2025/cb",
        "https://app.example/\ud800",
    ],
    "fragment": ["https://app.example/cb#", "https://app.example/cb#x", "myapp:/cb#x"],
    "dot segment": [
        "https://app.example/../cb",
        "https://app.example/a/..",
        "https://app.example/./cb",
        "https://app.example/%2e%2e/cb",
        "https://app.example/%2E./cb",
        "https://app.example/a/..;x/cb",
        "https://app.example/a%2f..%2fcb",
        "com.example.app:/../cb",
    ],
    "port": [
        "https://app.example:/cb",
        "https://app.example:0/cb",
        "https://app.example:00443/cb",
        "https://app.example:65536/cb",
        "https://app.example:99999999/cb",
        "https://app.example:-1/cb",
        "https://app.example:80x/cb",
        "https://app.example:1:2/cb",
        "http://localhost:0/cb",
        "myapp://cb:0",
    ],
    "host": [
        "https://[::1/cb",
        "https://::1/cb",
        "https://[fe80::1%25eth0]/cb",
        "https://[fe80::1%eth0]/cb",
        "myapp://[fe80::1%25eth0]/cb",
        "myapp://[::1",
        "myapp://cb]",
        "myapp://c%62",
        "https://[::1]evil.example/cb",
        "https://[v1.a]/cb",
        "https://app..example/cb",
        "https://.app.example/cb",
        "https://app.example./cb",
        "https://-app.example/cb",
        "https://app.example;evil/cb",
        "https://*.app.example/cb",
        "https://app%2eexample/cb",
        "https://2130706433/cb",
        "https://127.1/cb",
        "https://0x7f.0.0.1/cb",
        "http://127.0.0.01/cb",
        "http://0177.0.0.1/cb",
        "https://256.1.1.1/cb",
        f"https://{'a' * 64}.example/cb",
        f"https://{'a.' * 130}example/cb",
    ],
    "not a URI": [
        'https://app.example/"cb',
        "https://app.example/<cb>",
        "https://app.example/{cb}",
        "https://app.example/`cb",
        "https://app.example/a|b^c",
        "https://app.example/%zz",
        "https://app.example/%",
    ],
    "too long": ["https://app.example/" + "a" * 2000],
}
BAD_URIS = [
    pytest.param(uri, id=f"{family}-{n}") for family in BAD for n, uri in enumerate(BAD[family])
]

anything = st.one_of(
    st.text(max_size=60),
    st.text("ahtps:/.@\\#?%2e[]1270;-é\n", max_size=40),
    st.from_regex(r"(https?|myapp)://[a-z0-9.:@\[\]%\-]{0,20}(/[a-z.%;?=]{0,10})?"),
    st.sampled_from(GOOD),
)


@spec("RFC 6749", "3.1.2")
@pytest.mark.parametrize("uri", GOOD)
def test_a_usable_uri_has_no_problem_and_matches_itself(uri):
    assert redirect_uri.problem(uri) is None
    assert redirect_uri.matches([uri], uri)


@spec("RFC 9700", "2.1")
@pytest.mark.parametrize("uri", BAD_URIS)
def test_a_dangerous_uri_is_refused_at_registration_and_at_use(uri):
    fault = redirect_uri.problem(uri)

    assert fault
    assert fault.isprintable()
    assert fault.isascii()
    assert not redirect_uri.matches([uri], uri)


def test_the_fault_is_named_in_words():
    assert "punycode" in redirect_uri.problem("https://bücher.example")
    assert "fragment" in redirect_uri.problem("https://app.example/#")
    assert "use https" in redirect_uri.problem("http://app.example/")
    assert "relative" in redirect_uri.problem("/cb")
    assert "port" in redirect_uri.problem("https://app.example:0/")
    assert "javascript:" in redirect_uri.problem("JAVASCRIPT:x")
    assert "scheme is missing" in redirect_uri.problem("localhost:8000/cb")


@spec("RFC 9700", "2.1")
@pytest.mark.parametrize(
    "received",
    [
        "https://app.example/cb/",
        "https://app.example/CB",
        "https://APP.example/cb",
        "HTTPS://app.example/cb",
        "https://app.example/cb;x=1",
        "https://app.example/cb?",
        "https://app.example/cb?x=1",
        "https://app.example/cb&x=1",
        "https://app.example/%63b",
        "https://app.example/c%62",
        "https://app.example//cb",
        "https://app.example:443/cb",
        "https://app.example:8443/cb",
        "https://app.example.evil.example/cb",
        "https://evil.example/https://app.example/cb",
        "https://app.example/cbx",
        "https://app.example/c",
        "https://sub.app.example/cb",
        "http://app.example/cb",
        "//app.example/cb",
        "https%3A%2F%2Fapp.example%2Fcb",
        "",
    ],
)
def test_anything_but_the_registered_string_is_refused(received):
    assert not redirect_uri.matches([CALLBACK], received)


def test_nothing_matches_where_nothing_is_registered():
    assert not redirect_uri.matches([], CALLBACK)


@spec("RFC 8252", "7.3")
@pytest.mark.parametrize(
    ("registered", "received"),
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb"),
        ("http://127.0.0.1:8000/cb", "http://127.0.0.1:51004/cb"),
        ("http://127.0.0.1:8000/cb", "http://127.0.0.1/cb"),
        ("http://[::1]/cb", "http://[::1]:51004/cb"),
        ("http://127.0.0.1", "http://127.0.0.1:51004"),
        ("http://127.0.0.1/cb?x=1", "http://127.0.0.1:51004/cb?x=1"),
    ],
)
def test_a_registered_loopback_literal_takes_any_port(registered, received):
    assert redirect_uri.matches([CALLBACK, registered], received)


@spec("RFC 8252", "7.3")
@pytest.mark.parametrize(
    ("registered", "received"),
    [
        ("http://localhost/cb", "http://localhost:51004/cb"),
        ("http://localhost:3000/cb", "http://localhost:3001/cb"),
        ("http://localhost:3000/cb", "http://127.0.0.1:3000/cb"),
        ("http://127.0.0.1/cb", "http://localhost/cb"),
        ("http://127.0.0.1/cb", "http://[::1]/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.2:8000/cb"),
        ("http://127.0.0.2/cb", "http://127.0.0.2:8000/cb"),
        ("http://127.0.0.1/cb", "https://127.0.0.1:8000/cb"),
        ("https://127.0.0.1/cb", "https://127.0.0.1:8000/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:8000/cb/"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:8000/cb?x=1"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:0/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:65536/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb"),
        ("http://127.0.0.1", "http://127.0.0.1:8000/"),
        ("http://[::1]/cb", "http://[0:0:0:0:0:0:0:1]:8000/cb"),
        ("https://app.example/cb", "https://app.example:8000/cb"),
    ],
)
def test_no_other_port_and_no_other_host_may_vary(registered, received):
    assert not redirect_uri.matches([registered], received)


@pytest.mark.parametrize(
    ("registered", "received", "difference"),
    [
        (CALLBACK, "https://app.example/cb/", "trailing slash"),
        ("https://app.example", "https://app.example/", "trailing slash"),
        (CALLBACK, "http://app.example/cb", "http/https"),
        ("http://localhost:3000/cb", "http://localhost:8000/cb", "port"),
        ("http://localhost/cb", "http://localhost:8000/cb", "port"),
        (CALLBACK, "https://app.example/CB", "letter case"),
        ("http://localhost:3000/cb", "http://127.0.0.1:3000/cb", "localhost against 127.0.0.1"),
        ("http://[::1]:3000/cb", "http://localhost:3000/cb", "localhost against 127.0.0.1"),
        (CALLBACK, "https://app.example/cb?x=1", "added query"),
        (CALLBACK, "https%3A%2F%2Fapp.example%2Fcb", "double encoding"),
        (CALLBACK, "https%253A%252F%252Fapp.example%252Fcb", "double encoding"),
        (CALLBACK, "https://app.example/callback", "path"),
        (CALLBACK, "http://app.example/cb/", "trailing slash and http/https"),
        (
            "http://localhost:3000/cb",
            "http://127.0.0.1:8000/cb",
            "port and localhost against 127.0.0.1",
        ),
    ],
)
def test_a_near_miss_says_how_the_closest_one_differs(registered, received, difference):
    others = ["https://other.example/cb", "com.example.app:/cb"]

    found = redirect_uri.mismatch([*others, registered], received)

    assert found.candidates[0] == registered
    assert redirect_uri.differing([*others, registered], received).detail == (
        f"differs from {registered} by {difference}"
    )


@pytest.mark.parametrize("received", ["https://evil.example/cb", "", "x" * 5000, "myapp:/other"])
def test_what_is_not_near_is_no_near_miss(received):
    found = redirect_uri.differing([CALLBACK], received)

    assert (found.detail, found.near_misses) == ("not registered", ())


def test_the_fewest_differences_win():
    registered = ["http://app.example/cb/", CALLBACK]

    found = redirect_uri.mismatch(registered, "https://app.example/cb/")

    assert found.detail == f"differs from {CALLBACK} by trailing slash"
    assert found.candidates == (CALLBACK, registered[0])


@pytest.mark.parametrize(
    ("uri", "host", "kind", "origin", "source"),
    [
        (CALLBACK, "app.example", "https", "https://app.example", "https://app.example"),
        (
            "HTTPS://App.Example:8443/cb",
            "app.example:8443",
            "https",
            "https://app.example:8443",
            "https://app.example:8443",
        ),
        (
            "https://app.example:443/cb",
            "app.example:443",
            "https",
            "https://app.example",
            "https://app.example",
        ),
        (
            "http://localhost:3000",
            "localhost:3000",
            "loopback",
            "http://localhost:3000",
            "http://localhost:3000",
        ),
        (
            "http://127.0.0.1:80/cb",
            "127.0.0.1:80",
            "loopback",
            "http://127.0.0.1",
            "http://127.0.0.1",
        ),
        ("http://127.0.0.2/cb", "127.0.0.2", "loopback", "http://127.0.0.2", "http:"),
        ("http://[0:0::1]:81/cb", "[0:0::1]:81", "loopback", "http://[::1]:81", "http:"),
        ("https://a_b.example/", "a_b.example", "https", "https://a_b.example", "https:"),
        ("com.example.app:/cb", "com.example.app:", "custom", None, "com.example.app:"),
        ("MyApp://cb/x", "myapp:", "custom", None, "myapp:"),
    ],
)
def test_a_uri_is_described_for_consent_cors_and_csp(uri, host, kind, origin, source):
    assert redirect_uri.display_host(uri) == host
    assert redirect_uri.kind(uri) == kind
    assert redirect_uri.origin(uri) == origin
    assert redirect_uri.csp_source(uri) == source


@pytest.mark.parametrize("uri", BAD_URIS)
def test_a_uri_with_a_problem_is_not_described(uri):
    assert redirect_uri.origin(uri) is None
    for describe in (redirect_uri.display_host, redirect_uri.kind, redirect_uri.csp_source):
        with pytest.raises(ValueError, match=r"."):
            describe(uri)


@spec("RFC 6454", "6.2")
@pytest.mark.parametrize(
    "text",
    ["https://app.example", "https://app.example:8443", "http://localhost:3000", "http://[::1]"],
)
def test_a_trusted_origin_is_what_a_browser_sends(text):
    assert redirect_uri.is_origin(text)


@spec("RFC 6454", "6.2")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "null",
        "app.example",
        "https://app.example/",
        "https://app.example/x",
        "https://app.example?",
        "https://App.example",
        "HTTPS://app.example",
        "https://app.example:443",
        "http://localhost:80",
        "http://app.example",
        "https://*.example",
        "https://user@app.example",
        "https://app.example\n",
        "https://app.example https://evil.example",
        "http://[0:0::1]",
        "com.example.app:",
        "myapp://cb",
        "file://",
    ],
)
def test_anything_else_is_no_trusted_origin(text):
    assert not redirect_uri.is_origin(text)


@spec("RFC 9700", "2.1")
@given(st.lists(anything, max_size=4), anything)
def test_only_equal_strings_match_but_for_a_loopback_port(registered, received):
    if not redirect_uri.matches(registered, received):
        return

    assert redirect_uri.problem(received) is None
    if received not in registered:
        assert urlsplit(received).hostname in ("127.0.0.1", "::1")
        assert urlsplit(received).scheme == "http"


@given(anything)
def test_a_uri_without_a_problem_reads_the_same_to_another_parser(uri):
    assume(redirect_uri.problem(uri) is None)
    parts = urlsplit(uri)

    assert parts.username is None
    assert parts.fragment == ""
    assert parts.scheme == uri.partition(":")[0].lower()
    if parts.scheme in ("http", "https"):
        assert redirect_uri.origin(uri).startswith(f"{parts.scheme}://")
        assert parts.hostname
        assert parts.port != 0


@given(anything)
def test_a_csp_source_can_not_leave_its_place_in_the_header(uri):
    assume(redirect_uri.problem(uri) is None)

    assert re.fullmatch(r"[a-z0-9+.\-]+:(//[a-z0-9.\-]+(:[0-9]+)?)?", redirect_uri.csp_source(uri))


@given(st.lists(anything, max_size=4), anything)
def test_no_text_makes_a_description_of_the_difference_raise(registered, received):
    found = redirect_uri.differing(registered, received)

    assert sorted(found.candidates) == sorted(registered)


@spec("RFC 8252", "7.1")
@pytest.mark.parametrize("scheme", ["ms-msdt", "search-ms", "shell", "res", "content", "callto"])
def test_a_scheme_that_starts_programs_of_the_system_is_refused(scheme):
    assert redirect_uri.problem(f"{scheme}:/callback")
