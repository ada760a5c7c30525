"""What is an event and what is not: expected verdicts typed by hand, from RFC 8259 and the spec."""

import json
import random
from datetime import datetime
from typing import Any

import pytest

from scripts.lines import (
    MAX_DEPTH,
    Event,
    Rejected,
    classify,
    count_plain,
    is_plain,
    is_plain_object,
)

AT = "2025-05-11T07:45:30.123456Z"
MOMENT = datetime(2025, 5, 11, 7, 45, 30, 123456)


def line(**changes: Any) -> bytes:
    event = {"app_token": "NX-1", "event_type": "track", "inserted_at": AT, **changes}
    return json.dumps({name: value for name, value in event.items() if value is not ...}).encode()


def raw_line(members: str) -> bytes:
    """An event with further members written as they are."""
    return (line().decode().removesuffix("}") + "," + members + "}").encode()


def event(text: bytes) -> Event:
    verdict = classify(text)
    assert isinstance(verdict, Event), verdict
    return verdict


def test_an_event_is_read_field_by_field() -> None:
    read = event(line(user_id="u 1", company_id="", event_name=None, metadata={"a": [1, "x"]}))
    assert read.texts == {"app_token": "NX-1", "event_type": "track", "user_id": "u 1"}
    assert read.inserted_at == MOMENT
    assert read.objects == {"metadata": '{"a": [1, "x"]}'}


@pytest.mark.parametrize("text", [b"", b" ", b"\t", b" \t\r \t"])
def test_blanks_are_blank(text: bytes) -> None:
    assert classify(text) is None
    assert not is_plain(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"app_token":"\xff"}', "invalid_utf8"),
        (b"\xc0\x80", "invalid_utf8"),
        (b'"\xed\xa0\x80"', "invalid_utf8"),  # half a surrogate pair, encoded
        (b"\xf4\x90\x80\x80", "invalid_utf8"),  # beyond U+10FFFF
        (b'[1,"\xff"', "invalid_utf8"),  # the first reason of several
        (b"\x0b", "not_json"),  # not a JSON space
        (b"\xc2\xa0", "not_json"),  # no-break space
        (b"\xef\xbb\xbf" + line(), "not_json"),  # a BOM that is not at the start of a file
        (b"nothing", "not_json"),
        (line() + line(), "not_json"),
        (line() + b" 1", "not_json"),
        (line() + b"// comment", "not_json"),
        (line()[:-1], "not_json"),
        (line()[:-1] + b",}", "not_json"),
        (raw_line('"x":NaN'), "not_json"),
        (raw_line('"x":-Infinity'), "not_json"),
        (raw_line('"metadata":{"x":Infinity}'), "not_json"),
        (raw_line(r'"user_id":"\ud83d"'), "not_json"),
        (raw_line(r'"user_id":"\ude00\ud83d"'), "not_json"),
        (raw_line(r'"metadata":{"\uD800":1}'), "not_json"),
        (raw_line('"user_id":"a\tb"'), "not_json"),
        (raw_line('"user_id":"a\rb"'), "not_json"),
        (raw_line('"user_id":"a\x00b"'), "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'{"a":' * 100_000, "not_json"),
        (raw_line('"x":' + "[" * MAX_DEPTH + "]" * MAX_DEPTH), "not_json"),  # one too deep
        (b"[]", "not_object"),
        (b"1", "not_object"),
        (b"null", "not_object"),
        (b'"{}"', "not_object"),
        (b"9" * 5000, "not_object"),  # longer than Python reads as a number
        (b"[" * 500 + b"]" * 500, "not_object"),
        (b"{}", "no_app_token"),
        (line(app_token=""), "no_app_token"),
        (line(app_token=None), "no_app_token"),
        (line(app_token=...), "no_app_token"),
        (line(app_token={"a": 1}), "no_app_token"),
        (line(app_token=[], event_type="", inserted_at=1), "no_app_token"),
        (line(event_type=""), "no_event_type"),
        (line(event_type=None, inserted_at=None), "no_event_type"),
        (line(event_type=["track"]), "no_event_type"),
        (line(inserted_at=None), "bad_inserted_at"),
        (line(inserted_at=...), "bad_inserted_at"),
        (line(inserted_at=""), "bad_inserted_at"),
        (line(inserted_at=1746949530), "bad_inserted_at"),
        (line(inserted_at=[AT]), "bad_inserted_at"),
        (line(inserted_at="x")[:-1] + b',"inserted_at":"' + AT.encode() + b'"}', "bad_inserted_at"),
    ],
)
def test_bad_lines_are_rejected_for_their_first_reason(text: bytes, reason: str) -> None:
    assert classify(text) == Rejected(reason)
    assert not is_plain(text)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2025-05-11T07:45:30Z", datetime(2025, 5, 11, 7, 45, 30)),
        ("2025-05-11 07:45:30", datetime(2025, 5, 11, 7, 45, 30)),
        ("2025-05-11 07:45:30.5", datetime(2025, 5, 11, 7, 45, 30, 500000)),
        ("2025-05-11T07:45:30.1234569Z", MOMENT),  # cut, not rounded
        ("2025-05-11T07:45:30.000001999+00:00", datetime(2025, 5, 11, 7, 45, 30, 1)),
        ("2025-05-11T07:45:30-03:30", datetime(2025, 5, 11, 11, 15, 30)),
        ("2025-05-11T07:45:30+0530", datetime(2025, 5, 11, 2, 15, 30)),
        ("2025-01-01T00:00:00.25+14:00", datetime(2024, 12, 31, 10, 0, 0, 250000)),
        ("2024-02-29T23:59:59-00:01", datetime(2024, 3, 1, 0, 0, 59)),
        ("2025-05-11T07:45:30-00:00", datetime(2025, 5, 11, 7, 45, 30)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1)),
        ("9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999)),
    ],
)
def test_instants_are_read_as_utc(written: str, moment: datetime) -> None:
    assert event(line(inserted_at=written)).inserted_at == moment


