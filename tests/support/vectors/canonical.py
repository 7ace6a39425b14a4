"""`canonical.json`: documents and their canonical bytes, written by hand and held against `rfc8785`."""

import json
from hashlib import sha256

import rfc8785

from tests.support.vectors.common import Json, file_of, to_hex

# Name, input, canonical text; None where the input is canonical already.
VALID: list[tuple[str, str, str | None]] = [
    ("empty-object", "{}", "{}"),
    ("white-space", ' \t\r\n{ "a" : [ 1 , 2 ] }\n', '{"a":[1,2]}'),
    ("literals", '{"a":null,"b":true,"c":false}', '{"a":null,"b":true,"c":false}'),
    ("order-of-keys", '{"b":1,"a":2,"B":3,"":4}', '{"":4,"B":3,"a":2,"b":1}'),
    ("keys-that-look-like-numbers", '{"10":1,"9":2,"1":3}', '{"1":3,"10":1,"9":2}'),
    ("nested-objects-are-sorted-too", '{"b":[{"z":1,"y":{"d":1,"c":2}}]}', '{"b":[{"y":{"c":2,"d":1},"z":1}]}'),
    ("order-of-arrays-is-kept", '{"a":[3,1,2,[],{}]}', '{"a":[3,1,2,[],{}]}'),
    # U+1F600 is d83d de00 in UTF-16, before U+FB33; by code point it comes after.
    ("keys-sort-by-utf-16-unit", '{"\ufb33":1,"\U0001f600":2,"é":3}', '{"é":3,"\U0001f600":2,"\ufb33":1}'),
    ("key-that-is-a-prefix", '{"ab":1,"a":2,"a\\u0000":3}', '{"a":2,"a\\u0000":3,"ab":1}'),
    (
        "keys-that-javascript-gives-a-meaning",
        '{"toString":1,"__proto__":{"x":2},"constructor":3,"hasOwnProperty":4,"length":5}',
        '{"__proto__":{"x":2},"constructor":3,"hasOwnProperty":4,"length":5,"toString":1}',
    ),
    ("equal-keys-in-different-objects", '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}', None),
    ("proof-is-left-out-at-the-top", '{"a":[{"proof":1}],"proof":[{"x":2}]}', '{"a":[{"proof":1}]}'),
    ("escaped-key-proof-is-the-same-key", '{"a":1,"pr\\u006fof":[2]}', '{"a":1}'),
    ("other-keys-like-proof-stay", '{"Proof":1,"proofs":2,"proof ":3}', '{"Proof":1,"proof ":3,"proofs":2}'),
    ("escapes-are-undone", '{"a":"\\u0041\\/\\u00e9\\u20ac"}', '{"a":"A/é€"}'),
    ("short-escapes", '{"a":"\\u0008\\u0009\\u000a\\u000c\\u000d\\u0022\\u005c"}', '{"a":"\\b\\t\\n\\f\\r\\"\\\\"}'),
    ("long-escapes-in-lower-case", '{"a":"\\u0000\\u000B\\u001F"}', '{"a":"\\u0000\\u000b\\u001f"}'),
    ("delete-is-not-escaped", '{"a":"\x7f\\u007f\x80"}', '{"a":"\x7f\x7f\x80"}'),
    ("line-separators-are-not-escaped", '{"a":"\\u2028\u2029"}', '{"a":"\u2028\u2029"}'),
    ("html-is-not-escaped", '{"a":"<script>&\'"}', '{"a":"<script>&\'"}'),
    ("surrogate-pair-escaped", '{"a":"\\ud83d\\ude00"}', '{"a":"\U0001f600"}'),
    ("surrogate-pair-in-upper-case", '{"a":"\\uD83D\\uDE00"}', '{"a":"\U0001f600"}'),
    ("escaped-backslash-before-u", '{"a":"\\\\ud800"}', '{"a":"\\\\ud800"}'),
    ("composed-and-decomposed-stay-apart", '{"e\u0301":1,"\u00e9":2}', '{"e\u0301":1,"\u00e9":2}'),
    ("byte-order-mark-inside-a-string", '{"a":"\ufeff\\ufeff"}', '{"a":"\ufeff\ufeff"}'),
    ("neighbours-of-noncharacters", '{"a":"\ufffd\ufdcf\ufdf0\U0001fffd\U0010fffd"}', None),
    ("private-use", '{"a":"\ue000\U000f0000"}', '{"a":"\ue000\U000f0000"}'),
    ("number-zero", '{"a":[0,-0,0.0,-0.0,0e5,-0E-3]}', '{"a":[0,0,0,0,0,0]}'),
    ("number-whole-with-fraction", '{"a":[1.0,-2.00,1e3,1E+3,100e-2,0.5e1]}', '{"a":[1,-2,1000,1000,1,5]}'),
    ("number-trailing-zeros", '{"a":[1.50,0.10,-3.250]}', '{"a":[1.5,0.1,-3.25]}'),
    ("number-small-fractions", '{"a":[0.000001,0.0000001,1E-7,0.0000012]}', '{"a":[0.000001,1e-7,1e-7,0.0000012]}'),
    ("number-smallest-normal-and-subnormal", '{"a":[2.2250738585072014e-308,5e-324]}', None),
    ("number-largest-integers", '{"a":[9007199254740991,-9007199254740991]}', None),
    ("number-17-digits", '{"a":[0.30000000000000004,1.7976931348623157,4.35,123456.789]}', None),
    ("number-largest-fraction", '{"a":[4503599627370495.5,-1125899906842623.8]}', None),
    ("depth-64-objects", '{"a":' * 64 + "1" + "}" * 64, '{"a":' * 64 + "1" + "}" * 64),
    ("depth-64-mixed", '{"a":' + "[" * 63 + "]" * 63 + "}", '{"a":' + "[" * 63 + "]" * 63 + "}"),
    ("brackets-in-strings-are-no-depth", '{"a":"' + "[{" * 70 + '\\"[["}', '{"a":"' + "[{" * 70 + '\\"[["}'),
    ("wide-is-not-deep", '{"a":[' + ",".join(["[]", "{}"] * 70) + "]}", '{"a":[' + ",".join(["[]", "{}"] * 70) + "]}"),
]

