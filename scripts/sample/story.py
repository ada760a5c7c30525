"""What the users do, day by day, as lines of NDJSON.

Where a figure of the story must be seen in a small sample too (a split, a success rate, a score),
the draws are spread evenly instead of independently: see `Even`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from random import Random
from typing import Any

import msgspec

from scripts.sample import catalog
from scripts.sample.catalog import MAIN, STAGING, Experiment, Variant
from scripts.sample.people import Company, Traits, User, make_users

MINUTE = 60_000_000  # the clock counts microseconds of the day
HOUR = 60 * MINUTE
GOLDEN_RATIO = 0.6180339887498949
WEB = "web-client"
encode = msgspec.json.Encoder().encode


class Even:
    """Numbers from 0 to 1 that fill the range evenly however few are drawn, one row a topic."""

    def __init__(self, rng: Random) -> None:
        """Start every row somewhere else."""
        self._rng = rng
        self._last: dict[str, float] = {}

    def draw(self, topic: str) -> float:
        """Draw the topic's next number (a golden ratio sequence)."""
        last = self._last.get(topic)
        number = self._rng.random() if last is None else (last + GOLDEN_RATIO) % 1
        self._last[topic] = number
        return number


@dataclass
class Day:
    """One day of the export: each app's lines in the order of time."""

    number: int
    date: date
    lines: dict[str, list[bytes]]
    feature_uses: Counter[tuple[str, str]]
    feature_users: dict[tuple[str, str], set[str]]