@pytest.mark.parametrize(
    "written",
    [
        "2025-02-29T00:00:00Z",
        "2025-04-31T00:00:00Z",
        "2025-13-01T00:00:00Z",
        "2025-00-10T00:00:00Z",
        "2025-01-00T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2025-01-01T24:00:00Z",
        "2025-01-01T23:60:00Z",
        "2025-01-01T23:59:60Z",
        "2025-01-01",
        "2025-01-01T10:00Z",
        "2025-01-01T10:00:00.Z",
        "20250101T100000Z",
        "2025-01-01t10:00:00Z",
        "2025-01-01T10:00:00z",
        "2025-01-01  10:00:00",
        " 2025-01-01T10:00:00Z",
        "2025-01-01T10:00:00Z ",
        "2025-01-01T10:00:00Z\n",
        "2025-01-01T10:00:00 Z",
        "2025-01-01T10:00:00+05",
        "2025-01-01T10:00:00+05:3",
        "2025-01-01T10:00:00+24:00",
        "2025-01-01T10:00:00+05:60",
        "2025-01-01T10:00:00 UTC",
        "2025-1-01T10:00:00Z",
        "25-01-01T10:00:00Z",
        "12025-01-01T10:00:00Z",
        "\uff12025-01-01T10:00:00Z",
        "2025-01-01T10:00:0\u0660Z",
        "2025-01-01T10:00:00,5Z",
        *("0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"),  # no such year in UTC
        "now",
        "infinity",
        "1746949530",
        "epoch",
        "2025-05-11T07:45:30\u221203:30",
    ],
)
def test_other_instants_are_bad(written: str) -> None:
    text = line(inserted_at=written)
    assert classify(text) == Rejected("bad_inserted_at")
    assert not is_plain(text)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('"007"', "007"),
        ("9007199254740993", "9007199254740993"),
        ("1.50", "1.50"),
        ("-0", "-0"),
        ("1E+2", "1E+2"),
        ("1" * 5000, "1" * 5000),
        ("true", "true"),
        ("false", "false"),
        ('"null"', "null"),
        ('" x "', " x "),
        (r'"\ud83d\ude00"', "😀"),
        (r'"\u0000"', "\0"),
        ('"\u2028\u0085"', "\u2028\u0085"),
        ('"e\u0301"', "e\u0301"),  # no normalisation
        ("null", None),
        ('""', None),
        ("{}", None),
        ('["x"]', None),
    ],
)
def test_ids_keep_their_written_form(written: str, text: str | None) -> None:
    assert event(raw_line(f'"user_id":{written}')).texts.get("user_id") == text
    unnamed = line(app_token=...).replace(b"{", f'{{"app_token":{written},'.encode(), 1)
    if text is None:
        assert classify(unnamed) == Rejected("no_app_token")
    else:
        assert event(unnamed).texts["app_token"] == text


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ('{"b":1.50,"a":2}', '{"b":1.50,"a":2}'),
        ("{}", "{}"),
        ("null", None),
        ('""', None),
        (r'"{\"a\": \"é\"}"', '{"a": "é"}'),
        (r'"{\"a\": NaN}"', r'"{\"a\": NaN}"'),  # text that is no object stays text
        (r'"{\"a\": \"\\ud800\"}"', r'"{\"a\": \"\\ud800\"}"'),
        ('"[1]"', '"[1]"'),
        ("[1]", "[1]"),
        ("12", "12"),
    ],
)
@pytest.mark.parametrize("name", ["metadata", "attributes"])
def test_metadata_is_kept_as_delivered(name: str, written: str, kept: str | None) -> None:
    assert event(raw_line(f'"{name}":{written}')).objects.get(name) == kept


