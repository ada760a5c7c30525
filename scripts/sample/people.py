"""Who uses the product: companies of skewed size and the users in them."""

from bisect import bisect
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate
from random import Random
from typing import TypeAlias

from scripts.sample import catalog

STAGING_SHARE = 0.035  # staging users for each user of the main app
EXISTING_SHARE = 0.12  # users who signed up before the first day and were imported
SIGN_UPS_BY_WEEKDAY = (1.0, 1.1, 1.1, 1.0, 0.9, 0.35, 0.3)

Traits: TypeAlias = dict[str, object]


@dataclass(slots=True)
class Company:
    """A customer; `named` counts how often it was described by an identify event."""

    number: int
    company_id: str
    name: str
    industry: str
    plan: str
    created: date
    employees: int
    named: int = 0


@dataclass(slots=True)
class User:
    """A user of one app, with all that the story must remember of them. Days count from 0."""

    app: str
    number: int
    user_id: str
    name: str
    company: Company | None
    device: dict[str, object]
    country: str
    hours_from_utc: int
    signup_day: int  # -1: before the first day
    fondness: float  # 0 to 1, whether the product suits them at all
    role: str
    session: int = 0
    visits: int = 0
    last_visit: int = -1  # the day of it
    plan: str = "trial"
    tour_done: bool = False
    tour_dismissals: int = 0
    checklist: str = ""  # the last status
    tasks: int = 0
    variants: dict[str, str] = field(default_factory=dict)  # by experiment
    to_contaminate: str = ""  # the experiment that will show them another variant
    contaminate_visit: int = 0  # the visit at which it does
    nps_day: int = 0  # not asked again before
    surveys: int = 0
    first_seen: str = ""
    last_seen: str = ""


def make_companies(rng: Random, count: int, start: date) -> list[Company]:
    """Make companies, the largest first."""
    companies = []
    for number in range(count):
        strange = number - 1
        is_strange = 0 <= strange < len(catalog.STRANGE_COMPANY_IDS)
        name = (
            catalog.HOSTILE_TEXTS[strange]
            if is_strange
            else f"{rng.choice(catalog.COMPANY_WORDS)} {rng.choice(catalog.COMPANY_KINDS)}"
        )
        companies.append(
            Company(
                number=number,
                company_id=catalog.STRANGE_COMPANY_IDS[strange]
                if is_strange
                else f"c_{1000 + number}",
                name=name,
                industry=rng.choice(catalog.INDUSTRIES),
                plan=rng.choice(catalog.PLANS),
                created=start - timedelta(days=rng.randrange(30, 900)),
                employees=max(3, int(5000 / (number + 1) ** 0.9)),
            )
        )
    return companies


def make_users(rng: Random, count: int, start: date, days: int) -> list[User]:
    """Make `count` users of the main app and a few testers of the staging app."""
    companies = make_companies(rng, max(8, count // 8), start)
    company_weights = list(accumulate(1 / (rank + 2) ** 0.8 for rank in range(len(companies))))
    growth = list(
        accumulate(
            (1 + 1.6 * day / days) * SIGN_UPS_BY_WEEKDAY[(start + timedelta(days=day)).weekday()]
            for day in range(days)
        )
    )
    devices = make_devices()
    existing = max(len(catalog.STRANGE_USER_IDS), round(count * EXISTING_SHARE))

    def make_user(app: str, number: int, user_id: str, signup_day: int) -> User:
        country, device, hours = rng.choices(*devices)[0]
        has_company = rng.random() < 0.92 or number < len(companies) // 4
        company = companies[bisect(company_weights, rng.random() * company_weights[-1])]
        return User(
            app=app,
            number=number,
            user_id=user_id,
            name=catalog.HOSTILE_TEXTS[number // 60 % len(catalog.HOSTILE_TEXTS)]
            if number % 60 == 20
            else f"{rng.choice(catalog.FIRST_NAMES)} {rng.choice(catalog.LAST_NAMES)}",
            company=company if has_company else None,
            device={"hostname": catalog.HOSTS[app], "pathname": "", **device},
            country=country,
            hours_from_utc=hours,
            signup_day=signup_day,
            fondness=rng.random(),
            role=rng.choice(catalog.ROLES),
            session=rng.randrange(5, 120) if signup_day < 0 else 0,
            plan=rng.choice(catalog.PLANS) if signup_day < 0 else "trial",
            nps_day=int(days * 0.05),
        )

    signup_days = sorted(
        bisect(growth, rng.random() * growth[-1]) for _ in range(max(0, count - existing))
    )
    users = [
        make_user(catalog.MAIN, number, make_user_id(rng, number), day)
        for number, day in enumerate([-1] * existing + signup_days)
    ]
    testers = max(6, round(count * STAGING_SHARE))
    return users + [
        make_user(
            catalog.STAGING,
            number,
            users[number * 2].user_id if number % 2 == 0 else f"qa_{number}",
            rng.randrange(max(1, days // 3)),
        )
        for number in range(testers)
    ]


def make_user_id(rng: Random, number: int) -> str:
    """Make an id: strange ones first, then mostly plain ones and some uuids."""
    if number < len(catalog.STRANGE_USER_IDS):
        return catalog.STRANGE_USER_IDS[number]
    if number % 5 == 0:
        digits = f"{rng.getrandbits(128):032x}"
        return "-".join(
            (digits[:8], digits[8:12], "4" + digits[13:16], "a" + digits[17:20], digits[20:])
        )
    return f"usr_{10_000 + number}"


def make_devices() -> tuple[list[tuple[str, dict[str, object], int]], list[int]]:
    """Pair places and machines: (country, browser's columns, hours from UTC) and weights."""
    pairs, weights = [], []
    for country, language, hours, place_weight in catalog.PLACES:
        for kind, width, height, system, browser, agent, machine_weight in catalog.MACHINES:
            columns: dict[str, object] = {
                "screen_width": width,
                "screen_height": height,
                "operating_system": system,
                "browser": browser,
                "browser_language": language,
                "user_agent": agent,
                "device_type": kind,
            }
            pairs.append((country, columns, hours))
            weights.append(place_weight * machine_weight)
    return pairs, weights
