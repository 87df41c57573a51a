"""Pieces of JSON text as a careless or a hostile program writes them; SESSION stands for the id of a session."""

from hypothesis import strategies as st
from strictness import LENIENT


def mixed(*strategies):
    """One of some strategies, each as likely as any other however many it is made of itself."""
    return st.sampled_from(strategies).flatmap(lambda one: one)


blanks = st.sampled_from([b"", b"", b"", b" ", b"\t", b" \r "])
texts = st.sampled_from(
    [b'""', b'"x"', b'"/"', b'"../x"', b'"rehearsal"', b'"m/x"', '"é😀\u2028"'.encode(), rb'"\u0000\\\"\/\ud83d\ude00"']
)
lenient = st.sampled_from(
    [b'"%b \\ud83d"', b'"\\udc00\\ud83d%b"', b'"%b\xff"', b'"\xed\xa0\x80%b"', b'[NaN,"%b"]', b'[-Infinity,"%b"]']
).map(lambda text: text % LENIENT.encode())
numbers = st.sampled_from(
    [b"0", b"-0", b"1", b"-7", b"2.5", b"1E-3", b"1e999", b"9223372036854775808", b"%d" % 2**70, b"9" * 4301]
)
constants = st.sampled_from([b"null", b"true", b"false", b"{}", b"[]", b'"SESSION"'])
large = st.sampled_from(
    [b"[" * 9 + b"]" * 9, b"[" * 300 + b"]" * 300, b'"%b"' % (b"x" * 300), b'"%b"' % (b"y" * 70_000)]
)
odd = mixed(texts, texts, numbers, constants, constants, lenient, large)
keys = st.sampled_from([b"x", b"_meta", rb"id\u0000", b"", b"sessionid", b"kiro_core"])
members = st.lists(st.tuples(keys, odd), max_size=3).map(
    lambda found: b"{%b}" % b",".join(b'"%b":%b' % pair for pair in found)
)
values = mixed(odd, odd, odd, members, st.lists(odd, max_size=3).map(lambda found: b"[%b]" % b",".join(found)))

ids = st.sampled_from(
    [
        *(b"0", b"1", b"-1", b"-0", b"2.50", b"1e3", b"-1E+2", b"18446744073709551616", b"8" * 5000, b"null"),
        *(b'""', b'"a"', rb'"\u0061"', '"é\u2028"'.encode(), rb'"\"\\\/"', b'"%b"' % (b"i" * 3000)),
        *(rb'"LENIENT\ud83d"', b'"LENIENT\xff"'),
    ]
)
foreign_ids = st.sampled_from([b"-5", b"1.0", b"null", b'"nobody"', b"77777777777777777777", b'"1"'])
"""Ids of responses: none of them is one of ours, which count from 1."""

no_ids = st.sampled_from([b"true", b"false", b"{}", b"[]", b'[1,"a"]', b'{"id":1}', b"NaN", b"-Infinity"])
no_methods = st.sampled_from([b"null", b"7", b"{}", b'["m"]', b"true"])
errors = st.sampled_from([b'{"code":-1,"message":"no"}', b"7", b'"no"', b"[]", b"{}", b'{"code":"x"}'])
versions = st.sampled_from([b'"2.0"'] * 5 + [b'"1.0"', b"2.0", b"null"])