def test_unknown_keys_are_kept_together() -> None:
    read = event(raw_line(r'"new":1.50,"_line":{"a":null},"\"":"x","new":2,"Extra":null'))
    assert read.objects == {"extra": r'{"new":1.50,"_line":{"a":null},"\"":"x","Extra":null}'}


def test_the_first_of_duplicate_keys_wins() -> None:
    assert event(raw_line(r'"user_id":"a","user_\u0069d":"b"')).texts["user_id"] == "a"
    assert event(raw_line('"app_token":""')).texts.get("app_token") == "NX-1"
    assert classify(b'{"app_token":"",' + line()[1:]) == Rejected("no_app_token")


# In the manner of JSONTestSuite: what every parser must take (y), must refuse (n), may do (i).
TAKEN = [
    '{"a":[]}',
    "{ }",
    '{"a":[1,null,true,false]}',
    '{"":0}',
    '{"a":{"b":{}}}',
    ' {"a":1} ',
    '\t{"a"\t:\t1\t}\t',
    r'{"a":"\"\\\/\b\f\n\r\t"}',
    r'{"a":"\u0012"}',
    '{"a":"\x7f"}',
    r'{"\u0000":1}',
    r'{"a":"\uDBFF\uDFFF"}',
    r'{"a":"\\ud800"}',
    '{"a":"\uffff\ufdd0"}',
    '{"a":-0}',
    '{"a":1E22}',
    '{"a":1e-2}',
    '{"a":0e1}',
    '{"a":0.1}',
    '{"a":-1.5e+9}',
    '{"a":1,"a":2}',
    '{"a":"\u2028"}',
    '{"a":123456789012345678901234567890}',
    '{"a":1e999999}',
    '{"a":-1e-999999}',
    '{"a":0.000000000000000000000000000000001}',
]
REFUSED = [
    '{"a":1,}',
    '{,"a":1}',
    '{"a" 1}',
    '{"a":}',
    '{"a"}',
    "{a:1}",
    "{'a':1}",
    '{"a":1',
    '{"a":[1}',
    '{"a":[1,]}',
    '{"a":[,1]}',
    '{"a":[1 2]}',
    '{"a":[1,,2]}',
    '{"a":1}}',
    '{"a":1}]',
    "{]",
    "}",
    '{"a":01}',
    '{"a":-01}',
    '{"a":1.}',
    '{"a":.1}',
    '{"a":+1}',
    '{"a":1e}',
    '{"a":1e+}',
    '{"a":-}',
    '{"a":0x1}',
    '{"a":1_0}',
    '{"a":1.e1}',
    '{"a":--1}',
    '{"a":NaN}',
    '{"a":-NaN}',
    '{"a":Inf}',
    '{"a":True}',
    '{"a":nul}',
    '{"a":undefined}',
    r'{"a":"\x41"}',
    r'{"a":"\u00g0"}',
    r'{"a":"\u12"}',
    r'{"a":"\"}',
    r'{"a":"\a"}',
    '{"a":"b}',
    '{"a":"\x1f"}',
    '{"a":"\x00"}',
    r'{"a":"\ud800"}',
    r'{"a":"\udc00"}',
    r'{"a":"\ud800\u0041"}',
    r'{"a":"\uD800\uD800\uDC00"}',
    '{"a":/**/1}',
    '{"a":1} #',
    '{"a":1}\x00',
    "\x0c{}",
    "\u2060{}",
    "{}\u00a0",
    '{"a":\uff11}',
    "\ufeff{}",
]


