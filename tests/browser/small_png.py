"""Rewrites a screenshot with at most 256 colours, which such pages hardly exceed."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = 256
Pixels = list[bytes]


def reduce(png: bytes) -> bytes:
    """Take an 8-bit RGB or RGBA picture and give a palette picture of the same size."""
    width, height, rows = read(png)
    palette, index = choose(Counter(pixel for row in rows for pixel in row))
    lines = b"".join(b"\0" + bytes(map(index.__getitem__, row)) for row in rows)
    return SIGNATURE + b"".join(
        (
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            chunk(b"PLTE", b"".join(palette)),
            chunk(b"IDAT", zlib.compress(lines, 9)),
            chunk(b"IEND", b""),
        )
    )


def choose(counts: Counter[bytes]) -> tuple[Pixels, dict[bytes, int]]:
    """The commonest colours stay as they are; a rare one becomes the nearest of those."""
    palette = [colour for colour, _ in counts.most_common(COLOURS)]
    index = {colour: number for number, colour in enumerate(palette)}
    for colour in counts.keys() - index.keys():
        index[colour] = min(range(len(palette)), key=lambda n: distance(palette[n], colour))
    return palette, index


def distance(one: bytes, other: bytes) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def read(png: bytes) -> tuple[int, int, list[Pixels]]:
    """Width, height and rows of RGB pixels; alpha is dropped, a page has none."""
    parts = list(chunks(png))
    width, height, _, kind = struct.unpack(">IIBB", parts[0][1][:10])
    size = {2: 3, 6: 4}[kind]
    data = zlib.decompress(b"".join(body for name, body in parts if name == b"IDAT"))
    line, above, rows = width * size + 1, bytes(width * size), []
    for start in range(0, height * line, line):
        above = unfilter(data[start], data[start + 1 : start + line], above, size)
        rows.append([above[at : at + 3] for at in range(0, len(above), size)])
    return width, height, rows


def unfilter(method: int, line: bytes, above: bytes, size: int) -> bytes:
    """Undo a row's filter (PNG §9.2)."""
    made = bytearray(line)
    for at in range(len(made)):
        left, corner = (made[at - size], above[at - size]) if at >= size else (0, 0)
        up = above[at]
        guess = (0, left, up, (left + up) // 2, paeth(left, up, corner))[method]
        made[at] = (made[at] + guess) & 255
    return bytes(made)


def paeth(left: int, up: int, corner: int) -> int:
    estimate = left + up - corner
    return min((left, up, corner), key=lambda value: abs(estimate - value))


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def chunk(name: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + checksum
