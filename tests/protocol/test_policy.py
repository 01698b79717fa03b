"""From which networks an application may be used."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_pkce.protocol.policy import NetworkQuestion, is_in
from tests.spec import spec

INSIDE = [
    ("10.1.2.3", "10.0.0.0/8"),
    ("192.0.2.7", "192.0.2.7"),
    ("192.0.2.7", "0.0.0.0/0"),
    ("2001:db8::7", "2001:db8::/32"),
    ("2001:0DB8:0:0:0:0:0:7", "2001:db8::7"),
    ("::ffff:10.1.2.3", "10.0.0.0/8"),
    ("::FFFF:0a01:0203", "10.0.0.0/8"),
    ("10.1.2.3", "::ffff:10.0.0.0/104"),
    ("::ffff:10.1.2.3", "::ffff:10.1.2.3"),
    ("fe80::1%eth0", "fe80::/10"),
]
OUTSIDE = [
    ("11.0.0.1", "10.0.0.0/8"),
    ("9.255.255.255", "10.0.0.0/8"),
    ("2001:db9::", "2001:db8::/32"),
    ("::10.1.2.3", "10.0.0.0/8"),
    ("64:ff9b::10.1.2.3", "10.0.0.0/8"),
    ("::ffff:11.0.0.1", "::ffff:10.0.0.0/104"),
    ("::ffff:10.1.2.3", "::/0"),
    ("10.1.2.3", "::/0"),
    ("2001:db8::7", "0.0.0.0/0"),
    ("::1", "127.0.0.0/8"),
]
UNKNOWN = [
    "",
    "unknown",
    "10.1.2.3:443",
    "[::1]",
    "010.001.002.003",
    "10.1.2",
    " 10.1.2.3",
    "\uff11.1.1.1",
]


@spec("RFC 4291", "2.5.5.2")
@pytest.mark.parametrize(("address", "network"), INSIDE)
def test_an_address_lies_in_a_network_ipv4_within_ipv6_counts_as_ipv4(address, network):
    assert is_in(address, (network,))
    assert is_in(address, ("203.0.113.0/24", network))


@pytest.mark.parametrize(("address", "network"), OUTSIDE)
def test_an_address_outside_is_outside(address, network):
    assert not is_in(address, (network,))


@pytest.mark.parametrize("address", UNKNOWN)
def test_an_address_that_cannot_be_read_is_nowhere(address):
    question = NetworkQuestion(address, ("0.0.0.0/0", "::/0"))

    assert not question.is_inside
    assert "unknown" in question.detail
    assert NetworkQuestion(address, ()).is_inside


@given(st.ip_addresses(v=4))
def test_ipv4_and_the_same_within_ipv6_never_differ(address):
    for network in ("10.0.0.0/8", "128.0.0.0/1", "::ffff:0:0/97"):
        assert is_in(str(address), (network,)) == is_in(f"::ffff:{address}", (network,))