class Story:
    """Plays the days in order; `users` know their state at the end of the last day played."""

    def __init__(self, seed: int, user_count: int, start: date, days: int) -> None:
        """Make the people and plan their first visits."""
        self.rng = Random(f"story {seed}")  # noqa: S311 - a sample, not a secret
        self.even = Even(self.rng)
        self.start, self.days = start, days
        self.users = make_users(self.rng, user_count, start, days)
        self.counts: Counter[str] = Counter()
        self.nps_answers = 0
        self.texts = 0
        self._visits: defaultdict[int, list[User]] = defaultdict(list)
        self._companies_of_app: defaultdict[str, list[Company]] = defaultdict(list)
        for user in self.users:
            self._plan(user, user.signup_day if user.signup_day >= 0 else self.rng.randrange(14))
            if user.company:
                self._companies_of_app[user.app].append(user.company)
        self.user: User = self.users[0]
        self.clock = 0
        self.page = "/"  # where the user is
        self.feature_uses: Counter[tuple[str, str]] = Counter()
        self.feature_users: defaultdict[tuple[str, str], set[str]] = defaultdict(set)

    def play(self) -> Iterator[Day]:
        """Play each day."""
        for number in range(self.days):
            self.day = number
            self.date = self.start + timedelta(days=number)
            self.midnight = datetime.combine(self.date, datetime.min.time())
            self.progress = number / self.days
            self.has_ids = number >= self.days // 12  # older exports had no internal_event_id
            self.lines: dict[str, list[tuple[datetime, bytes]]] = {MAIN: [], STAGING: []}
            self.feature_uses.clear()
            self.feature_users.clear()
            if number == 0:
                self._import_history()
            for user in self._visits.pop(number, []):
                self._visit(user)
            self._sync_from_crm()
            yield Day(
                number,
                self.date,
                {app: [line for _, line in sorted(lines)] for app, lines in self.lines.items()},
                Counter(self.feature_uses),
                dict(self.feature_users),
            )

    # -- one event ----------------------------------------------------------------------------

    def emit(
        self,
        event_type: str,
        name: str = "",
        metadata: Traits | None = None,
        *,
        source: str = WEB,
        pathname: str = "",
        company: Company | None = None,
        pause: tuple[int, int] = (1_200_000, 45_000_000),
    ) -> None:
        """Write one event, some time (microseconds) after the one before."""
        user, random = self.user, self.rng.random
        self.clock += pause[0] + int(random() * (pause[1] - pause[0]))
        moment = self.midnight + timedelta(microseconds=self.clock)
        iso = moment.isoformat(timespec="microseconds") + "Z"
        of_user = event_type != "identify_company"
        user_id = user.user_id if of_user else ""
        of_company = company or user.company
        company_id = of_company.company_id if of_company else ""
        event: dict[str, Any] = {
            "app_token": user.app,
            "event_type": event_type,
            "event_name": name,
            "source": source,
            "user_id": user_id,
            "company_id": company_id,
            "inserted_at": self._written(moment, iso),
        }
        if self.has_ids:
            key = "\x1f".join((user.app, event_type, name, user_id, company_id, iso))
            digest = blake2b(key.encode(), digest_size=8)
            is_decimal = user.app == MAIN
            event["internal_event_id"] = (
                str(int.from_bytes(digest.digest(), "big")) if is_decimal else digest.hexdigest()
            )
        if source == WEB:
            event |= user.device
            event["session"] = str(user.session)
            event["country_code"] = user.country
            self.page = pathname or self.page
            event["pathname"] = self.page
            if random() < 0.02 and self.progress > 0.6:  # a newer SDK sends more than documented
                event["sdk_version"] = "3.2.1"
                event["flags"] = {"beta": True, "bucket": int(random() * 9)}
        elif source == "backend-http":  # some backends send empty texts, others nothing
            event |= {"hostname": "", "pathname": "", "browser": "", "session": ""}
        if user_id == catalog.NUMERIC_USER_ID and source != WEB:
            event["user_id"] = int(user_id)
        self._add_metadata(event, metadata or {})
        self.counts[event_type] += 1
        if of_user:
            user.last_seen = iso
            user.first_seen = user.first_seen or iso
        self.lines[user.app].append((moment, encode(event)))

    def _written(self, moment: datetime, iso: str) -> str:
        """Write a time in one of the forms that come."""
        draw = self.rng.random()
        if draw < 0.96:
            return iso
        if draw < 0.98:
            return iso[:-1].replace("T", " ")
        if draw < 0.99:
            return (moment + timedelta(hours=2)).isoformat(timespec="microseconds") + "+02:00"
        return (moment - timedelta(hours=8)).isoformat(timespec="microseconds") + "-0800"

    def _add_metadata(self, event: dict[str, Any], metadata: Traits) -> None:
        """Add the attributes, for some interactions under the page's other name for them."""
        draw = self.rng.random() if event["event_type"] == "interaction" else 1.0
        if draw < 0.04:
            event["attributes"] = metadata
        elif draw < 0.06:
            event |= {"metadata": {}, "attributes": metadata}
        elif draw < 0.065:
            event["metadata"] = encode(metadata).decode()
        else:
            event["metadata"] = metadata

    def interact(
        self, entity: str, number: str, status: str, attributes: Traits, **how: Any
    ) -> None:
        """Write an interaction; `attributes` come after the id, and may change the status."""
        own = {"interaction_id": f"{entity}_{number}", "status": status}
        self.emit("interaction", f"{entity}:{number}:{status}", own | attributes, **how)

    def text(self, ordinary: tuple[str, ...]) -> str:
        """Pick what a person wrote; every eighth text is a hostile one, each in its turn."""
        self.texts += 1
        turn, rest = divmod(self.texts, 8)
        if rest == 3:
            return catalog.HOSTILE_TEXTS[turn % len(catalog.HOSTILE_TEXTS)]
        return self.rng.choice(ordinary)

    # -- visits -------------------------------------------------------------------------------

    def _plan(self, user: User, day: int) -> None:
        """Plan the next visit, mostly on a weekday; nothing is planned after the last day."""
        weekday = (self.start + timedelta(days=day)).weekday()
        if weekday >= 5 and user.visits and self.rng.random() < 0.75:
            day += 7 - weekday
        if day < self.days:
            self._visits[day].append(user)

    def _plan_return(self, user: User) -> None:
        """Let the user come back, stay away for weeks, or be gone for good."""
        random = self.rng.random
        if user.app == STAGING:
            liking, stay = 0.75, 0.985
        else:
            liking = 0.3 * user.fondness + 0.15 * user.tour_done + 0.55 * user.tasks / 4
            stay = 0.4 + 0.59 * liking
        if random() < stay:
            self._plan(user, self.day + 1 + int(self.rng.expovariate(1) * 5 * (1.05 - liking)))
        elif random() < 0.12:
            self._plan(user, self.day + self.rng.randrange(20, 46))

    def _begin(self, user: User) -> None:
        """Set the clock to the user's working hours, early enough to end before midnight."""
        local = self.rng.triangular(7.5, 19.5, 10.5)
        self.user, self.clock = user, int((local - user.hours_from_utc) % 21.5 * HOUR)
        self._start_session()

    def _start_session(self) -> None:
        self.user.session += 1
        self.page = "/signup" if self.user.session == 1 else self.rng.choice(("/", "/dashboard"))
        self.emit("session_start")

    def _visit(self, user: User) -> None:
        random = self.rng.random
        if user.last_visit == self.day:
            return
        user.last_visit = self.day
        self._begin(user)
        user.visits += 1
        if user.visits == 1 and user.signup_day >= 0:
            self._sign_up()
        else:
            self._work()
        for experiment in catalog.EXPERIMENTS if user.app == MAIN else ():
            self._join(experiment)
        self._contaminate()
        if user.visits > 1:
            self._feedback()
            self._small_things()
        if random() < 0.05 and self.clock < 18 * HOUR:
            self.clock += int((1.5 + random()) * HOUR)
            self._start_session()
            self._view_pages(1)
        self._plan_return(user)

    def _view_pages(self, count: int) -> None:
        for page in self.rng.choices(catalog.PAGES, catalog.PAGE_WEIGHTS, k=count):
            self.emit("page_view", pathname=page)

    def _sign_up(self) -> None:
        user = self.user
        self.emit("page_view", pathname="/signup")
        self.emit("identify_user", "", self._traits())
        self.emit("track", catalog.SIGNED_UP, {"plan": user.plan, "referrer": self._referrer()})
        if user.company and not user.company.named:
            self.emit("identify_company", "", self._company_traits(user.company))
        if self.rng.random() < 0.55:
            self._view_pages(1)
        if self.even.draw("tour shown " + user.app) < 0.55:
            self._tour()
        if self.even.draw("checklist shown " + user.app) < 0.55:
            self._see_checklist()
        if self.rng.random() < 0.25 + 0.5 * user.fondness:
            self._use_features(1)

    def _work(self) -> None:
        """Play an ordinary visit."""
        user, random = self.user, self.rng.random
        if random() < 0.12:
            self.emit("identify_user", "", self._changed_traits())
        self._view_pages(1 + int(random() * 2))
        if random() < 0.07:  # the phone rang
            self.clock += int((31 + random() * 25) * MINUTE)
            self._view_pages(1)
        if user.signup_day >= 0 and not user.tour_done and user.tour_dismissals and random() < 0.25:
            self._tour()
        if user.checklist in ("SEEN", "ENGAGED") and random() < 0.7:
            self._do_task()
        if random() < 0.7:
            self._use_features(1 + int(random() * 2))
        if random() < 0.4:
            self._track_something()
        if random() < 0.08 and user.plan in ("trial", "free"):
            self._shop()
        if user.company and random() < 0.006:
            self._change_company()

    def _use_features(self, count: int) -> None:
        chosen = self.rng.choices(catalog.DAILY_FEATURES, catalog.FEATURE_WEIGHTS, k=count)
        for feature in chosen:
            self._use_feature(feature)

    def _use_feature(self, feature: str) -> None:
        key = (self.user.app, feature)
        self.feature_uses[key] += 1
        self.feature_users[key].add(self.user.user_id)
        self.emit("track_feature", feature)

    def _track_something(self) -> None:
        name = self.rng.choices(catalog.CHANCE_EVENTS, catalog.CHANCE_WEIGHTS)[0]
        metadata: Traits = {"rows": int(self.rng.random() * 5000), "took_seconds": 0.25}
        if name == "Search":
            metadata = {"query": self.text(catalog.QUERIES), "results": self.rng.randrange(30)}
        elif name.startswith("Report"):
            metadata = {
                "report": {"type": "table", "filters": ["country", "plan"]},
                "is_first": "False",
            }
        self.emit("track", name, metadata)

    def _shop(self) -> None:
        user, random = self.user, self.rng.random
        self.emit("track", "Billing: Page Opened", {"plan": user.plan}, pathname="/billing")
        if random() < 0.35:
            return
        plan = "enterprise" if random() < 0.15 else "pro"
        order: Traits = {
            "plan": plan,
            "amount": 499.5 if plan == "enterprise" else 49,
            "currency": "EUR",
        }
        self.emit("track", "Checkout: Started", order, pathname="/billing/checkout")
        if random() < 0.35:
            self.emit("track", "Checkout: Cancelled", {"reason": self.text(catalog.FEEDBACKS)})
            if random() < 0.7:
                return
        if random() < 0.75:
            user.plan = plan
            self.emit("track", "Plan: Upgraded", order, pathname="/billing/thanks")
            traits: Traits = {"plan_type": plan, "trial_ends_at": None}  # null removes a trait
            self.emit("identify_user", "", traits)
            if user.company:
                user.company.plan = plan
                self.emit("identify_company", "", {"plan": plan}, source="backend-salesforce")

    def _change_company(self) -> None:
        user = self.user
        user.company = self.rng.choice(self._companies_of_app[user.app])
        self.emit("identify_user", "", {"role": user.role, "company_changed": "True"})

    # -- content ------------------------------------------------------------------------------

    def _flow_state(self, dismissed: str = "0", total: int | None = None) -> Traits:
        total = self.user.tour_dismissals if total is None else total
        return {"is_dismissed": dismissed, "total_dismissed": str(total)}

    def _tour(self) -> None:
        """Walk through the onboarding flow as far as this user gets: many stop at step three."""
        user = self.user
        self.interact("experience", catalog.TOUR, "SEEN", self._flow_state())
        for step, chance in catalog.TOUR_STEPS:
            self.interact("experience_step", step, "SEEN", self._flow_state())
            if self.even.draw(f"step {step} {user.app}") < chance:
                self.interact("experience_step", step, "COMPLETED", self._flow_state())
                continue
            if self.rng.random() < 0.65:  # the others just leave
                user.tour_dismissals += 1
                self.interact("experience_step", step, "DISMISSED", self._flow_state("1"))
                self.interact("experience", catalog.TOUR, "DISMISSED", self._flow_state("1"))
            return
        user.tour_done = True
        self.interact("experience", catalog.TOUR, "COMPLETED", self._flow_state())
        if self.rng.random() < 0.04:  # closing the last step logs both
            user.tour_dismissals += 1
            self.interact("experience", catalog.TOUR, "DISMISSED", self._flow_state("1"))

    def _checklist(self, entity: str, number: str, status: str) -> None:
        self.interact(
            entity,
            number,
            status,
            {
                "is_dismissed": "1" if status == "DISMISSED" else "",
                "parent_id": f"checklist_{catalog.CHECKLIST}" if entity == "checklist_task" else "",
            },
        )

    def _see_checklist(self) -> None:
        user, random = self.user, self.rng.random
        user.checklist = "SEEN"
        self._checklist("checklist", catalog.CHECKLIST, "SEEN")
        if random() < 0.4 + 0.4 * user.fondness:
            user.checklist = "ENGAGED"
            self._checklist("checklist", catalog.CHECKLIST, "ENGAGED")
            self._do_task()
        elif random() < 0.15:
            user.checklist = "DISMISSED"
            self._checklist("checklist", catalog.CHECKLIST, "DISMISSED")

    def _do_task(self) -> None:
        user, random = self.user, self.rng.random
        task = catalog.TASKS[user.tasks]
        if random() < 0.2:
            self._checklist("checklist_task", task, "SEEN" if random() < 0.5 else "ENGAGED")
        if random() < 0.45 + 0.5 * user.fondness:
            user.tasks += 1
            self._checklist("checklist_task", task, "COMPLETED")
            if user.tasks == len(catalog.TASKS):
                user.checklist = "COMPLETED"
                self._checklist("checklist", catalog.CHECKLIST, "COMPLETED")

    def _small_things(self) -> None:
        """Resource centre, and content that the schema page does not describe."""
        random = self.rng.random
        if random() < 0.04:
            self._read_articles()
        if random() < 0.008:
            state: Traits = {"is_dismissed": "0"}
            self.interact("spotlight", "5", "SEEN", state)
            if random() < 0.5:
                self.interact("banner", "card:3", "CLICKED", state | {"link_id": 7})
        if random() < 0.002:
            self.emit("track_labeled", "label-12", {"label": "Nav > Reports"})
        if random() < 0.002:
            self.emit("interaction", "checklist:10", {"status": "SEEN"})  # a name without its end

    def _read_articles(self) -> None:
        number = catalog.RESOURCE_CENTER
        none: Traits = {"article_title": "", "article_url": "", "is_dismissed": "", "parent_id": ""}
        self.interact("resource_center", number, "SEEN", none)
        self.interact("resource_center", number, "ENGAGED", none | {"is_dismissed": "0"})
        if self.rng.random() < 0.7:
            article = self.rng.choice(list(catalog.ARTICLES))
            first_title, later_title, url = catalog.ARTICLES[article]
            self.interact(
                "resource_center_article",
                article,
                "ENGAGED",
                {
                    "article_title": first_title if self.progress < 0.55 else later_title,
                    "article_url": url,
                    "is_dismissed": "0",
                    "parent_id": f"resource_center_{number}",
                },
            )

    # -- feedback -----------------------------------------------------------------------------

    def _feedback(self) -> None:
        user = self.user
        if self.progress >= 0.05 and self.day >= user.nps_day and self.rng.random() < 0.55:
            user.nps_day = self.day + 45
            self._nps()
            return
        chance = (0.12, 0.01, 0)[user.surveys]  # a few answer twice
        if self.progress > 0.3 and user.visits >= 3 and self.rng.random() < chance:
            user.surveys += 1
            self._survey()

    def _nps_event(self, event_status: str, score: object = "", **attributes: object) -> None:
        self.interact(
            "nps",
            catalog.NPS,
            event_status,
            {
                "feedback": "",
                "follow_up_question": "",
                "score": score,
                "submission_id": "" if event_status == "SEEN" else self.date.isoformat(),
                "survey_question": catalog.NPS_QUESTION,
                **attributes,
            },
        )

    def _nps(self) -> None:
        self._nps_event("SEEN")
        draw = self.even.draw("nps response " + self.user.app)
        if draw > 0.6:
            if draw > 0.85:
                self._nps_event("DISMISSED", is_dismissed="1")
            return
        score = self._nps_score()
        if self.user.app == MAIN:
            self.nps_answers += 1
        match self.nps_answers % 60:  # strange answers come by turns, so that all of them come
            case 5:
                self._nps_event("SUBMITTED_SCORE", "11")
            case 10:
                self._nps_event("SUBMITTED_SCORE", "9.5")
            case 15:
                self._nps_event("SUBMITTED_SCORE", "")
            case 20:
                self._nps_event("SUBMITTED_SCORE", 9)  # as mobile SDKs send it
                return
            case 25:
                self._nps_event("SUBMITTED_SCORE", "2")  # a slip, mended below
        self._nps_event("SUBMITTED_SCORE", str(score))
        if self.rng.random() < 0.4:
            self._nps_event(
                "SUBMITTED_FEEDBACK",
                str(score),
                feedback=self.text(catalog.FEEDBACKS),
                follow_up_question=catalog.NPS_FOLLOW_UP,
                status="COMPLETED",  # as the schema page shows it
            )

    def _nps_score(self) -> int:
        """Draw a score; promoters grow and detractors shrink over the whole period."""
        detractors, promoters = 0.36 - 0.22 * self.progress, 0.26 + 0.32 * self.progress
        draw = self.even.draw("nps score " + self.user.app)
        if draw < detractors:
            return self.rng.choices(range(7), (1, 1, 1, 2, 3, 5, 8))[0]
        return (
            9 + (self.rng.random() < 0.4) if draw > 1 - promoters else 7 + (self.rng.random() < 0.6)
        )

    def _survey_event(
        self, module: str, status: str, kind: str, question: str, feedback: str
    ) -> None:
        self.interact(
            "survey_module",
            module,
            status,
            {
                "feedback": feedback,
                "is_dismissed": "1" if status == "DISMISSED" else "0",
                "parent_id": f"survey_{catalog.SURVEY}",
                "survey_question": question if self.rng.random() < 0.7 else "",
                "variant": kind,
            },
        )

    def _survey(self) -> None:
        random = self.rng.random
        choice = (catalog.CHOICE, "multiple_choice", catalog.CHOICE_QUESTION)
        written = (catalog.OPEN, "open_text", catalog.OPEN_QUESTION)
        for (module, kind, question), answer in (
            (choice, self.rng.choices(catalog.OPTIONS, (45, 25, 20, 10))[0]),
            (written, self.text(catalog.FEEDBACKS)),
        ):
            self._survey_event(module, "SEEN", kind, question, "")
            if random() < 0.25:
                self._survey_event(module, "DISMISSED", kind, question, "")
                return
            if random() < 0.04:
                self._survey_event(module, "SKIPPED", kind, question, "")
                continue
            self._survey_event(module, "COMPLETED", kind, question, answer)

    # -- experiments --------------------------------------------------------------------------

    def _join(self, experiment: Experiment) -> None:
        user = self.user
        if not experiment.begins <= self.progress < experiment.ends:
            return
        is_new = user.signup_day >= 0 or experiment.visit > 1
        if user.visits != experiment.visit or not is_new:
            return
        shares, draw = 0.0, self.even.draw("split " + experiment.number)
        for variant in experiment.variants:
            shares += variant.share
            if draw < shares:
                break
        user.variants[experiment.number] = variant.name
        self._expose(experiment.number, variant)
        if (
            experiment.goal
            and self.even.draw(f"{experiment.number} {variant.name}") < variant.converts
        ):
            self._reach(*experiment.goal)
        if len(user.variants) == 1 and self.even.draw("contaminated") < 0.015:
            user.to_contaminate, user.contaminate_visit = experiment.number, user.visits + 1
            self._plan(user, self.day + 1)

    def _expose(self, number: str, variant: Variant) -> None:
        """Write the experiment's event and the flow's own beside it."""
        self._expose_as(number, variant, "SEEN")
        if variant.flow is None:
            return
        draw = self.even.draw(f"{number} {variant.name} completes")
        if draw < variant.completes:
            self._expose_as(number, variant, "COMPLETED")
        elif draw > 0.88:
            self._expose_as(number, variant, "DISMISSED")

    def _expose_as(self, number: str, variant: Variant, status: str) -> None:
        dismissed = "1" if status == "DISMISSED" else "0"
        state = self._flow_state(dismissed, int(dismissed))
        group: Traits = {"never_show_again": "0", "variant": variant.name}
        self.interact("experiment", number, status, state | group, pause=(800_000, 9_000_000))
        if variant.flow is None:
            return
        self.interact("experience", variant.flow, status, state, pause=(3_000, 90_000))
        if number == "9" and status == "COMPLETED":  # these steps name their flow
            step = state | {"parent_id": f"experience_{variant.flow}"}
            self.interact(
                "experience_step", f"{variant.flow}-a", status, step, pause=(2_000, 9_000)
            )

    def _reach(self, event_type: str, name: str) -> None:
        self.clock += int(self.rng.random() * 12 * MINUTE)
        if event_type == "track_feature":
            self._use_feature(name)
        else:
            self.emit(
                event_type, name, {"provider": self.rng.choice(("hubspot", "segment", "csv"))}
            )

    def _contaminate(self) -> None:
        """Show a second variant to the few users chosen for it, at their next visit."""
        user = self.user
        number = user.to_contaminate
        if not number or user.visits < user.contaminate_visit:
            return
        user.to_contaminate = ""
        experiment = next(e for e in catalog.EXPERIMENTS if e.number == number)
        other = next(v for v in experiment.variants if v.name != user.variants[number])
        self._expose_as(number, other, "SEEN")

    # -- traits and backends ------------------------------------------------------------------

    def _referrer(self) -> str:
        return self.rng.choice(
            ("google", "friend", "", "newsletter 📰", "https://blog.example/?a=1&b=2")
        )

    def _traits(self) -> Traits:
        """All traits; the sign-up time under one of its spellings, in one of its forms."""
        user = self.user
        signup = self.start + timedelta(days=user.signup_day)
        if user.signup_day < 0:
            signup -= timedelta(days=user.number * 7 % 700)
        spelling, value = (
            ("signed_up_at", f"{signup}T08:15:00Z"),
            ("created_at", f"{signup} 08:15:00.250000"),
            ("signup_at", f"{signup}T10:15:00+02:00"),
            ("sign_up_date", f"{signup}"),
            (
                "created_at",
                str(int(datetime(signup.year, signup.month, signup.day, tzinfo=UTC).timestamp())),
            ),
        )[min(user.number % 17, 4) if user.number % 17 < 5 else user.number % 3]
        return {
            "email": self.email(user),
            "name": user.name,
            spelling: value,
            "plan_type": user.plan,
            "role": user.role,
            "total_logins": user.session,
            "is_admin": "True" if user.role == "admin" else "False",
            "newsletter": user.number % 3 == 0,
            "phone": "None",
            "trial_ends_at": f"{signup + timedelta(days=14)}T00:00:00Z",
        }

    @staticmethod
    def email(user: User) -> str:
        """Give the user's address, at their company where there is one."""
        domain = f"company-{user.company.number}" if user.company else "mail"
        return f"user.{user.number}@{domain}.example"

    def _changed_traits(self) -> Traits:
        """Give what changed; some traits go for good."""
        user, draw = self.user, self.rng.random()
        logins: Traits = {"total_logins": user.session}
        if draw < 0.1:
            user.role = self.rng.choice(catalog.ROLES)
            return logins | {"role": user.role, "is_admin": str(user.role == "admin")}
        if draw < 0.2:
            return logins | {"phone": None}
        if draw < 0.3:
            return logins | {"total_logins": str(user.session), "score": 0.5}  # a number as text
        return logins

    def _company_traits(self, company: Company) -> Traits:
        company.named += 1
        spelling = "company_name" if company.number % 3 else "name"
        return {
            spelling: company.name,
            "industry": company.industry,
            "plan": company.plan,
            "created_at": f"{company.created}T00:00:00Z",
            "employees": company.employees + company.named // 4 * 5,
        }

    def _import_history(self) -> None:
        """Import the users who were there before the first day."""
        for user in self.users:
            if user.signup_day < 0:
                self.user, self.clock = user, HOUR
                self.emit("identify_user", "", self._traits(), source="backend-http-import")

    def _sync_from_crm(self) -> None:
        """Let the backends speak, about users who were there before today."""
        for app, lines in self.lines.items():
            for _ in range(len(lines) // 20):
                user = self.rng.choice(self.users)
                if user.app == app and user.first_seen and user.first_seen < f"{self.date}":
                    self._backend_event(user)

    def _backend_event(self, user: User) -> None:
        random = self.rng.random
        self.user, self.clock = user, int(random() * 22 * HOUR)
        draw = random()
        if draw < 0.3 and user.company:
            source = "backend-hubspot" if draw < 0.15 else "backend-salesforce"
            self.emit("identify_company", "", self._company_traits(user.company), source=source)
        elif draw < 0.6:
            self.emit(
                "identify_user",
                "",
                {"crm_stage": self.rng.choice(("lead", "customer"))},
                source="backend-hubspot",
            )
        elif draw < 0.8:
            paid: Traits = {
                "amount": round(random() * 500, 2),
                "note": self.text(catalog.FEEDBACKS),
            }
            self.emit("track", "Invoice: Paid", paid, source="backend-http")
        else:
            self.emit("track", "Email: Opened", {"campaign": "spring"}, source="backend-segment")
