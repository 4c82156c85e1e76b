"""The pages for an admin, "what Candor adds and how to take it out", made from the declaration: one for each CRM.

`python -m crm_schema.document` writes them to docs/; a test keeps them equal to the declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from crm_schema.choices import Choice
from crm_schema.declaration import FIELDS, REVIEW, SEGMENTS, Field, Writer, fields_on
from crm_schema.naming import (
    GROUP,
    HUBSPOT_OBJECTS,
    REVIEW_OBJECT,
    SALESFORCE_OBJECTS,
    hubspot_name,
    salesforce_name,
)
from crm_schema.permissions import HUBSPOT_SCOPES, INTEGRATION, PERMISSION_SETS, Access
from crm_schema.render import hubspot
from crm_schema.render.salesforce_connection import APP
from crm_schema.render.salesforce_parts import ALSO_READS
from crm_schema.render.salesforce_state import TRACKED_FIELDS

_WRITERS: dict[Writer, str] = {"candor": "Candor", "people": "people", "both": "both"}
_WHO_WRITES = (
    "What Candor writes it also overwrites when someone types there; what people write it only reads; of both it clears "
    "the feedback answers once it has them, and opens a review again that lacks its decision. "
)
_ACCESS: dict[Access, str] = {
    "read": "read, where sharing lets them",
    "read all": "read all",
    "edit": "change, where sharing lets them",
    "edit all": "read all; change where sharing lets them",
    "everything": "read, create, change and delete all",
}


_EXPORT = (
    "Each run has a folder of its own under `candor-data/export/`, named by its day and time, with a CSV and a Parquet file for each kind "
    "of record; it is left as it is by later runs. A record on which only an unticked box stands isn't in it."
)
_UPGRADES = (
    "## When a new version changes a field\n\n"
    "`candor plan` shows it and `candor apply` does it, from any earlier version in one run: where a field gets another name, type or "
    "other choices, the values go along, record by record, and only then the old field goes. While they are on their way nobody but "
    "Candor can write into these fields; a run that dies is taken up by the next. A value that has no counterpart in the new field "
    "stops the plan before anything is changed, with the record named. These writes start your automations as any others do."
)


def salesforce_page() -> str:
    counts = {o: len(fields_on(kind)) for kind, o in SALESFORCE_OBJECTS.items()}
    summary = ", ".join(f"{n} on {o}" for o, n in counts.items())
    return _page(
        "What Candor adds to your Salesforce org, and how to take it out",
        f"Candor adds custom fields ({summary}), the object {REVIEW_OBJECT} with its tab and validation rule, the queue "
        f"{REVIEW.queue} and {len(PERMISSION_SETS)} permission sets. It changes no page layout, no profile, no flow and no "
        "field of yours, and creates or deletes none of your records; review cases are its own. `candor plan` shows what "
        "would be done, `candor apply` does it in one deployment (all of it or nothing), `candor verify` finds what has changed "
        "since and says what that breaks, `candor remove` takes it out.",
        "## Fields on Lead and Contact",
        "Contact has the same, without the closing question and its reason.",
        _field_table(fields_on("lead"), salesforce_name),
        "## Fields on Account",
        _field_table(fields_on("account"), salesforce_name),
        "## Fields on Opportunity",
        _field_table(fields_on("deal"), salesforce_name),
        f"## Fields on {REVIEW_OBJECT}",
        _field_table(fields_on("review"), salesforce_name),
        _WHO_WRITES
        + "Your labels, help texts and additional values stay as you make them: Candor goes by the API names.",
        *_lists(fields_on("review")),
        "## Review cases",
        f"A lead that Candor isn't sure about, and that may be worth it, becomes a record of {REVIEW_OBJECT} in the queue "
        f"{REVIEW.queue}. Reviewers find it under the tab “{REVIEW.plural}”, list “Open reviews”; add them to the queue in Setup, Queues. The rule {REVIEW.rule} refuses a completed review "
        f"without decision and reason: “{REVIEW.message}”",
        "## Who may see and change which fields",
        _table(
            (
                "permission set",
                "for whom",
                "Candor's fields",
                "people's fields",
                "fields of both",
                "review: Candor's fields",
                "review: decision, reason, note, status",
            ),
            (
                (
                    f"`{p.name}`",
                    p.help,
                    *(_right(w in p.edits) for w in ("candor", "people", "both")),
                    *(_right(w in p.edits_review) for w in ("candor", "both")),
                )
                for p in PERMISSION_SETS
            ),
        ),
        "A field that is hidden from Candor's user looks to that user as if it weren't there. `candor plan`, `verify` and `doctor` "
        "tell the two apart with View Setup and Configuration, and what is hidden they compare with the declaration where the user "
        "may modify metadata; `candor apply` shows Candor's fields to it again and leaves their labels and values as you made them.",
        "## Who may do what with records",
        _table(
            ("permission set", *SALESFORCE_OBJECTS.values(), "system permissions"),
            (
                (
                    f"`{p.name}`",
                    *(
                        _ACCESS[dict(p.records)[k]] if k in dict(p.records) else "as before"
                        for k in SALESFORCE_OBJECTS
                    ),
                    ", ".join(p.system) or "none",
                )
                for p in PERMISSION_SETS
            ),
        ),
        f"`{INTEGRATION.name}` also reads Campaign and these fields of yours, where they exist, and those that your mapping "
        "file names:",
        "\n".join(f"- {o}: {', '.join(names)}" for o, names in ALSO_READS.items()),
        "`AllowViewEditConvertedLeads` is there because Salesforce makes a converted lead read-only, custom fields "
        "included. Without it Candor leaves converted leads alone and writes on the contact.",
        "## Shadow mode, and going live",
        "Salesforce shows a new field to nobody until a permission set does. So at first hand out `Candor_Admin` only: scores "
        "are written, and only admins see them. To go live, assign `Candor_Rep` and `Candor_Reviewer`.",
        "## How Candor signs in",
        f"By an External Client App and your certificate, so that no secret is kept. `candor apply --certificate candor.crt "
        f"--contact you@example.com` makes it: the app “{APP}” with JWT bearer, the scopes `api` and `refresh_token`, open to "
        f"holders of `{INTEGRATION.name}` alone; it sets no consumer secret, and your private key stays with you. Without these "
        "options no app is made. It is a deployment of its own: where your org keeps the Metadata API from OAuth consumers (Setup, "
        "External Client App Settings), Salesforce refuses it by name and the rest is there. Salesforce gives no certificate "
        "back, so `candor verify` tells that the app is gone, not that its certificate is another. `candor remove` takes it out, "
        "unless Candor signs in by a certificate: then it says that the app stays.",
        "## What you do by hand",
        "- **Who applies.** `candor plan`, `apply` and `remove` need a user with Modify Metadata Through Metadata API "
        "Functions; the daily work doesn't, and no permission set of Candor's grants it.\n"
        "- **Sharing.** If leads, contacts, accounts or opportunities aren't Public Read/Write in your org, add a sharing rule "
        "that lets the integration user change them. Candor doesn't take Modify All, which would include deleting.\n"
        "- **History.** Salesforce keeps the history of at most "
        f"{TRACKED_FIELDS} fields an object, your own included, and only where history is switched on for the object. Candor "
        "asks for it on the fields marked “tracked” as far as there is room, and the plan names those that are left out: of "
        "these Candor sees a change at its next pass, but not who made it when.\n"
        "- **Conversion.** `candor apply` maps Candor's lead fields to the contact's of the same name, and score, confidence "
        "and tags to the opportunity, beside the mappings that you have. Where Candor may not read those, it leaves them alone: "
        "map by hand then (Setup, Object Manager, Lead, Map Lead Fields), or what a rep said on a lead stays behind on it.\n"
        "- **Layout.** Put the fields on your lead page.",
        "## How to take it out",
        f"1. `candor remove` first shows what it would delete, then exports the values of Candor's fields and the review cases. {_EXPORT}\n"
        "2. It deletes queue, fields and object in one deployment, takes the permission sets from everyone who holds them, and deletes "
        "those in another.\n"
        "3. A field of one of these names that is of another type than Candor's was never Candor's, and stays, hidden or not; the last "
        "line names it.\n"
        "4. Salesforce keeps deleted fields and their values for 15 days and counts them against the object's limit meanwhile; "
        "their names are free at once, so Candor can be installed again. Erase them earlier in Setup, Object Manager, Deleted Fields.\n"
        "5. If a flow, an Apex class, a validation rule, a formula or a workflow of yours uses a field, Salesforce names it and "
        "refuses: take it out there, then run `candor remove` again. Reports, list views and page layouts don't keep a field from being "
        "deleted, they lose it: a filter by it goes, and they may show more than before. `candor remove` lists both kinds before it "
        "does anything. (Salesforce Help names references by fields, field updates and Apex; the rest is from "
        "admins' own trials, so look at your reports.)\n"
        "6. What you added to Candor's permission sets goes with them; the list says what.",
        _UPGRADES,
        "On Salesforce the old field is deleted in the end (15 days in the bin, as above), and with it its field history; Candor keeps what "
        "it has read of it. Records in the recycle bin are left out.",
    )


def hubspot_page() -> str:
    summary = ", ".join(f"{len(hubspot.fields_on(o))} on {o}" for o in hubspot.OBJECTS)
    stages = ", ".join(f"“{s.label}”" for s in REVIEW.stages)
    return _page(
        "What Candor adds to your HubSpot portal, and how to take it out",
        f"Candor adds properties ({summary}), all in a group “{GROUP.capitalize()}”, a ticket pipeline “{REVIEW.label}” and "
        f"{len(SEGMENTS)} lists (segments) of contacts. It changes no view, no workflow and no property of yours, and creates or deletes none of your records; review tickets "
        "are its own. `candor plan` shows what would be done, `candor apply` does it, `candor verify` finds what has "
        "changed since and says what that breaks, `candor remove` takes it out.",
        *(
            part
            for object_name in hubspot.OBJECTS
            for part in (
                f"## Properties on {object_name}",
                _field_table(hubspot.fields_on(object_name), hubspot_name),
            )
        ),
        _WHO_WRITES
        + "Your labels and additional options stay as you make them: Candor goes by the internal names. A contact "
        "is both lead and contact in HubSpot, so each stands there once.",
        *_lists(hubspot.fields_on(HUBSPOT_OBJECTS["review"])),
        "## Review cases",
        f"A lead that Candor isn't sure about, and that may be worth it, becomes a ticket in the pipeline “{REVIEW.label}” with "
        f"the stages {stages}. The stage is the status. HubSpot can't refuse a completed ticket without decision and reason, so "
        "Candor moves it to “Reopened” and says why in its note.",
        "## Lists of leads",
        "One for each route that somebody works, kept by HubSpot itself: a contact comes and goes with its route. Rename them, "
        "ask for more in their filters, use them in workflows: that stays. `candor verify` tells when one is gone, static or "
        "no longer asks for its route. HubSpot counts active segments by plan and has no call that tells how many are left; "
        "they are made last, so a plan without room has everything else.",
        _table(
            ("list", "who is in it", "for whom"),
            ((s.name, f"`{hubspot_name(s.field)}` is `{s.value}`", s.help) for s in SEGMENTS),
        ),
        "## What Candor's app or key may do",
        _table(
            ("scope", "what for", "when"),
            (
                (
                    f"`{s.name}`",
                    s.why,
                    "only for `candor apply` and `candor remove`" if s.schema_only else "always",
                )
                for s in HUBSPOT_SCOPES
            ),
        ),
        "HubSpot has no scope for single properties: that Candor writes nothing but its own is its promise (`candor sync "
        "--dry-run` shows each write), not a setting.",
        "## Who may see and change which properties",
        _table(
            ("who", "Candor's properties", "people's properties", "review tickets"),
            (
                ("Candor", "writes", "reads", "writes"),
                ("reps", "see", "change", "see"),
                ("reviewers", "see", "change", "change decision, reason, note and stage"),
                ("admins", "see", "change", "change"),
            ),
        ),
        "HubSpot lets no app set who may edit a property. Do it by hand where your plan has it: Settings, Properties, group "
        "“Candor”, Assign users & teams: “view and edit” for people's properties, “view only” for Candor's.",
        "## Shadow mode, and going live",
        "In the same place make Candor's properties visible to admins only, until you go live. Where your plan can't hide "
        "properties, keep them off the record's layout and views: who looks for them will still find them.",
        "## What you do by hand",
        "- **Layout.** Add the group to the contact and deal sidebar (Settings, Objects, Record "
        "customization).\n"
        "- **History.** HubSpot keeps the history of every property by itself.",
        "## How to take it out",
        f"1. `candor remove` first shows what it would archive, then exports the values and the review tickets. {_EXPORT}\n"
        "2. It deletes the lists (not the contacts in them) and the pipeline, archives the properties and removes the groups.\n"
        "3. A property of one of these names that is of another type than Candor's was never Candor's, and stays; so does a "
        "group that holds properties of yours.\n"
        "4. HubSpot keeps archived properties for 90 days; installing Candor again until then revives them. Deleted lists it keeps "
        "as long, but the ones made anew are new to your workflows. If a list, form or workflow of yours uses a property, HubSpot refuses: take it out there, then run `candor remove` again.",
        _UPGRADES,
        "On HubSpot a property keeps its name and history when its type changes; one that gets another name is archived (90 days).",
    )


def _page(title: str, *parts: str) -> str:
    note = "<!-- Made by `python -m crm_schema.document` from the declaration. Change that, not this. -->"
    return "\n\n".join([f"# {title}", note, *parts]) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _field_table(fields: Sequence[Field], name: Callable[[str], str]) -> str:
    return _table(
        ("label", "name", "type", "written by", "what it says"),
        ((f.label, f"`{name(f.key)}`", _kind(f), _WRITERS[f.written_by], f.help) for f in fields),
    )


def _kind(f: Field) -> str:
    notes = []
    if f.bounds is not None:
        notes.append(f"{f.bounds[0]:.0f}-{f.bounds[1]:.0f}")
    if f.type in ("text", "long_text"):
        notes.append(f"up to {f.length} characters")
    if f.unique:
        notes.append("unique")
    if f.tracked:
        notes.append("tracked")
    words = f.type.replace("_", " ")
    return f"{words} ({', '.join(notes)})" if notes else words


def _lists(review: Sequence[Field]) -> list[str]:
    """What can be chosen, once for each list."""
    rows: dict[tuple[Choice, ...], list[str]] = {}
    for f in [*(f for f in FIELDS if f.on != ("review",)), *review]:
        if f.choices:
            rows.setdefault(f.choices, []).append(f.label)
    cells = ((", ".join(dict.fromkeys(labels)), _choices(choices)) for choices, labels in rows.items())
    return ["## What can be chosen", _table(("field", "choices"), cells)]


def _choices(choices: Sequence[Choice]) -> str:
    return "; ".join(f"{c.label} (`{c.value}`){': ' + c.help.rstrip('.') if c.help else ''}" for c in choices)


def _right(edit: bool) -> str:
    return "change" if edit else "see"


PAGES: Mapping[str, Callable[[], str]] = {
    "what-candor-adds-salesforce.md": salesforce_page,
    "what-candor-adds-hubspot.md": hubspot_page,
}


def write(folder: Path) -> list[Path]:
    """Write every page into a folder."""
    for name, page in PAGES.items():
        (folder / name).write_text(page(), encoding="utf-8")
    return [folder / name for name in PAGES]


if __name__ == "__main__":
    write(Path(__file__).resolve().parents[1] / "docs")
