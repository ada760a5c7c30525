"""What the sample's product is made of: its apps, pages, features, content, names and texts."""

# ruff: noqa: RUF001 - texts in many alphabets hold look-alike letters on purpose

from dataclasses import dataclass

MAIN, STAGING = "NX-44A1B2C3", "NX-STAGING7"
SYNC_IDS = {MAIN: "13214", STAGING: "13215"}
HOSTS = {MAIN: "app.acme-reports.example", STAGING: "staging.acme-reports.example"}

PAGES = (
    "/dashboard", "/reports", "/reports/7", "/team", "/integrations", "/settings/profile",
    "/settings/%F0%9F%94%92", "/données/été", "/search?q=<script>alert(1)</script>",
)  # fmt: skip
PAGE_WEIGHTS = (34, 24, 11, 10, 9, 7, 2, 2, 1)

# Feature tags: id -> (name, description, category). One used feature has no definition.
FEATURES = {
    "31": ("Create report button", "Opens the report editor", "Reports"),
    "32": ("Filter panel", "Narrows a dashboard", "Dashboards"),
    "33": ("Share link", "Copies a report's link", "Reports"),
    "34": ('Dark mode "moon" toggle', "Ändert die Farben: hell → dunkel", "Settings"),
    "35": ("{{ config.title }} template picker", "<b>Templates</b>", "Reports"),
    "36": ("Schedule e-mail", "Sends a report every Monday", "Reports"),
    "77": ("Bulk export", "Exports all reports at once", "Reports"),
}
UNDEFINED_FEATURE = "0042"
DAILY_FEATURES = ("31", "32", "33", "34", "35", "36", UNDEFINED_FEATURE)
FEATURE_WEIGHTS = (30, 27, 16, 9, 7, 8, 3)

SIGNED_UP = "Account: Signed Up"
CONNECTED = "Integration: Connected"
BULK_EXPORT = "77"
CHANCE_EVENTS = ("Report: Created", "Report: Shared: Link", "Search", "Export: CSV: Done")
CHANCE_WEIGHTS = (45, 20, 25, 10)

TOUR = "493"  # the onboarding flow
TOUR_STEPS = (("998", 0.94), ("999", 0.9), ("1000", 0.5), ("1001", 0.94))  # chance to finish it
CHECKLIST = "10"
TASKS = ("21", "22", "23", "24")
NPS = "1"
NPS_QUESTION = "How likely is it that you would recommend us to a friend or colleague?"
NPS_FOLLOW_UP = "Is there anything else we can improve?"
SURVEY = "13"
CHOICE, OPEN = "49", "50"
CHOICE_QUESTION = "What do you use Acme Reports for?"
OPEN_QUESTION = "What is missing?"
OPTIONS = (
    "318b72c9-b1ad-4bf6-854b-26d32ac9d281",
    "0f6c1f4e-52d0-4c63-9d55-0a3a5c1f7b10",
    "9b1d2c7a-7f3e-4a86-8a44-5b7c9e0d1f22",
    "C7E2A9D4-13B5-4F60-A8C1-6E0F2B4D8A33",  # in upper case, as some come
)
RESOURCE_CENTER = "1"
# Articles: id -> (title, the later title, url)
ARTICLES = {
    "6FAA69EBAFEEDF5E641ACF6D52847FC98AC44437591FC39D8BE67BDCF4570023": (
        "How to delete a report", "How to delete or archive a report", "https://help.example/delete"),
    "00A1B2C3D4E5F60718293A4B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6D7E8F": (
        "Connect your warehouse", "Connect a warehouse in 3 minutes ⏱", "https://help.example/dwh"),
    "FEDCBA9876543210FEDCBA9876543210FEDCBA9876543210FEDCBA9876543210": (
        "Rôles et droits", "<script>alert('Rôles')</script>", "https://help.example/fr?a=1&b=2"),
}  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """One arm: its share as observed, its flow (None shows nothing) and its success rates."""

    name: str
    share: float
    flow: str | None
    completes: float
    converts: float


@dataclass(frozen=True)
class Experiment:
    """Runs from one fraction of the period to another; users join at their `visit`-th visit."""

    number: str
    begins: float
    ends: float
    visit: int
    variants: tuple[Variant, ...]
    goal: tuple[str, str] | None  # event type and name


EXPERIMENTS = (
    Experiment("9", 0.2, 0.93, 1, (
        Variant("A", 0.5, "501", 0.45, 0.22),
        Variant("B", 0.5, "502", 0.5, 0.42),
    ), ("track", CONNECTED)),
    Experiment("12", 0.25, 0.95, 2, (
        Variant("A", 1 / 3, None, 0.0, 0.3),
        Variant("B", 1 / 3, "510", 0.4, 0.3),
        Variant("C", 1 / 3, "511", 0.4, 0.3),
    ), ("track_feature", BULK_EXPORT)),
    Experiment("15", 0.35, 1.0, 1, (  # planned half and half; more than 60 % landed in A
        Variant("A", 0.62, "520", 0.4, 0.0),
        Variant("B", 0.38, "521", 0.42, 0.0),
    ), None),
)  # fmt: skip

