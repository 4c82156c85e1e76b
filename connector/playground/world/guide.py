"""docs/scenarios.md: how a scenario is written, with every knob as the code declares it. `python -m
connector.playground.world.guide` writes it; a test plays the page's own example."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connector.playground.world.scenario import TABLES, Declared, declared
from connector.playground.world.scenario_file import read_scenario, shipped

PAGE = Path(__file__).parents[3] / "docs" / "scenarios.md"
MARK = "<!-- Made by `python -m connector.playground.world.guide` from the code's own declarations. Change those, not this. -->"
EXAMPLE = """\
name = "city_hall"
about = "A vendor to the public sector: slow, few, and nobody with a title decides"
off = ["researchers", "new_persona"]

[world]
blanks = 1.4                # records blanker than usual

[returners]
share = 0.8
slower = 2.5

[committees]
champions = 0.9

[channels.rates]            # the other sources keep their rates
"web form" = 0.05
"event" = 0.09

[channels.days]
"web form" = 70
"""

VERTICAL = """\
[cast]
size = 40                   # median employees

[cast.industries]           # replaces all of them
"dental practices" = 0.7
"veterinary clinics" = 0.3

[cast.titles]
"business manager" = ["Practice Manager", "Office Mgr"]

[cast.sources]              # the others keep their weights
"paid search" = 0.4

[cast.source_names]
"paid search" = ["TikTok Ads", "tiktok"]
"""
REAL_ROWS = """\
name = "real_loans"
about = "A bank's loan applications, as they came; who takes the loan is drawn anew"
data = "loan-applications"
form = "trees"              # steps and interactions; the default, "spline", is additive and smooth

[attention]
unreached = 0.5
"""

_INTRO = f"""\
# Scenarios: write a world of your own

{MARK}

The local CRM is filled with a world that is made from a seed: companies, people, what they do, what reps write down, and
how it ends. A *scenario* says what that world is like. It is one TOML file; no code is needed.

## In three steps
1. Save this as `city_hall.toml`:

```toml
{EXAMPLE}```

2. Start a local CRM with it. The path may be any; a bare name means a scenario that is shipped.

```
candor playground --scenario city_hall.toml --data ./city-hall --leads 3000 --months 18 --seed 1
```

3. Use it like any other org, in another terminal: `candor init --playground ./city-hall`. `candor demo --scenario city_hall.toml`
   plays the whole loop on it. From Python: `generate(leads=3000, months=18, seed=1, scenario=read_scenario("city_hall.toml"))`
   (connector/playground/world/generate.py and scenario_file.py) gives the world and its truth.

A world is made when the folder is new; to play a changed scenario, name a new folder. The same file, seed, number of leads and
months make the same world, byte for byte.

