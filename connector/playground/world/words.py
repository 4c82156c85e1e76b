"""The world's words: invented names; titles, sources and industries as dirty as people type them."""

from __future__ import annotations

FIRST_NAMES = (  # noqa: SIM905
    "Ada Amir Anika Bela Bruno Carla Chidi Dana Dario Ebba Eli Farah Felix Greta Hana Hugo Ines Ivo "
    "Jana Joon Kaja Kofi Lena Liam Mara Milo Nadia Noor Olga Oskar Pia Priya Quinn Rafa Rhea Samir "
    "Sofia Tarik Tess Uma Vera Viktor Wanda Yara Yusuf Zoe"
).split()
LAST_NAMES = (  # noqa: SIM905
    "Abara Adler Almeida Bakker Becker Bianchi Castell Dahl Demir Dubois Eklund Farkas Ferro Gallo "
    "Haddad Hale Ibarra Ito Jansen Kaya Keller Kovac Lang Larsen Lindt Marsh Mbeki Moreau Nakano "
    "Novak Okafor Olsen Patel Petrov Quist Rossi Sato Silva Stone Tanaka Toth Vance Varga Weber Wolff "
    "Yilmaz Young Zeman"
).split()
COMPANY_STARTS = (  # noqa: SIM905
    "Alder Arvo Birch Bluff Brim Calder Cinder Corva Delta Drift Ember Fenn Ferro Gale Garnet Halo "
    "Harbor Helio Iron Juniper Kestrel Lark Linden Lumen Maple Marl Nimbus Nord Oaken Onyx Opal Pine "
    "Quarry Quill Raven Ridge Sable Sierra Slate Tarn Tidal Umber Vale Vesper Willow Wren Yarrow "
    "Zephyr"
).split()
COMPANY_MIDDLES = (  # noqa: SIM905
    "bank beam bridge brook cast core crest dale field flow ford forge gate grid grove hill lake land "
    "line loom mark mere mill mont path peak point port reach rise rock sand shore spring stead stone "
    "vale view ward water way well wick wood works"
).split()
COMPANY_ENDS = ("", "", "", " Group", " Labs", " Systems", " Partners", " Ltd", " GmbH", " Inc", " AG", " Co")

INDUSTRIES = {  # clean name -> (share, spellings, the usual one first)
    "software": (0.22, ("Software", "software", "SaaS", "Computer Software")),
    "financial services": (0.13, ("Financial Services", "Finance", "financial services", "Banking")),
    "manufacturing": (0.15, ("Manufacturing", "manufacturing", "Industrial")),
    "healthcare": (0.11, ("Healthcare", "Health Care", "healthcare")),
    "retail": (0.12, ("Retail", "retail", "E-Commerce")),
    "education": (0.07, ("Education", "education", "Higher Education")),
    "public sector": (0.06, ("Public Sector", "Government", "public sector")),
    "logistics": (0.08, ("Logistics", "Transportation", "logistics")),
    "media": (0.06, ("Media", "Media & Entertainment")),
}
NEW_INDUSTRY = ("climate technology", ("Climate Technology", "Climate Tech", "Carbon removal"))
"""Enters the market in the last third of the history: an evolving market, never closed before."""

OUTSIDERS = {
    "agriculture": ("Agriculture", "agriculture", "Farming"),
    "legal services": ("Legal Services", "Law Practice", "legal"),
    "mining": ("Mining", "Mining & Metals", "mining"),
    "hospitality": ("Hospitality", "Hotels", "hospitality"),
}
"""Industries that are no part of anybody's ideal profile."""
PRIVATE_EQUITY = (
    "private equity",
    ("Private Equity", "Investment Management", "Venture Capital & Private Equity"),
)
RESEARCHERS = ("Research Analyst", "Research Associate", "Intern, Research", "Analyst (Student)")
NEW_PERSONA = ("AI Operations Lead", "Head of Agents", "Automation Steward", "GTM Engineer")

COUNTRIES = {  # share, spellings
    "United States": (0.44, ("United States", "USA", "US")),
    "United Kingdom": (0.14, ("United Kingdom", "UK", "Great Britain")),
    "Germany": (0.13, ("Germany", "Deutschland", "DE")),
    "France": (0.08, ("France", "FR")),
    "Netherlands": (0.06, ("Netherlands", "The Netherlands")),
    "Canada": (0.07, ("Canada", "CA")),
    "India": (0.05, ("India",)),
    "Brazil": (0.03, ("Brazil", "Brasil")),
}

SOURCES = {  # clean name -> (share, spellings)
    "web form": (0.26, ("Web Form", "web form", "Webform", "Website", "Web")),
    "webinar": (0.14, ("Webinar", "webinar", "Webinar - Q3")),
    "partner referral": (0.09, ("Partner Referral", "partner", "Partner", "Referral - Partner")),
    "outbound list": (0.22, ("Outbound List", "Purchased List", "outbound", "Cold outreach")),
    "event": (0.12, ("Event", "Trade Show", "event", "Tradeshow")),
    "paid search": (0.12, ("Paid Search", "Google Ads", "google", "PPC")),
    "customer referral": (0.05, ("Customer Referral", "Word of mouth", "referral")),
}

FUNCTIONS = ("technical", "business", "executive", "other")
FUNCTION_MIX = {"technical": 0.34, "business": 0.42, "executive": 0.14, "other": 0.10}
LEVEL_MIX = {"individual": 0.35, "manager": 0.33, "director": 0.2, "vice president": 0.12}
"""of technical and business people"""
SENIORITY = ("individual", "manager", "director", "vice president", "chief")
TITLES = {
    ("technical", 0): ("Software Engineer", "Data Engineer", "systems analyst", "Solutions Architect"),
    ("technical", 1): ("Engineering Manager", "IT Manager", "Mgr, Data Platform"),
    ("technical", 2): ("Director of Engineering", "Dir. IT", "Head of Data"),
    ("technical", 3): ("VP Engineering", "V.P. of Engineering", "vp eng"),
    ("business", 0): ("Business Analyst", "Marketing Specialist", "Sales Operations Analyst", "Buyer"),
    ("business", 1): (
        "Marketing Manager",
        "Operations Manager",
        "Revenue Ops Manager",
        "procurement manager",
    ),
    ("business", 2): ("Director of Sales", "Head of Operations", "Finance Director"),
    ("business", 3): ("VP Sales", "Vice President, Marketing", "SVP Operations"),
    ("executive", 4): (
        "CEO",
        "Chief Operating Officer",
        "CFO",
        "CTO",
        "Managing Director",
        "Co-Founder",
        "Owner",
    ),
    ("other", 0): ("Student", "Consultant", "Research Fellow", "Freelancer", "Intern"),
}

AREAS = ("forecasting", "billing", "integrations", "security", "analytics", "workflow")
PRODUCTS = ("Forecast", "Billing", "Connect", "Guard", "Insight")
USE_CASES = (
    "Quarterly forecasting",
    "Invoice automation",
    "Replace spreadsheets",
    "Connect our ERP",
    "Board reporting",
    "Audit trail",
)
HEARD_FROM = ("Search", "A colleague", "A partner", "Conference", "LinkedIn", "Podcast", "Analyst report")
COLLEAGUE = "A colleague"
FREE_MAIL = ("gmail.com", "outlook.com", "yahoo.com", "gmx.de", "hotmail.com", "proton.me")
SUBJECTS = (
    "Your question about forecasting",
    "A quick look at your pipeline",
    "Following up",
    "Next steps",
    "Idea for your team",
)
CAMPAIGNS = ("Spring forum", "Forecasting masterclass", "Product tour", "Finance leaders breakfast")
