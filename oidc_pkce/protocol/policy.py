"""Policy: from which networks an application may be used, whatever its client asks for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from .checks import check
from .errors import AccessDenied

_MAPPED = 96  # the bits of ::ffff:0:0 that stand before an IPv4 address (RFC 4291 §2.5.5.2)


@dataclass(frozen=True, slots=True)
class NetworkQuestion:
    """From where somebody asks, and from where an application may be asked; nothing is anywhere."""

    address: str
    networks: tuple[str, ...]

    @property
    def is_inside(self) -> bool:
        """Whether the address may ask; one that cannot be read may not, where any is named."""
        return not self.networks or is_in(self.address, self.networks)

    @property
    def detail(self) -> str:
        """What the trace says of a refusal."""
        if _address(self.address) is None:
            return "the address that the request came from is unknown"
        return "the request came from outside the allowed networks"


def is_in(address: str, networks: Iterable[str]) -> bool:
    """Whether the address lies in one of the networks; IPv4 within IPv6 counts as IPv4."""
    found = _address(address)
    return found is not None and any(found in _network(network) for network in networks)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _network(text: str) -> IPv4Network | IPv6Network:
    found = ip_network(text)
    if isinstance(found, IPv6Network) and found.prefixlen >= _MAPPED:
        mapped = found.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((int(mapped), found.prefixlen - _MAPPED))
    return found


@check(
    "authorize.network",
    spec="OpenID Connect Core §3.1.2.6",
    fix="Add the network to Allowed networks on the Policy page; behind a proxy, set"
    " TRUSTED_PROXIES, or every address is the proxy's.",
)
def browser_is_inside(question: NetworkQuestion) -> None:
    """The browser is in one of the networks that the application's Policy allows."""
    if not question.is_inside:
        raise AccessDenied(
            received=question.address, expected=question.networks, detail=question.detail
        )


NETWORK_CHECKS = (browser_is_inside,)
