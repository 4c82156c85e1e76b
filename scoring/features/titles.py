"""What a job title says: the function somebody works in and how senior they are. Pure functions on text.

English first, with the commonest German, French and Spanish words; the order of the rules is part of them.
"""

from __future__ import annotations

import re

from scoring.features.rules import cleaned, first, rules

_FUNCTIONS = rules(
    ("student",
     r"students?|pupil|undergraduate|(?:phd|doctoral) candidate|werkstudent(?:in)?|estudiante|"
     r"étudiante?"),
    ("operations", r"(?:executive |personal )?assistant (?:to|of)|office manager"),
    ("executive",
     r"ceo|chief executive|(?<!vice )(?<!vice-)president|co-?founders?|founders?|"
     r"(?<!product )(?<!process )owners?|managing (?:director|partner)|general manager|"
     r"executive director|chair(?:man|woman|person)|board member|proprietor|geschäftsführer(?:in)?|"
     r"inhaber(?:in)?|gründer(?:in)?|directeur général|director general|pdg"),
    ("finance",
     r"cfo|financ\w*|accountants?|accounting|controllers?|comptroller|treasur\w+|audit\w*|tax|billing|"
     r"payroll|comptable|buchhalt\w*|contador(?:a)?"),
    ("marketing",
     r"cmo|marketing|marketer|brand|content|seo|growth|communications?|demand generation|"
     r"public relations|pr|social media|events?"),
    ("sales",
     r"cro|sales|account (?:executive|manager|director)|key account|business development|bdr|sdr|"
     r"revenue|customer success|commercial|vertrieb\w*|ventas"),
    ("technical",
     r"cto|cio|ciso|it|information technology|tech|technolog\w*|technical|eng|engineer\w*|developers?|"
     r"devops|sre|architects?|software|data|security|infrastructure|platform|programmers?|programming|"
     r"sys ?admins?|systems?|network|r&d|research\w*|scientists?|analytics|machine learning|ai|qa|"
     r"quality assurance|web|\w*informatik\w*|\w*entwickl\w*|ingenieur\w*|ingénieur\w*|"
     r"desarrollador\w*"),
    ("operations",
     r"coo|operations?|operating|ops|supply chain|logistics|procurement|purchas\w+|buyer|facilit\w+|"
     r"manufactur\w+|production|plant|warehouse|quality|(?:project|programm?e?) managers?|einkauf\w*|"
     r"einkäufer(?:in)?|compras"),
    ("business",
     r"business|products?|strateg\w+|hr|chro|human resources|people|talent|recruit\w+|personal\w*|"
     r"consult\w+|legal|counsel|lawyer|attorney|compliance|risk|analysts?|transformation|innovation|"
     r"management|vice[ -]president|vp|directors?|dir|managers?|mgr|head|chief"),
)  # fmt: skip

FUNCTIONS = tuple(dict.fromkeys(name for name, _ in _FUNCTIONS))
"""Every function that a title with a meaning may name."""

_SENIORITIES = rules(
    ("individual", r"assistant (?:to|of)"),
    ("intern",
     r"interns?|internship|trainee|apprentice|werkstudent(?:in)?|praktikant(?:in)?|stagiaire|azubi"),
    ("vp", r"(?:s|e|se|a)?vp|vice[ -]president\w*"),
    ("c_level",
     r"c[efimorst]o|ciso|cdo|cpo|chro|chief|president|co-?founders?|founders?|"
     r"(?<!product )(?<!process )owners?|managing (?:director|partner)|chair(?:man|woman|person)|"
     r"proprietor|geschäftsführer(?:in)?|inhaber(?:in)?|gründer(?:in)?|directeur général|"
     r"director general|pdg"),
    ("director", r"directors?|dir|head|directeur|directrice|directora|\w*leiter(?:in)?|direktor(?:in)?"),
    ("manager",
     r"managers?|mgr|lead(?! gen)|leader|supervisors?|coordinator|controller|gerente|responsable|"
     r"manager(?:in)?"),
)  # fmt: skip

_PLACEHOLDERS = frozenset({"test", "asdf", "qwerty", "abc", "foo", "bar", "title", "job title"})


def function(title: str) -> str:
    """technical, business, executive, finance, marketing, sales, operations or student; "other" for a title that no
    rule knows, "unknown" for one without meaning ("xx", "123", "test")."""
    text = _spelled(title)
    return "unknown" if _meaningless(text) else first(_FUNCTIONS, text) or "other"


def seniority(title: str) -> str | None:
    """c_level, vp, director, manager, individual or intern; None for a title without meaning."""
    text = _spelled(title)
    return None if _meaningless(text) else first(_SENIORITIES, text) or "individual"


def _spelled(title: str) -> str:
    """Without the dots of "V.P.", "Dir." and "Ph.D."."""
    return cleaned(title).replace(".", "")


def _meaningless(text: str) -> bool:
    letters = re.sub(r"[\W\d_]", "", text)
    return len(set(letters)) < 2 or text in _PLACEHOLDERS