# country, browser language, hours from UTC, weight
PLACES = (
    ("US", "en-US", -6, 30), ("GB", "en-GB", 0, 10), ("DE", "de-DE", 1, 10), ("FR", "fr-FR", 1, 8),
    ("BR", "pt-BR", -3, 8), ("IN", "en-IN", 5, 9), ("JP", "ja-JP", 9, 6), ("EG", "ar-EG", 2, 4),
    ("KR", "ko-KR", 9, 4), ("PL", "pl-PL", 1, 4), ("UK", "en-GB", 0, 3), ("CN", "zh-CN", 8, 4),
)  # fmt: skip
# device type, width, height, system, browser, user agent, weight
MACHINES = (
    ("desktop", 1920, 1080, "Windows", "Chrome",
     "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/136.0 Safari/537.36", 34),
    ("desktop", 1440, 900, "Mac OS X", "Safari",
     "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.4", 20),
    ("desktop", 2560, 1440, "Linux", "Firefox",
     "Mozilla/5.0 (X11; Linux x86_64; rv:138.0) Gecko/20100101 Firefox/138.0", 12),
    ("Desktop", 1536, 864, "Windows", "Edge",
     "Chrome - Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Edg/136.0", 10),
    ("mobile", 390, 844, "iOS", "Safari",
     "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 Mobile", 14),
    ("mobile", 412, 915, "Android", "Chrome",
     "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/136.0 Mobile", 10),
)  # fmt: skip

FIRST_NAMES = (
    "Ada", "Bogdan", "Chloé", "Dmitri", "Émile", "Fatima", "Grace", "Håkon", "Ines", "José",
    "Károly", "Łucja", "Mei", "Nguyễn", "Ólafur", "Priya", "Quentin", "Rūta", "Søren", "Türkan",
    "Uwe", "Văn", "William", "Ximena", "Yuki", "Zoë", "Ольга", "Νίκος", "علي", "דנה",
    "陽子", "민준",
)  # fmt: skip
LAST_NAMES = (
    "Adeyemi", "Bianchi", "Çelik", "D'Angelo", "Eriksson", "Fernández", "García-López", "Hoang",
    "Ivanov", "Johnson", "Kowalski", "Lindqvist", "Müller", "Nakamura", "O'Brien", "Patel",
    "Østergård", "Quispe", "Rossi", "Šimić", "Tanaka", "Uçar", "van der Berg", "王", "Žukauskas",
)  # fmt: skip
COMPANY_WORDS = (
    "Nordlicht", "Blue Harbor", "Café Réunion", "Quantum", "Tōkyō", "Kiwi", "Zürich", "Lagos",
    "Andes", "Saffron", "Baltic", "Granite", "Øresund", "Monsoon", "Copper", "Atlas",
)  # fmt: skip
COMPANY_KINDS = (
    "Labs",
    "GmbH",
    "S.A.",
    "& Sons",
    "株式会社",
    "Ltd",
    "Logistics",
    "Health",
    "Foods",
)
INDUSTRIES = ("Software", "Logistics", "Health", "Retail", "Finance", "Education", "Média")
ROLES = ("admin", "analyst", "manager", "viewer")
PLANS = ("free", "trial", "pro", "enterprise")

# Ids and texts that break careless code.
STRANGE_USER_IDS = (
    "007", "7", "9007199254740993", "9007199254740992",
    "5b6c2f0e-8a1d-4c7e-9f30-1d2e3f4a5b6c", "5B6C2F0E-8A1D-4C7E-9F30-1D2E3F4A5B6C",
    "👩‍🚀-42", " padded ", "null", "true", "a:b/c|d", "Zoë", "Zoe\u0308", "x" * 300,
    "'; drop table events; --", "{{ user.id }}", "=1+1",
)  # fmt: skip
NUMERIC_USER_ID = "9007199254740993"  # backends send this one as a JSON number
STRANGE_COMPANY_IDS = ("42", "042", "9b1d2c7a-7f3e-4a86-8a44-5b7c9e0d1f22", "naïve/公司", "=2+3")
HOSTILE_TEXTS = (
    "Robert'); DROP TABLE students;--",
    "{{ 7 * 7 }} {% raw %} {{ env_var('HOME') }}",
    "<script>alert('xss')</script>",
    '=HYPERLINK("http://evil.example","click")',
    "../../../../etc/passwd",
    "$(rm -rf ~) `id` && echo pwned",
    '"quoted", with, commas\nand a new line\tand a tab',
    "separators \u2028 \u2029 \u0085 and a zero \u200b width",
    "</td></tr><img src=x onerror=alert(1)>",
    "+1-1 @SUM(A1:A9) \\x00 %s %d C:\\temp\\new",
)
FEEDBACKS = (
    "Great tool, highly recommended!", "Saves me an hour a day.", "Too slow on Mondays.",
    "The onboarding lost me at the third step.", "Super Werkzeug, nur etwas teuer.",
    "J'adore les rapports, mais l'export est lent.", "Muy útil para todo el equipo.",
    "とても使いやすいです。", "Отличный сервис, спасибо!", "أداة رائعة جدا", "很好用，但是有点贵",
    "Ótimo produto 👏", "매우 편리합니다", "Świetne narzędzie", "ขอบคุณมาก", "Needs dark mode 🌚",
)  # fmt: skip
QUERIES = ("revenue", "churn by month", "Umsatz März", "売上", "прибыль", "50% off", "a\\b")
