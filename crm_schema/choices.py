"""The lists that people and Candor choose from: tags, routes, decisions, reasons, the feedback form."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    help: str = ""


TAGS = (
    Choice(
        "unexpected_fit", "Unexpected fit", "The lead is qualified for reasons that the score doesn't show."
    ),
    Choice(
        "score_seems_high",
        "Score seems high",
        "The first talk showed that this lead doesn't deserve its score.",
    ),
    Choice(
        "unusual_buying_process",
        "Unusual buying process",
        "Other people, another timeline or other criteria than we are used to.",
    ),
)
BANDS = (
    Choice("sure", "Sure", "Confidence of 85 or more."),
    Choice("fairly_sure", "Fairly sure", "Confidence from 75 to 85."),
    Choice("unsure", "Unsure", "Confidence from 65 to 75: read the range, not the score."),
    Choice("guessing", "Guessing", "Confidence below 65: the score says little."),
)
ROUTES = (
    Choice("person_ae", "Account executive"),
    Choice("person_sdr", "SDR qualification"),
    Choice("review", "Human review"),
    Choice("nurture", "Nurture"),
    Choice("held", "Held: no outreach"),
    Choice("unscored", "Not scored"),
)
FEEDBACK_DUE = (
    Choice("none", "None"),
    Choice("override", "You set another score"),
    Choice("low_but_meeting", "Low score, but a meeting was booked"),
    Choice("high_but_dark", "High score, but no reply for 14 days"),
)
YES_NO = (Choice("yes", "Yes"), Choice("no", "No"))
STATUSES = (Choice("open", "Open"), Choice("completed", "Completed"))
TIERS = (
    Choice("enterprise", "Enterprise"),
    Choice("standard", "Standard"),
    Choice("specialist", "Specialist"),
)
DECISIONS = (
    Choice("route", "Route to a person"),
    Choice("disqualify", "Disqualify"),
    Choice("re_score", "Score again"),
)
REASONS = (
    Choice("hidden_budget", "Hidden budget"),
    Choice("committee_forming", "Committee forming"),
    Choice("timing_later", "Timing later"),
    Choice("wrong_fit", "Wrong fit"),
    Choice("competitor_or_student", "Competitor or student"),
    Choice("data_missing", "Data missing"),
    Choice("new_use_case", "New use case"),
    Choice("research_for_partner", "Research for a partner or portfolio"),
    Choice("other", "Other"),
)
OUTCOMES = (
    Choice("won", "Won"),
    Choice("lost", "Lost"),
    Choice("recycled", "Recycled"),
    Choice("never_worked", "Never worked"),
)
SURPRISES = (
    Choice("won_hidden_budget", "Won: budget we could not see"),
    Choice("won_new_use_case", "Won: a use we had not thought of"),
    Choice("won_champion", "Won: someone inside pushed for us"),
    Choice("won_timing", "Won: sudden urgency"),
    Choice("won_relationship", "Won: a partner or an old acquaintance"),
    Choice("won_competitor_failed", "Won: their other choice fell through"),
    Choice("lost_no_budget", "Lost: there was no budget"),
    Choice("lost_timing", "Lost: put off"),
    Choice("lost_no_decision", "Lost: they decided nothing"),
    Choice("lost_competitor", "Lost: to a competitor"),
    Choice("lost_wrong_fit", "Lost: we don't do what they need"),
    Choice("lost_champion_left", "Lost: our contact left"),
    Choice("lost_churned", "Lost: cancelled soon after signing"),
    Choice("other", "Other"),
)

_CANT_TELL = Choice("cant_tell", "Can't tell")
QUESTIONS: tuple[tuple[str, str, tuple[Choice, ...]], ...] = (
    (
        "who is involved",
        "Who takes part on their side?",
        (
            Choice("with_decider", "Several, one of whom can decide"),
            Choice("several_people", "Several people"),
            Choice("one_person", "One person"),
            Choice("other_company", "Someone for another company"),
            _CANT_TELL,
        ),
    ),
    (
        "what they need",
        "What need did they name?",
        (
            Choice("need_now", "A need of today"),
            Choice("need_later", "A need for later"),
            Choice("only_research", "They only look around"),
            Choice("no_need", "None"),
            _CANT_TELL,
        ),
    ),
    (
        "when they decide",
        "When do they want to decide?",
        (
            Choice("this_quarter", "This quarter"),
            Choice("this_year", "This year"),
            Choice("later", "Later"),
            Choice("no_date", "They named no date"),
            _CANT_TELL,
        ),
    ),
    (
        "what we did not know",
        "What did you see that this record doesn't show?",
        (
            Choice("budget", "A budget"),
            Choice("more_people", "More people than listed"),
            Choice("new_use", "A use that is new to us"),
            Choice("nothing", "Nothing"),
            Choice("not_a_buyer", "That they are no buyer at all"),
        ),
    ),
    (
        "how they reacted",
        "How did they react to us?",
        (
            Choice("quick", "Quick and interested"),
            Choice("slow", "Slow, but interested"),
            Choice("silent", "Silent"),
            Choice("refused", "They asked us to stop"),
            _CANT_TELL,
        ),
    ),
)
"""The feedback form: five questions about what the rep saw, each answered with one click. (name, question, answers);
the answers run from the strongest sign of a buyer to the weakest."""
