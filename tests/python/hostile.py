"""A random export of everything that the loader must take or refuse: ids, texts, times, packings.

Small pools on purpose: users meet in sessions, copies collide, times tie, funnels
are entered often.
"""

import gzip
import json
import random
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import zstandard

APPS = ["NX-44A1B2C3", "NX-44A1B2C3", "NX-STAGING7", "app:with~colon", 7]
USERS = [
    *("007", "7", 7, 9007199254740993, 1.50, True, "null", "😀", " padded ", "a:b", "a~1b"),
    *("6F9619FF-8B86-D011-B42D-00C04FC964FF", "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
    *("'; drop table marts.users; --", "{{ env_var('HOME') }}", "$(rm -rf /)", "=1+1", "x" * 300),
    *("e\u0301", "\u00e9", "line\nbreak", "\u2028", "../../etc/passwd", None, "", {"id": 1}, [1]),
]
COMPANIES = ["c_1", "C_1", "001", 1, "acme:eu", "😀 & co", None, None, "", {}]
EVENT_TYPES = [
    *("page_view", "page_view", "track", "track_feature", "interaction", "interaction"),
    *("interaction", "session_start", "identify_user", "identify_company", "track_labeled", 5),
]
SOURCES = ["web-client", "web-client", "backend-http", "backend-", "backend", "mobile", "", None]
ENTITIES = [
    *("experience:493", "experience_step:998", "experience_step:999", "experiment:9"),
    *("experiment:12", "experiment:15", "experiment:new", "nps:1", "nps:1", "nps:2:b"),
    *("checklist:10", "checklist_task:21", "survey_module:49", "resource_center:1", "spotlight:3"),
]
STATUSES = [
    *("SEEN", "SEEN", "ENGAGED", "COMPLETED", "DISMISSED", "SUBMITTED_SCORE", "SUBMITTED_FEEDBACK"),
    *("seen", "", "SKIPPED 😀"),
]
SCORES = ["9", "10", "0", "6", "7", 8, "11", "9.5", " 9 ", "", None, 9.0, "1e1", "-1", "ten", {}]
FLAGS = ["1", "0", "true", "false", True, False, 1, 0, "", None, "True", "yes"]
TRAITS = [
    *("Pro", "pro", "", None, 28, 1.5, True, "True", "None", {"nested": [1, None]}, "1519205055"),
    *("2024-07-28 08:55:35.874555", "2024-02-30", "2024-05-01", "2024-05-01T00:00:00-03:30"),
    "<script>alert(1)</script>",
]
TRAIT_KEYS = [
    *(
        "email",
        "name",
        "plan_type",
        "plan",
        "company_name",
        "industry",
        "created_at",
        "sign_up_date",
    ),
    *("signed_up_at", "signup_at", "a.b", "with/slash", '"quoted"', "role"),
]
BAD_LINES = [
    b'{"app_token":"NX-1","event_type":"track"',
    b'{"app_token":"NX-1","event_type":"track","inserted_at":NaN}',
    b'{"app_token":"NX-1","event_type":"track","inserted_at":"2025-01-01T00:00:00Z",}',
    b'{"app_token":"NX-1","event_type":"track","inserted_at":"2025-01-01T00:00:00Z"} {}',
    b'{"app_token":"NX-1","event_type":"track","user_id":"\\ud800","inserted_at":"2025-01-01T00:00:00Z"}',
    b'{"app_token":"\xff"}',
    b"[1, 2]",
    b'"text"',
    b'{"app_token":"","event_type":"track","inserted_at":"2025-01-01T00:00:00Z"}',
    b'{"app_token":"NX-1","event_type":{},"inserted_at":"2025-01-01T00:00:00Z"}',
    b'{"app_token":"NX-1","event_type":"track","inserted_at":"2025-02-29T00:00:00Z"}',
    b'{"app_token":"NX-1","event_type":"track","inserted_at":"2025-01-01"}',
    b'{"app_token":"NX-1","event_type":"track","inserted_at":1715000000}',
    b'{"app_token":"NX-1","event_type":"track","inserted_at":"2025-01-01T00:00:00 +02:00"}',
    b'\xef\xbb\xbf{"app_token":"NX-1","event_type":"track","inserted_at":"2025-01-01T00:00:00Z"}',
    b'{"app_token":"NX-1","event_type":"track","inserted_at":"2025-01-01T00:00:00Z","x":0x1}',
]
BLANK_LINES = [b"", b" ", b"\t \r", b"   "]


def written(moment: datetime, rng: random.Random) -> str:
    """One of the many ways to write a moment."""
    zone = timezone(timedelta(minutes=rng.choice([0, 0, 0, -210, 330, 765, -720])))
    local = moment.astimezone(zone).replace(tzinfo=None)
    text = local.isoformat(sep=rng.choice("T "), timespec="microseconds")
    if zone.utcoffset(None):
        offset = local - moment.replace(tzinfo=None)
        minutes = int(offset.total_seconds() // 60)
        sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
        return f"{text}{sign}{hours:02}{rng.choice([':', ''])}{rest:02}"
    if rng.random() < 0.2:
        text = text[: rng.choice([19, 21, 24])]
    return text + rng.choice(["Z", "Z", "", ".5Z"[2:]])


def metadata(event_type: Any, rng: random.Random) -> Any:
    """Attributes as they come, traits for identify events."""
    if event_type in ("identify_user", "identify_company"):
        value: Any = {key: rng.choice(TRAITS) for key in rng.sample(TRAIT_KEYS, rng.randint(0, 5))}
    elif event_type == "interaction":
        value = {
            "score": rng.choice(SCORES),
            "feedback": rng.choice(["", "great", "=cmd()", None, "multi\nline", "'; --", {"a": 1}]),
            "follow_up_question": rng.choice(["", "Why?"]),
            "submission_id": rng.choice(["2025-03-01", "2025-03-02", "", 12345678901234567]),
            "variant": rng.choice(["A", "A", "B", "B", "C", "", None]),
            "status": rng.choice(STATUSES),
            "parent_id": rng.choice(["survey_13", "resource_center_1", "13", "survey_", "_1", ""]),
            "is_dismissed": rng.choice(FLAGS),
            "never_show_again": rng.choice(FLAGS),
            "total_dismissed": rng.choice(["3", 4, "", "x", "007", "99999999999999999999"]),
            "article_title": rng.choice(["", "How to <b>", None]),
            "interaction_id": rng.choice(["nps_1", ""]),
        }
        value = {key: value[key] for key in rng.sample(sorted(value), rng.randint(0, len(value)))}
    else:
        value = rng.choice([{}, {}, {"amount": 1.50}, None, "text", [1], {"{{ x }}": "'"}])
    return json.dumps(value) if rng.random() < 0.05 else value


def event(moment: datetime, rng: random.Random) -> dict[str, Any]:
    """One random event."""
    event_type = rng.choice(EVENT_TYPES)
    name: Any = rng.choice(
        ["Sign up", "Signed Up", "a:b:c", "77", "0042", "31", "", None, "Report: %", "SEEN"]
    )
    if event_type == "interaction":
        name = rng.choice(["nps", "x:y", "::", "experience::SEEN", ":1:SEEN", "a:b:c:d:SEEN"])
        if rng.random() < 0.9:
            name = f"{rng.choice(ENTITIES)}:{rng.choice(STATUSES)}"
    value = {
        "app_token": rng.choice(APPS),
        "event_type": event_type,
        "event_name": name,
        "user_id": rng.choice(USERS),
        "company_id": rng.choice(COMPANIES),
        "source": rng.choice(SOURCES),
        "inserted_at": written(moment, rng),
        "session": rng.choice(["1", "2", "10", 3, "s-1", "", None, "-4", "007"]),
        "hostname": rng.choice(["app.example.com", "", None]),
        "pathname": rng.choice(["/", "/a", "/b?q='", "", None]),
        "device_type": rng.choice(["desktop", "Desktop", "iPhone15,2", "", None]),
        "browser": rng.choice(["Chrome", "", None]),
        "country_code": rng.choice(["DE", "UK", None]),
        "screen_width": rng.choice([1920, "1920", "unknown", 1920.0, None, " 9 ", -1, "1e3"]),
        rng.choice(["metadata", "metadata", "metadata", "attributes"]): metadata(event_type, rng),
    }
    if rng.random() < 0.1:
        value["attributes"] = metadata(event_type, rng)
    if rng.random() < 0.1:
        value[rng.choice(["new_key", "utm", "app token"])] = rng.choice([1, "x", {"a": []}])
    if rng.random() < 0.9:
        value["internal_event_id"] = rng.choice(["", None]) or f"{rng.getrandbits(64):x}"
    if rng.random() < 0.05:
        value["internal_event_id"] = rng.choice(["1", 1, "0001", "shared"])
    keys = sorted(value)
    rng.shuffle(keys)
    return {key: value[key] for key in keys if value[key] is not None or rng.random() < 0.5}


def encoded(value: dict[str, Any], rng: random.Random) -> bytes:
    """The event as a line, with or without blanks and escapes."""
    separators = rng.choice([(",", ":"), (", ", ": "), (" ,\t", " : ")])
    return json.dumps(value, ensure_ascii=rng.random() < 0.5, separators=separators).encode()


def packed(lines: list[bytes], rng: random.Random) -> tuple[str, bytes]:
    """A file's extension and bytes."""
    end = rng.choice([b"\n", b"\n", b"\r\n"])
    content = rng.choice([b"", b"", b"\xef\xbb\xbf"]) + end.join(lines) + rng.choice([end, b""])
    half = len(content) // 2
    return rng.choice(
        [
            (".json", content),
            (".ndjson", content),
            (".JSONL", content),
            (".ndjson.gz", gzip.compress(content)),
            (".json.gz", gzip.compress(content[:half]) + gzip.compress(content[half:])),
            (".jsonl.zst", zstandard.compress(content)),
        ]
    )


def write_export(folder: Path, seed: int, events: int = 6000, dirty: float = 0.005) -> None:
    """Write a hostile export of some 60 files in the Data Sync layout, and a few flat ones."""
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    start = datetime(2025, 3, 1, tzinfo=UTC)
    known: list[dict[str, Any]] = []
    for number in range(60):
        day = start + timedelta(days=number)
        lines: list[bytes] = []
        for _ in range(events // 60):
            kind = rng.random()
            if kind < dirty:
                lines.append(rng.choice(BAD_LINES))
            elif kind < dirty + 0.01:
                lines.append(rng.choice(BLANK_LINES))
            elif kind < 0.15 and known:
                copy = dict(rng.choice(known))
                if rng.random() < 0.3:
                    copy["pathname"] = "/corrected"
                lines.append(encoded(copy, rng))
            else:
                # Whole hours tie; a few events come late, a few from the future.
                late = rng.choice([0] * 40 + [-50, -400, 2, 30, 20000])
                hours = rng.choice([rng.randrange(24), rng.random() * 24])
                value = event(day + timedelta(days=late, hours=hours), rng)
                known.append(value)
                lines.append(encoded(value, rng))
        if number == 30:
            big = event(day, rng) | {"app_token": "NX-STAGING7", "metadata": {"x": "y" * 5_500_000}}
            lines.append(encoded(big, rng))
        sync = rng.choice(["13214_NX-44A1B2C3", "13215_NX-STAGING7"])
        parent = folder / f"prefix/userpilot_datasync_{sync}" / day.strftime("%Y-%m-%d")
        extension, content = packed(lines, rng)
        path = parent / f"events it's [{number}]{extension}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    last = folder / "prefix/userpilot_datasync_13214_NX-44A1B2C3/2025-04-29"
    last.mkdir(parents=True, exist_ok=True)
    (last / "broken.json.gz").write_bytes(gzip.compress(b'{"app_token":"x"}\n' * 100)[:-12])
    (last / "notes.csv").write_text("a,b\n")
    (last / ".hidden.json").write_text("{}\n")
    (last / "all_users.ndjson").write_text('{"user_id":"007"}\n')
    (last / "feature_tags_definitions.ndjson").write_text(
        '{"id":"77","name":"Export"}\n{"app_token":"NX-STAGING7","id":31,"name":"<b>Bold</b>"}\n'
    )
