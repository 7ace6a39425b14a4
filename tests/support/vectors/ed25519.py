"""Ed25519 signing by RFC 8032 section 5.1 in plain numbers, and did:key names: slow, and nobody's library."""

from functools import cache
from hashlib import sha512

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

Point = tuple[int, int]


def _base() -> Point:
    y = 4 * pow(5, -1, P) % P
    x_squared = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x_squared, (P + 3) // 8, P)
    if (x * x - x_squared) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return (P - x if x % 2 else x), y


def add(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P
    return x, y


@cache
def _doubled(count: int) -> Point:
    """The base point, doubled so many times."""
    if not count:
        return _base()
    half = _doubled(count - 1)
    return add(half, half)


def times_base(number: int) -> Point:
    result = (0, 1)
    for bit in range(number.bit_length()):
        if number >> bit & 1:
            result = add(result, _doubled(bit))
    return result


def encode(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def scalar_of(seed: bytes) -> int:
    number = int.from_bytes(sha512(seed).digest()[:32], "little")
    return number & ((1 << 254) - 8) | 1 << 254


@cache
def public_key(seed: bytes) -> bytes:
    return encode(times_base(scalar_of(seed)))


def sign(seed: bytes, message: bytes) -> bytes:
    scalar, key = scalar_of(seed), public_key(seed)
    nonce = int.from_bytes(sha512(sha512(seed).digest()[32:] + message).digest(), "little") % L
    start = encode(times_base(nonce))
    challenge = int.from_bytes(sha512(start + key + message).digest(), "little")
    return start + ((nonce + challenge * scalar) % L).to_bytes(32, "little")


def base58(data: bytes) -> str:
    """Multibase: `z` and base58btc."""
    number, text = int.from_bytes(data, "big"), ""
    while number:
        text = ALPHABET[number % 58] + text
        number //= 58
    return "z" + "1" * (len(data) - len(data.lstrip(b"\x00"))) + text


def did_key(key: bytes) -> str:
    return "did:key:" + base58(b"\xed\x01" + key)
