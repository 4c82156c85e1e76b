"""Words of many spellings made one: job titles, sources, industries, countries, e-mail domains. Pure functions on text.

Titles, sources and the like are applied to the distinct values only (firmographic.py), so they may take their time. A
value that no rule knows survives as cleaned text.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files

import tldextract

BLANKS = frozenset({
    "", "-", "--", "---", ".", "?", "n/a", "n.a.", "n.a", "na", "none", "--none--", "- none -", "null", "nil", "nan",
    "unknown", "not known", "select", "-select-", "--select--", "please select", "select one", "not specified",
    "not provided", "not available", "not applicable", "unspecified", "undefined", "(blank)", "blank", "tbd", "xxx",
})  # fmt: skip
"""What people and forms write for "nothing", in lower case."""


def cleaned(text: str) -> str:
    """Lower case, one space between words, HubSpot's COMPUTER_SOFTWARE style undone."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(text.replace("_", " ").split()).strip(" .,;:")


def _rules(*pairs: tuple[str, str]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((name, re.compile(rf"\b(?:{words})\b")) for name, words in pairs)


def _first(rules: tuple[tuple[str, re.Pattern[str]], ...], text: str) -> str | None:
    return next((name for name, words in rules if words.search(text)), None)


# --- job titles -----------------------------------------------------------------------------------------------------

_FUNCTIONS = _rules(
    ("student", r"students?|pupil|ph\.?d candidate|doctoral candidate|undergraduate|estudiante|étudiante?|studente?|werkstudent(?:in)?"),
    ("executive", r"ceo|president(?! of)|founders?|co-?founders?|owners?|chief executive\w*|managing director|general manager|"
                  r"executive director|chair(?:man|woman|person)?|board member|partner|principal|md|geschäftsführer(?:in)?|"
                  r"directeur général|director general|gründer(?:in)?|inhaber(?:in)?|proprietor|pdg"),
    ("finance", r"cfo|financ\w*|accountants?|accounting|controllers?|treasur\w+|audit\w*|tax|billing|payroll|"
                r"comptroller|comptable|buchhalt\w*|contador"),
    ("marketing", r"cmo|marketing|brand|content|seo|growth|communications?|demand generation|pr|public relations|social media|"
                  r"mercadotecnia|events?"),
    ("sales", r"cro|sales|account executive|account manager|business development|bdr|sdr|revenue|vertrieb\w*|ventas|commercial|"
              r"key account|customer success"),
    ("technical", r"cto|cio|ciso|it|information technology|technolog\w*|technical|engineer\w*|developers?|devops|sre|"
                  r"architects?|software|data|security|infrastructure|platform|programm\w+|sys ?admins?|systems?|network|"
                  r"admin(?:istrator)? (?:of )?systems?|r&d|research|scientists?|analytics|machine learning|ai|qa|"
                  r"quality assurance|web|informatik\w*|entwickl\w*|ingenieur\w*|ingénieur\w*|desarrollador\w*|tech"),
    ("operations", r"coo|operations?|ops|supply chain|logistics|procurement|purchas\w+|buyer|facilit\w+|manufactur\w+|"
                   r"production|plant|warehouse|quality|office manager|einkauf\w*|einkäufer(?:in)?|compras|project managers?|program(?:me)? managers?"),
    ("business", r"business|product|strategy|strategist|hr|chro|human resources|people|talent|recruit\w+|personal\w*|consult\w+|"
                 r"legal|counsel|lawyer|attorney|compliance|risk|analysts?|transformation|innovation|management|vice president|"
                 r"vp|director|manager|head|chief|president"),
)  # fmt: skip

_SENIORITIES = _rules(
    ("intern", r"interns?|internship|trainee|apprentice|praktikant(?:in)?|stagiaire|working student|werkstudent(?:in)?|becario|azubi"),
    ("vp", r"s?e?vp|avp|vice[ -]president\w*|vicepresident\w*"),
    ("c_level", r"c[eftimors]o|ciso|cdo|cpo|chro|chief|founders?|co-?founders?|owners?|president|managing director|chair(?:man|woman|person)?|"
                r"partner|proprietor|geschäftsführer(?:in)?|directeur général|director general|inhaber(?:in)?|gründer(?:in)?|pdg"),
    ("director", r"directors?|head|directeur|directrice|directora?|leiter(?:in)?|direktor(?:in)?|principal"),
    ("manager", r"managers?|mgr|lead|leader|supervisors?|team lead|gerente|responsable|teamleiter(?:in)?|manager(?:in)?|"
                r"coordinator|controller"),
)  # fmt: skip


def function(title: str) -> str:
    """The job function: technical, business, executive, finance, marketing, sales, operations, student; "other" for a
    title that no rule knows, "unknown" for one without meaning ("xx", "123", "test")."""
    text = cleaned(title)
    if _meaningless(text):
        return "unknown"
    return _first(_FUNCTIONS, text) or "other"


def seniority(title: str) -> str | None:
    """c_level, vp, director, manager, individual or intern; None for a title without meaning."""
    text = cleaned(title)
    if _meaningless(text):
        return None
    if "assistant to" in text or "assistant of" in text:
        return "individual"
    if re.search(r"\b(?:account|product|project|program|programme) (?:executive|partner|lead)\b", text):
        return "individual"
    return _first(_SENIORITIES, text) or "individual"


def _meaningless(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return (
        len(letters) < 2
        or len(set(letters)) == 1
        or text in {"test", "asdf", "qwerty", "abc", "foo", "title"}
    )


# --- sources --------------------------------------------------------------------------------------------------------

_CHANNELS = _rules(
    ("referral", r"refer\w*|word of mouth|recommend\w*|friend|colleague|customer advocate|employee|introduc\w+|mouth|client"),
    ("partner", r"partners?|resellers?|affiliate|channel|alliance|agency|marketplace|appexchange|distributor"),
    ("event", r"events?|trade ?shows?|conference|webinars?|seminar\w*|workshop|expo|fair|meetup|booth|roadshow|summit"),
    ("paid", r"paid|ppc|ads?|advert\w*|adwords|sponsor\w*|display|cpc|sem|retarget\w+|pay per click|banner|magazine|newspaper|"
             r"google ads|facebook ads|linkedin ads"),
    ("outbound", r"outbound|cold|prospect\w*|purchased|bought|list|sdr|bdr|outreach|zoominfo|apollo|sales navigator|"
                 r"sales generated|data ?vendor|telemarketing|phone inquiry out|direct mail|offline"),
    ("inbound", r"inbound|web|website|web ?site|organic|seo|search|google|bing|direct|direct traffic|content|blog|form|chat|olark chat|"
                r"download|demo|trial|signup|sign up|newsletter|e-?mail|phone inquiry|call in|social|social media|"
                r"facebook|linkedin|twitter|youtube|instagram|internet|hubspot|landing page|live chat|quora"),
)  # fmt: skip

_SOURCES = {
    "web site": "website", "web": "website", "www": "website", "google": "organic search", "organic": "organic search",
    "seo": "organic search", "tradeshow": "trade show", "ppc": "paid search", "google ads": "paid search",
    "google adwords": "paid search", "adwords": "paid search", "word-of-mouth": "word of mouth",
    "customer referral": "referral", "referrals": "referral", "webinars": "webinar", "cold calling": "cold call",
    "cold calls": "cold call", "e-mail": "email",
}  # fmt: skip


def source(text: str) -> str:
    """The lead source, spelling joined."""
    text = (
        cleaned(text).replace("-", " ") if "-" in text and "e-mail" not in text.casefold() else cleaned(text)
    )
    return _SOURCES.get(text, text)


def channel(text: str) -> str:
    """inbound, outbound, partner, event, paid, referral, or other where no rule knows the source."""
    return _first(_CHANNELS, re.sub(r"[-/|:]", " ", cleaned(text))) or "other"


def referred(heard_from: str) -> str:
    """ "1" when an answer to "how did you hear about us" names a person, else "0"."""
    person = (
        r"refer\w*|recommend\w*|word of mouth|mouth|friends?|colleagues?|co-?workers?|team ?mates?|boss|manager|peers?|"
        r"told (?:me|us)|suggested|introduc\w+|someone at|my team|our team|another team|internal"
    )
    return "1" if re.search(rf"\b(?:{person})\b", cleaned(heard_from)) else "0"


# --- industries and countries ---------------------------------------------------------------------------------------

_INDUSTRIES = {
    name: joined
    for joined, names in {
        "software": "computer software, software & internet, software and internet, saas, software development",
        "information technology": "it, information technology and services, information technology & services, it services, "
        "it services and it consulting, it & services, tech, technology",
        "financial services": "finance, finance & banking, finance and banking, financial, fintech",
        "banking": "bank, banks, investment banking, commercial banking",
        "healthcare": "health care, health, hospital & health care, hospitals and health care, hospitals, medical",
        "pharmaceuticals": "pharma, pharmaceutical, biotech, biotechnology, life sciences",
        "manufacturing": "manufacturer, industrial manufacturing, machinery, industrial automation",
        "retail": "retailing, retail trade, e-commerce, ecommerce, online retail",
        "education": "higher education, education management, e-learning, school, schools, university, edtech",
        "government": "government administration, public sector, government relations, federal government",
        "nonprofit": "non-profit, not for profit, not-for-profit, non profit, nonprofit organization management, ngo",
        "real estate": "realestate, commercial real estate, property",
        "telecommunications": "telecom, telco, communications",
        "transportation": "transportation/trucking/railroad, transport, logistics, logistics and supply chain, shipping",
        "energy": "oil & energy, oil and gas, oil & gas, utilities, renewables & environment",
        "media": "media & entertainment, media and entertainment, entertainment, publishing, online media",
        "marketing and advertising": "marketing & advertising, advertising, advertising services, marketing",
        "hospitality": "hospitality & travel, leisure, travel, leisure, travel & tourism, hotels",
        "consulting": "management consulting, business consulting, professional services",
        "construction": "building, building materials, engineering & construction",
        "insurance": "insurer, insurances",
    }.items()
    for name in names.split(", ")
}

_COUNTRIES = {
    name: joined
    for joined, names in {
        "united states": "us, u.s, usa, u.s.a, united states of america, america, the united states",
        "united kingdom": "uk, u.k, gb, gbr, great britain, england, britain, scotland, wales",
        "germany": "de, deu, deutschland", "france": "fr, fra", "spain": "es, esp, españa", "italy": "it, ita, italia",
        "netherlands": "nl, nld, the netherlands, holland, nederland", "canada": "ca, can", "australia": "au, aus",
        "india": "in, ind", "brazil": "br, bra, brasil", "japan": "jp, jpn", "china": "cn, chn", "mexico": "mx, mex, méxico",
        "switzerland": "ch, che, schweiz, suisse", "austria": "at, aut, österreich", "sweden": "se, swe, sverige",
        "poland": "pl, pol, polska", "ireland": "ie, irl", "belgium": "be, bel", "denmark": "dk, dnk, danmark",
        "norway": "no, nor, norge", "finland": "fi, fin, suomi", "portugal": "pt, prt", "singapore": "sg, sgp",
        "israel": "il, isr", "south africa": "za, zaf", "new zealand": "nz, nzl", "south korea": "kr, kor, korea",
        "united arab emirates": "ae, are, uae",
    }.items()
    for name in names.split(", ")
}  # fmt: skip


def industry(text: str) -> str:
    text = cleaned(text)
    return _INDUSTRIES.get(text, text)


def country(text: str) -> str:
    text = cleaned(text)
    return _COUNTRIES.get(text, text)


# --- e-mail addresses -----------------------------------------------------------------------------------------------

_extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
"""The suffix list inside the package; never fetches."""


@cache
def free_mail() -> frozenset[str]:
    """Domains whose addresses say nothing of the company (data/free_mail.txt)."""
    text = (files("scoring.features") / "data" / "free_mail.txt").read_text("utf-8")
    return frozenset(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def domain(email: str) -> str | None:
    """The registered domain of an address ("a@mail.acme.co.uk" -> "acme.co.uk"), None where it has none."""
    name, at, host = email.strip().casefold().rpartition("@")
    if not at or not name or " " in host:
        return None
    return _extract(host).top_domain_under_public_suffix or None


def email_kind(email: str) -> str:
    """company, free, or none for an entry that is no address."""
    found = domain(email)
    if found is None:
        return "none"
    return "free" if _is_free(found) else "company"


def company_domain(email: str) -> str | None:
    """The domain that colleagues share; None for free mail."""
    found = domain(email)
    return None if found is None or _is_free(found) else found


def _is_free(found: str) -> bool:
    return found in free_mail() or _extract(found).domain in _FREE_EVERYWHERE


_FREE_EVERYWHERE = frozenset({"gmail", "googlemail", "hotmail", "outlook", "yahoo", "ymail", "rocketmail", "gmx", "yandex",
                              "protonmail", "icloud", "aol"})  # fmt: skip
"""Providers that are free under every ending (yahoo.co.uk, hotmail.fr …)."""
