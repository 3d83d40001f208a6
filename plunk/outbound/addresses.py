"""Which addresses customers' web hooks may reach."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_BLOCKED_IPV4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
_GLOBAL_IPV6 = IPv6Network("2000::/3")  # all else is local, reserved or multicast
_BLOCKED_IPV6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
    )
)
# Address blocks that carry an IPv4 address, and how many bits stand behind it.
_CARRIERS = (
    (IPv6Network("::/96"), 0),  # compatible
    (IPv6Network("::ffff:0:0/96"), 0),  # mapped
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (IPv6Network("2002::/16"), 80),  # 6to4
)


def is_public(address: str) -> bool:
    """Tell whether an address belongs to the public internet, whatever disguise it wears."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        return _is_public_ipv6(ip)
    return not any(ip in network for network in _BLOCKED_IPV4)


def _is_public_ipv6(ip: IPv6Address) -> bool:
    for network, shift in _CARRIERS:
        if ip in network:
            return is_public(str(IPv4Address(int(ip) >> shift & 0xFFFFFFFF)))
    return ip in _GLOBAL_IPV6 and not any(ip in network for network in _BLOCKED_IPV6)


def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system for all addresses of a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