@pytest.mark.parametrize("text", TAKEN)
def test_json_is_taken(text: str) -> None:
    assert classify(text.encode()) == Rejected("no_app_token")


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_json_is_refused(text: str) -> None:
    assert classify(text.encode()) == Rejected("not_json")
    assert not is_plain_object(text.encode())


# ---------- the fast way

USUAL = (
    b'{"app_token":"NX-123454","event_type":"interaction","event_name":"experience:8:SEEN",'
    b'"source":"web-client","user_id":"u-1","company_id":7,"session":"333","country_code":null,'
    b'"inserted_at":"2025-05-11T07:45:30.123456Z","internal_event_id":"7311d8a3c2ce6f44",'
    rb'"browser":true,"screen_width":1920,"user_agent":"a \"b\" \ud83d\ude00",'
    b'"metadata":{"a":1.5,"b":[null,{"c":-2.25}]}}'
)
PIECES = [
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b" ",
    b"\t",
    b"\r",
    b"0",
    b"-",
    b".5",
    b"e9",
    b"\xff",
    b"\xe2\x80\xa8",
    b"\xed\xa0\x80",
    b"\x00",
    b"\x1f",
    b"\xef\xbb\xbf",
    b"\xc2\x85",
    b"/",
    b"\\ud800",
    b"\\udc00",
    b"\\u0022",
    b"\\n",
    b"NaN",
    b"null",
    b"true",
    b"2025-02-30",
    b"+05:30",
    b'"user_id":1.50,',
    b'"user_id":-0,',
    b'"extra":1,',
    b'"app_token":"",',
    b'"inserted_at":5,',
    b'"metadata":"{}",',
    b'"metadata":[],',
    b'"attributes":{"x":1},',
    b"99999999999999999999",
    b'"session":{},',
    b'"inserted_at":"2024-02-29 10:00:00",',
    b'"\\u0061pp_token":"b",',
]


def mutations(count: int) -> list[bytes]:
    """Lines with a few pieces put in, cut out or put twice; the same ones each time."""
    chance = random.Random(20250511)  # noqa: S311
    found = []
    for _ in range(count):
        text = bytearray(USUAL)
        for _ in range(chance.choice([1, 1, 1, 2, 4])):
            at = chance.choice([1, chance.randrange(len(text))])
            end = at + chance.randrange(1, 12)
            match chance.randrange(4):
                case 0 | 1:
                    text[at:at] = chance.choice(PIECES)
                case 2:
                    del text[at:end]
                case 3:
                    text[at:at] = text[at:end]
        found.append(bytes(text))
    return found


def test_the_usual_lines_are_plain() -> None:
    assert is_plain(USUAL)
    assert is_plain(line(metadata={}, inserted_at="2025-05-11 07:45:30", event_name=""))
    assert is_plain(line(inserted_at="2025-12-31T00:00:00.1+00:00"))


