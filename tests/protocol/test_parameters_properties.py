"""The parameter parser, against whatever Hypothesis thinks of: nothing lost, nothing twice."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from oidc_pkce.protocol.errors import InvalidRequest
from oidc_pkce.protocol.parameters import MAX_VALUE_LENGTH, MAY_REPEAT, Parameters
from tests.spec import spec

text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
names = st.one_of(st.sampled_from(["code", "scope", "resource", "state", "%", "&="]), text)
pairs = st.lists(st.tuples(names, text), max_size=20)


@st.composite
def spelled(draw: st.DrawFn, word: str) -> bytes:
    """One of the many spellings of a text in a form: each byte as it is, escaped, or a plus."""
    made = b""
    for byte in word.encode():
        escaped = draw(st.sampled_from([b"%%%02x", b"%%%02X"])) % byte
        plain = bytes([byte])
        if byte == 0x20:
            made += draw(st.sampled_from([b"+", b"%20"]))
        elif plain in b"%&+=" or byte in b"\0":
            made += escaped
        else:
            made += draw(st.sampled_from([plain, escaped]))
    return made


@st.composite
def forms(draw: st.DrawFn) -> tuple[list[tuple[str, str]], list[bytes]]:
    """Names and values, and each of them spelled as a field."""
    wanted = draw(pairs)
    fields = [draw(spelled(name)) + b"=" + draw(spelled(value)) for name, value in wanted]
    return wanted, fields


def outcome(found: Parameters) -> tuple[object, ...]:
    """Everything that can be asked of parameters."""
    values = {name: found.all(name) for name in found.names}
    return values, found.repeated, dict(found.malformed), refusal_of(found)


def refusal_of(found: Parameters) -> str | None:
    try:
        found.require_wellformed()
    except InvalidRequest as error:
        return error.description
    return None


@spec("RFC 6749", "B")
@given(forms())
def test_every_spelling_reads_back_as_what_was_meant(form):
    wanted, fields = form
    found = Parameters.parse(b"&".join(fields))

    for name in {name for name, _ in wanted}:
        values = tuple(value for each, value in wanted if each == name and value)
        assert found.all(name) == values
        assert found.get(name) == (values[0] if values else None)
    assert set(found.names) == {name for name, value in wanted if value}
    assert dict(found.malformed) == {}
    assert outcome(found) == outcome(Parameters.from_pairs(wanted))


@spec("RFC 6749", "3.1")
@given(forms())
def test_a_name_is_repeated_exactly_when_it_stands_more_than_once(form):
    wanted, fields = form
    found = Parameters.parse(b"&".join(fields))
    twice = {name for name, times in Counter(name for name, _ in wanted).items() if times > 1}

    assert found.repeated == twice
    assert (refusal_of(found) is None) == (not twice - MAY_REPEAT)


@spec("RFC 6749", "3.1")
@given(forms(), st.data())
def test_where_and_in_which_order_fields_stand_decides_nothing_about_repetition(form, data):
    _, fields = form
    at = data.draw(st.integers(0, len(fields)))
    shuffled = data.draw(st.permutations(fields))
    whole = Parameters.parse(b"&".join(fields))

    cut = Parameters.parse(b"&".join(fields[:at]), b"&".join(fields[at:]))
    assert outcome(cut) == outcome(whole)
    assert Parameters.parse(b"", b"&".join(shuffled)).repeated == whole.repeated


@spec("RFC 6749", "3.1")
@given(forms(), st.data())
def test_one_more_field_of_the_same_name_is_always_noticed(form, data):
    wanted, fields = form
    if not fields:
        return
    name = data.draw(st.sampled_from(sorted({name for name, _ in wanted})))
    once_more = data.draw(spelled(name)) + b"=" + data.draw(spelled(data.draw(text)))

    for found in (
        Parameters.parse(b"&".join([*fields, once_more])),
        Parameters.parse(once_more, b"&".join(fields)),
    ):
        assert name in found.repeated


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_no_bytes_raise_and_only_what_is_wellformed_is_kept(query, body):
    found = Parameters.parse(query, body)

    for name in found.names:
        for value in found.all(name):
            assert 0 < len(value) <= MAX_VALUE_LENGTH
            assert "\0" not in value
            assert value.encode().decode() == value
    assert outcome(Parameters.parse(query, body)) == outcome(found)


@given(st.text(max_size=100), st.binary(max_size=100))
def test_no_query_that_a_server_hands_over_raises(query, body):
    assert isinstance(refusal_of(Parameters.parse(query, body)), str | None)


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=120))
def test_no_pairs_raise(wanted):
    found = Parameters.from_pairs(wanted)

    assert len(found.names) <= 100
    assert set(found.names) <= {name for name, _ in wanted}