# Name, input, why it is refused.
_TEXTS: list[tuple[str, str, str]] = [
    ("empty", "", "not JSON"),
    ("white-space-only", " \n", "not JSON"),
    ("word", "garbage", "not JSON"),
    ("array-at-the-top", "[]", "not an object"),
    ("string-at-the-top", '"text"', "not an object"),
    ("number-at-the-top", "7", "not an object"),
    ("null-at-the-top", "null", "not an object"),
    ("two-documents", '{"a":1}{}', "more after the object"),
    ("text-after-the-object", '{"a":1} x', "more after the object"),
    ("unterminated", '{"a":1', "not JSON"),
    ("comma-at-the-end-of-an-object", '{"a":1,}', "not JSON"),
    ("comma-at-the-end-of-an-array", '{"a":[1,]}', "not JSON"),
    ("comma-missing", '{"a":1 "b":2}', "not JSON"),
    ("colon-missing", '{"a" 1}', "not JSON"),
    ("single-quotes", "{'a':1}", "not JSON"),
    ("key-without-quotes", "{a:1}", "not JSON"),
    ("comment", '{"a":1/* one */}', "not JSON"),
    ("literal-in-upper-case", '{"a":True}', "not JSON"),
    ("form-feed-as-white-space", '{\f"a":1}', "white space that JSON does not know"),
    ("no-break-space-as-white-space", '{\u00a0"a":1}', "white space that JSON does not know"),
    ("key-twice", '{"a":1,"a":1}', "a key twice"),
    ("key-twice-once-escaped", '{"a":1,"\\u0061":2}', "a key twice, compared unescaped"),
    ("key-twice-in-an-array", '{"x":[{"a":1,"a":2}]}', "a key twice"),
    ("key-twice-inside-the-proof", '{"proof":[{"a":1,"a":2}]}', "a key twice, even where it is not hashed"),
    ("key-proof-twice", '{"proof":[],"pr\\u006fof":[]}', "a key twice"),
    ("key-proto-twice", '{"__proto__":1,"__proto__":2}', "a key twice"),
    ("key-empty-twice", '{"":1,"":2}', "a key twice"),
    ("number-leading-zero", '{"a":01}', "not JSON"),
    ("number-leading-plus", '{"a":+1}', "not JSON"),
    ("number-without-whole-part", '{"a":.5}', "not JSON"),
    ("number-without-fraction", '{"a":1.}', "not JSON"),
    ("number-without-exponent", '{"a":1e}', "not JSON"),
    ("number-hexadecimal", '{"a":0x10}', "not JSON"),
    ("number-minus-alone", '{"a":-}', "not JSON"),
    ("number-nan", '{"a":NaN}', "not JSON"),
    ("number-infinity", '{"a":Infinity}', "not JSON"),
    ("number-minus-infinity", '{"a":-Infinity}', "not JSON"),
    ("number-too-large-for-a-double", '{"a":1e400}', "not finite as a double"),
    ("number-2-to-the-53", '{"a":9007199254740992}', "a whole number beyond 2^53 - 1"),
    ("number-minus-2-to-the-53", '{"a":-9007199254740992}', "a whole number beyond 2^53 - 1"),
    ("number-2-to-the-53-with-fraction", '{"a":9007199254740992.0}', "a whole number beyond 2^53 - 1"),
    ("number-2-to-the-53-and-one", '{"a":9007199254740993.0}', "a whole number beyond 2^53 - 1"),
    ("number-1e20", '{"a":1e20}', "a whole number beyond 2^53 - 1"),
    ("number-1e21", '{"a":1e21}', "a whole number beyond 2^53 - 1"),
    ("number-of-400-digits", '{"a":' + "9" * 400 + "}", "a whole number beyond 2^53 - 1"),
    ("number-that-becomes-zero", '{"a":1e-400}', "differs as a decimal from its canonical form, 0"),
    ("number-minus-that-becomes-zero", '{"a":-1e-400}', "differs as a decimal from its canonical form, 0"),
    ("number-of-too-many-digits", '{"a":0.1000000000000000000001}', "differs as a decimal from its canonical form"),
    ("number-333333333.33333329", '{"a":333333333.33333329}', "its canonical form is 333333333.3333333"),
    ("number-exact-yet-not-canonical", '{"a":1125899906842623.75}', "its canonical form is 1125899906842623.8"),
    ("number-whole-after-rounding", '{"a":4503599627370497.25}', "differs as a decimal from its canonical form"),
    ("number-subnormal-rounded", '{"a":4e-324}', "its canonical form is 5e-324"),
    ("number-rounded-to-one", '{"a":0.99999999999999999}', "its canonical form is 1"),
    ("number-refused-inside-the-proof", '{"proof":[1e20]}', "a whole number beyond 2^53 - 1, even where not hashed"),
    ("escape-unknown", '{"a":"\\x41"}', "not JSON"),
    ("escape-too-short", '{"a":"\\u12"}', "not JSON"),
    ("escape-not-hexadecimal", '{"a":"\\u12G4"}', "not JSON"),
    ("line-feed-in-a-string", '{"a":"\n"}', "a control character that is not escaped"),
    ("nul-in-a-string", '{"a":"\0"}', "a control character that is not escaped"),
    ("lone-high-surrogate", '{"a":"\\ud800"}', "a lone surrogate"),
    ("lone-low-surrogate", '{"a":"\\udfff"}', "a lone surrogate"),
    ("surrogates-in-the-wrong-order", '{"a":"\\udc00\\ud800"}', "lone surrogates"),
    ("high-surrogate-before-a-letter", '{"a":"\\ud83dx"}', "a lone surrogate"),
    ("lone-surrogate-in-a-key", '{"\\ud800":1}', "a lone surrogate"),
    ("lone-surrogate-inside-the-proof", '{"proof":"\\ud800"}', "a lone surrogate, even where it is not hashed"),
    ("noncharacter-fffe-escaped", '{"a":"\\ufffe"}', "a noncharacter"),
    ("noncharacter-ffff", '{"a":"\uffff"}', "a noncharacter"),
    ("noncharacter-fdd0", '{"a":"\ufdd0"}', "a noncharacter"),
    ("noncharacter-fdef-escaped", '{"a":"\\ufdef"}', "a noncharacter"),
    ("noncharacter-1fffe", '{"a":"\U0001fffe"}', "a noncharacter"),
    ("noncharacter-8ffff-escaped", '{"a":"\\ud9ff\\udfff"}', "a noncharacter, as a pair of surrogates"),
    ("noncharacter-10ffff", '{"a":"\U0010ffff"}', "a noncharacter"),
    ("noncharacter-in-a-key", '{"\ufdd5":1}', "a noncharacter"),
    ("depth-65-objects", '{"a":' * 65 + "1" + "}" * 65, "nested deeper than 64"),
    ("depth-65-mixed", '{"a":' + "[" * 64 + "]" * 64 + "}", "nested deeper than 64"),
    ("depth-65-inside-the-proof", '{"proof":' + "[" * 64 + "]" * 64 + "}", "nested deeper than 64"),
]
_BYTES: list[tuple[str, bytes, str]] = [
    ("byte-order-mark", b"\xef\xbb\xbf{}", "a byte order mark"),
    ("utf-16", '{"a":1}'.encode("utf-16"), "not UTF-8"),
    ("utf-16-without-mark", '{"a":1}'.encode("utf-16-le"), "not JSON: every other byte is zero"),
    ("latin-1", '{"a":"é"}'.encode("latin-1"), "not UTF-8"),
    ("byte-ff", b'{"a":"\xff"}', "not UTF-8"),
    ("overlong", b'{"a":"\xc0\xaf"}', "not UTF-8: a character in more bytes than it needs"),
    ("truncated-character", b'{"a":"\xe2\x82"}', "not UTF-8"),
    ("surrogate-in-utf-8", b'{"a":"\xed\xa0\x80"}', "not UTF-8: a surrogate is no character"),
    ("surrogate-pair-in-utf-8", b'{"a":"\xed\xa0\xbd\xed\xb8\x80"}', "not UTF-8: surrogates are no characters"),
    ("beyond-10ffff", b'{"a":"\xf4\x90\x80\x80"}', "not UTF-8: beyond the last character"),
]


def build() -> Json:
    valid = []
    for name, text, form in VALID:
        canonical = (text if form is None else form).encode()
        value = json.loads(text)
        value.pop("proof", None)
        assert rfc8785.dumps(value) == canonical, name
        digest = sha256(canonical).digest()
        valid.append(
            {
                "name": name,
                "input": to_hex(text.encode()),
                "canonical": to_hex(canonical),
                "sha256": to_hex(digest),
            }
        )
    refused = [*((name, text.encode(), reason) for name, text, reason in _TEXTS), *_BYTES]
    return file_of(
        "Strict JSON: whole files, and their canonical bytes (RFC 8785, without the top-level member proof), "
        "or why they are refused. docs/spec/anchor-proof.md, Input.",
        valid=valid,
        invalid=[{"name": name, "input": to_hex(data), "reason": reason} for name, data, reason in refused],
    )