def test_a_block_is_plain_where_all_its_lines_are() -> None:
    plain, odd = line(user_id="1"), line(user_id=1.5)
    split = plain.replace(b", ", b",\n", 1)
    assert count_plain(b"\n".join([plain] * 3)) == 3
    for block in (
        *((plain, odd), (odd, plain), (plain, b"", plain), (plain, b""), (plain + plain,)),
        *((plain + b"," + plain, plain), (split,), (split + plain,), (plain + b"\r", plain)),
    ):
        assert not count_plain(b"\n".join(block))
    assert count_plain(plain) == 1  # and nothing is left of the others


@pytest.mark.parametrize(
    "instants",
    [
        ['"2025-01-01T00:00:00+05:30"'],
        ["5"],
        ["null"],
        ['{"a":1}'],
        ['"2025-01-01T00:00:00Z\\n2025-01-01T00:00:00Z"'],
        ['"2025-01-01T00:00:00+05:30"', '"2025-01-01T00:00:00Z"'],
        ['"2025-01-01T00:00:00Z"', '"2025-01-01T00:00:00+05:30"'],
    ],
)
def test_a_block_is_not_plain_for_one_odd_instant(instants: list[str]) -> None:
    """Of a key that is there twice, each instant counts."""
    plain = line(user_id="1")
    members = ",".join(f'"inserted_at":{instant}' for instant in instants)
    odd = f'{{"app_token":"NX-1","event_type":"track",{members}}}'.encode()
    assert not count_plain(b"\n".join([plain, odd, plain]))
    assert count_plain(b"\n".join([plain, odd.replace(b"+05:30", b"+00:00"), plain])) == (
        3 if b"+05:30" in odd else 0
    )


def test_what_is_plain_is_an_event_with_the_values_that_are_written() -> None:
    plain = [text for text in mutations(30_000) if is_plain(text)]
    assert len(plain) > 1_000  # the test must not pass for want of cases
    for text in plain:
        read = event(text)
        written = first_wins(text)
        for name in ("app_token", "event_type", "user_id", "session", "screen_width", "browser"):
            value = written.get(name)
            shown = {True: "true", False: "false"}[value] if isinstance(value, bool) else value
            assert read.texts.get(name) == (str(shown) if shown not in (None, "") else None)
        instant = datetime.fromisoformat(written["inserted_at"]).replace(tzinfo=None)
        assert read.inserted_at == instant
        for name in ("metadata", "attributes"):
            kept = read.objects.get(name)
            assert (first_wins(kept) if kept is not None else None) == written.get(name)


def first_wins(text: str | bytes) -> Any:
    """Parse JSON; of duplicate keys the first counts."""
    return json.loads(text, object_pairs_hook=lambda pairs: dict(reversed(pairs)))


@pytest.mark.parametrize(
    "members",
    [
        '"user_id":1.0',
        '"user_id":0',
        '"user_id":-1',
        '"user_id":1e3',
        '"user_id":9223372036854775808',
        '"user_id":{}',
        '"user_id":[]',
        '"extra":1',
        '"_file":1',
        '"metadata":"{}"',
        '"metadata":[]',
        '"metadata":5',
        '"metadata":{"a":\r1}',
        '"metadata":{"a":1.50}',
        '"metadata":{"a":[{"b":2e3}]}',
        '"attributes":{"a":0.10000000000000000001}',
        '"attributes":{"a":0.00001}',
        '"metadata":' + '{"a":' * 500 + "1" + "}" * 500,
    ],
)
def test_odd_events_take_the_careful_way(members: str) -> None:
    """DuckDB would refuse these, or read something else than what is written."""
    assert not is_plain(raw_line(members))


@pytest.mark.parametrize(
    "written", ["2025-01-01T00:00:00+05:30", "2024-02-29T00:00:00Z", "0999-01-01 00:00:00"]
)
def test_odd_instants_take_the_careful_way(written: str) -> None:
    assert not is_plain(line(inserted_at=written))
    assert isinstance(classify(line(inserted_at=written)), Event)
