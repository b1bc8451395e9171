"""The policy as a sectioned document, made from its published values.

Follows the shape checklist line 6 asks for: adoption, purpose, authorised uses, data collection,
storage and protection; then what the law adds. Sections are numbered in this order for good.
Sources: checklist lines 2, 3, 6-10; Cal. Civ. Code 1798.90.51(b).
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from appliance.compliance import words
from appliance.compliance.words import Say
from appliance.errors import DutyError
from appliance.values import PublishedPolicy, Purpose

LONGEST_HOURS = 30 * 24.0
"""Hard ceiling of any retention: 30 days (features E: default 24 h to 7 days, ceiling 30; the
shortest general limit without an exception for the operator is 30 days)."""
SHORTEST_HOURS = 1.0
ALWAYS = (Purpose.ACCESS_CONTROL, Purpose.AUDIT)
"""A gate that lets cars in and cannot be audited would not be a policy."""


@dataclass(frozen=True, slots=True)
class Section:
    number: int
    heading: str
    sentences: tuple[str, ...]
    points: tuple[str, ...] = ()


def check_hours(hours: float) -> float:
    """The hours, or DutyError where they pass the ceiling or keep nothing useful."""
    if not SHORTEST_HOURS <= hours <= LONGEST_HOURS:
        raise DutyError(
            "a read may be kept from 1 hour to 30 days", next_step="Choose a shorter time"
        )
    return hours


def sections(policy: PublishedPolicy, say: Say) -> tuple[Section, ...]:
    """The statements of a policy; each is true of this appliance by construction."""
    return (
        Section(1, say("Adoption"), (
            say("This policy of %(site)s is version %(version)s, published on %(day)s by %(by)s.",
                site=policy.site_name, version=policy.version,
                day=_local_day(policy), by=policy.published_by),
            say("Before its first version was published, this appliance stored no read."),
        )),
        Section(2, say("Purpose and authorised uses"), (
            say("The system is used for the following and for nothing else."),
            say("Any use not listed here, and any personal use, is prohibited."),
        ), tuple(words.purpose(p, say) for p in policy.purposes)),
        Section(3, say("Data collection"), (
            say("Collected: a picture of the plate, its text, date and time, lane and direction."),
            say("Not collected: faces, people, make or colour of the car, names from registers."),
        )),
        Section(4, say("How long data is kept"), (
            say("Reads that match an entry of a list: %(kept)s.",
                kept=words.kept(policy.kept_hours_matched, say)),
            say("All other reads: %(kept)s.",
                kept=words.kept(policy.kept_hours_unmatched, say)),
            say("No setting can lengthen this beyond %(days)s days.",
                days=int(LONGEST_HOURS // 24)),
            say("Deletion destroys the reads and their key and leaves a signed receipt."),
        )),
        Section(5, say("Storage and protection"), (
            say("Each read goes at once into an encrypted store with a key of its own for each "
                "period."),
            say("The program that serves these pages holds no key to the reads."),
            say("Downloading, copying and printing reads is not possible for anyone on site."),
        )),
        Section(6, say("Who may look"), (
            say("Trained people with a personal account: managers, guards, and auditors for an "
                "audit. Installers never see a plate."),
            say("Each look needs a purpose and a reason and is written to a journal first: who, "
                "when, what and why. No entry, no answer."),
        )),
        Section(7, say("Law"), (
            say("All data is handled under this policy and the law that applies here."),
            say("Holding the data replaces no other legal duty, such as a warrant where one is "
                "required."),
        )),
    )


def _local_day(policy: PublishedPolicy) -> str:
    """The day of publishing as the site's own calendar has it."""
    return policy.published_at.astimezone(ZoneInfo(policy.site_zone)).date().isoformat()