## What a file may say
Above the tables:
- `name`: small letters, digits, `-` and `_`. `about`: a sentence. Both may be missing.
- `data` and `form`: real rows instead of made-up leads, [see below](#real-rows-with-outcomes-drawn-anew).
- `off`: a list of pathologies that are switched off, each at the off values below. `off = ["all"]` switches off all but those that the
  file itself has a table for.

Then:
- A table for a pathology, with those knobs that differ from their defaults. A pathology can't be in `off` and have a table.
- `[channels.rates]` and `[channels.days]` name sources; those not named keep their defaults.
- `[cast]` is the vertical that is sold to: industries, company sizes, titles, sources and their mix. Sources come in seven kinds, which
  differ in what their leads do; what a kind is called in the records is yours to say:

```toml
{VERTICAL}```


What is not written keeps its default: an empty file is the default scenario, where every pathology is on. `[attention] history` leaves
leads of the world's own history without a rep, the others of that table say what a rep's work is worth there and in a played half-year.
`duplicates`, `deletions` and `owners` change no outcome, only the records: a local CRM merges, deletes, restores and re-owns them the
way its vendor does.

`[world]`, `[cast]` and `[reps]` are no pathologies and can't be in `off`. `[reps]` changes nothing of the world that is handed over: it says who
works in it from then on.

After hand-over, `POST /reps/react` on the pages' port lets days pass: the reps work, and new leads of the same scenario keep
coming at the same rate, each half-year of them from a seed of its own.

## Real rows, with outcomes drawn anew
Made-up leads are as their maker imagined leads. So there are *semi-synthetic* worlds too: the rows of a real data set, with their
real mix, blanks and ties, and outcomes that are drawn from a model fitted on the real ones. So each lead's true chance is known.

```toml
{REAL_ROWS}```

| `data` | rows | dated | what may be done |
| --- | --- | --- | --- |
| `x_education` | 9,240 leads of an online-education company | no | `candor playground`, `candor demo` |
| `bank-calls` | 41,188 calls of a bank's campaign | no | the same |
| `loan-applications` | applications for a loan that were open after a week, with their first week's events | yes | the same, and `candor demo --days` (30 to 75) |

- Candor comes without the rows. They are read from the folder that `CANDOR_DATA` names, else from `../shared/data`, when the world is
  made; of that folder `leads/x_education.csv`, `bank-calls/calls.csv.gz` or `loan-applications/`. Where they aren't, nothing is made.
- `form` says what kind of model the chances come from: `spline` or `trees`. The seed draws the outcomes: another seed is another
  history of the same rows. Rows are as many as they are, so `--leads`, `--months` and `--size` mean nothing here.
- Of the tables only `[attention]`, without `history`, and `[reps]` may be there: what it is worth to reach a lead in days that are
  played, and who does.
- Some rows are open leads whose outcome the truth alone knows: of `x_education` a fifth, by lot, of `bank-calls` the last 30 %, of
  `loan-applications` those that were not decided by hand-over, 20 February 2012. `candor demo` reports AUC and log loss on them,
  and beside each what the true chances come to, which nothing beats but by luck.
- An application is won within 30 days or not at all, so that is the policy's horizon (`horizon_days`) there.
- Nobody comes after hand-over: there are no more rows.

## When something is wrong
Nothing is made; the message names the file, the line, the key, and what is allowed there:

```
city_hall.toml, line 9, [returners] share is 1.8; allowed is a number from 0 to 1 (share of leads of big companies and of the public sector that are on it; default 0.5).
```

## What is shipped
`candor playground` and `candor demo` play `first` when no scenario is given: a milder world, on which the figures of Candor's
interval are measured. [What a world looks like](world.md) shows `default` beside real data.
"""


def page() -> str:
    lines = [_INTRO, "| name | what it is |", "| --- | --- |"]
    for name in shipped():
        lines.append(
            f"| [{name}](../connector/playground/scenarios/{name}.toml) | {read_scenario(name).about} |"
        )
    lines += [
        "",
        "## Every knob",
        "",
        "Lifts are log odds: 0.7 doubles the odds, 1.1 makes them three times as high.",
    ]
    for table, kind in TABLES.items():
        lines += ["", f"### [{table}]", (kind.__doc__ or "").split("\n")[0], ""]
        lines += ["| knob | what it says | default | off | allowed |", "| --- | --- | --- | --- | --- |"]
        lines += [_row(knob) for knob in declared() if knob.table == table]
    return "\n".join(lines) + "\n"


def _row(knob: Declared) -> str:
    if isinstance(knob.default, bool):
        allowed = "true, false"
    elif knob.low is None:
        allowed = f"a table by {_BY.get(knob.name, 'source')}" + (": lists of names" if _lists(knob) else "")
    else:
        allowed = f"{knob.low:g} to {knob.high:g}" + (", whole" if isinstance(knob.default, int) else "")
    off = "any" if knob.off is None else _said(knob.off)
    return f"| {knob.name} | {knob.says} | {_said(knob.default)} | {off} | {allowed} |"


_BY = {"industries": "industry", "functions": "kind", "levels": "level", "titles": "kind and level"}


def _lists(knob: Declared) -> bool:
    return any(isinstance(one, list) for one in knob.default.values())


def _said(value: Any) -> str:
    if isinstance(value, dict):
        if any(isinstance(one, list) for one in value.values()):
            return "; ".join(f"{name}: {', '.join(one)}" for name, one in value.items())
        each = set(value.values())
        return (
            f"{each.pop():g} for all" if len(each) == 1 else ", ".join(f"{k} {v:g}" for k, v in value.items())
        )
    return str(value).lower() if isinstance(value, bool) else f"{value:.3g}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
