"""How everything stands, what ran, and jobs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.web.api.models_base import Answer, Day, Instant, Mode, Nights, Said


class Circuit(Answer):
    """One circuit of an account."""

    operation: str
    state: Literal["closed", "open", "half_open", "forced_open", "forced_closed"]
    failures: int
    calls: int
    since: Instant | None
    retry_at: Instant | None


class Standing(Answer):
    """How an account stands: the mode that holds, the one that was chosen, and why they differ."""

    mode: Mode
    chosen: Mode
    reason: str | None
    since: Instant | None
    next_probe: Instant | None
    poll_minutes: int
    batch_minutes: int
    last_answer: Instant | None


class AccountMode(Standing):
    """An account by its choice of mode."""

    account: str


class Circuits(Answer):
    """The circuits of an account."""

    account: str
    circuits: list[Circuit]


class Account(Answer):
    """An account. One of calendar links has neither mode nor circuits of its own."""

    id: str
    platform: str
    paused: str | None
    mode: Mode | None = None
    chosen: Mode | None = None
    reason: str | None = None
    since: Instant | None = None
    next_probe: Instant | None = None
    poll_minutes: int | None = None
    batch_minutes: int | None = None
    last_answer: Instant | None = None
    circuits: list[Circuit] | None = None
    calls_left: dict[str, int] | None = None


class Feed(Answer):
    """One calendar link, without its address."""

    listing: str
    platform: str
    mode: Mode
    reason: str | None
    period_s: int
    last_answer: Instant | None
    next_look: Instant | None
    fresh: bool
    error: str | None


class SiteStay(Answer):
    """A stay, without its guest."""

    id: str
    kind: str
    status: str
    nights: list[Nights]
    vanished: list[Nights]


class Block(Answer):
    """A closure of ours in one listing, and how far it has come."""

    listing: str
    platform: str
    nights: Nights
    cause: str
    wanted: bool
    phase: str
    since: Instant | None
    taken: Instant | None
    error: str | None


class SiteConflict(Answer):
    """A double booking that stands."""

    id: str
    home: str
    nights: Nights
    between: list[str]
    severity: str
    proposal: str
    state: str
    href: str


class Site(Answer):
    """A home, or homes that share rooms."""

    id: str
    version: int
    homes: list[str]
    stays: list[SiteStay]
    blocks: list[Block]
    conflicts: list[SiteConflict]
    not_confirmed: int
    no_complete_answer_yet: list[str]
    at: Instant


class WaitingNotice(Answer):
    """A notice that some channel has not taken."""

    kind: str
    severity: str
    at: Instant
    waiting: list[str]
    failed: list[str]
    tries: int
    next: Instant | None
    error: str | None


class ByHand(Answer):
    """Nights that a person has to close on the platform, and where."""

    site: str
    home: str
    listing: str
    platform: str
    nights: Nights
    why: str
    page: str | None


class FailedPush(Answer):
    """A closure or an opening that its platform did not take yet."""

    site: str
    listing: str
    platform: str
    nights: Nights
    closes: bool
    age_s: int | None
    attempts: int
    reason: str
    next_try: Instant | None


class ModeChange(Answer):
    """A change of mode: by the ladder, or by somebody."""

    at: Instant
    account: str
    reason: str
    before: Mode = Field(alias="from")
    after: Mode = Field(alias="to")
    by: str | None = None


class Finding(Answer):
    """One thing that is wrong: what it concerns, why, what to do. ``told_by``: the notice that tells of it already."""

    code: str
    weight: Literal["shown", "told", "ill"]
    about: str | None
    platform: str | None
    since: Instant | None
    cause: dict[str, str]
    step: dict[str, str]
    told_by: str | None


class Health(Answer):
    """Whether every promise is kept, and what is wrong of what this person sees."""

    ok: bool
    findings: list[Finding]


class Status(Answer):
    """How everything stands that a person sees."""

    at: Instant
    accounts: list[Account]
    feeds: list[Feed]
    sites: list[Site]
    notices: list[WaitingNotice]
    close_by_hand: list[ByHand]
    failed_pushes: list[FailedPush]
    mode_changes: list[ModeChange]
    health: Health


class Need(Answer):
    """One thing that needs a person, under the heading ``kind`` of the first page: ``href`` leads to it in this API,
    ``page`` to where it is done by hand, on the platform."""

    kind: Literal["conflicts", "hands", "failed", "removals", "messages", "engine", "pressing"]
    said: Said
    href: str | None
    page: str | None


class Today(Answer):
    """What needs a person, the worst first. ``settling`` counts what only needs time; ``calm``: there is neither, in
    all the ``homes`` this person sees. ``since``: nothing changed since then; ``checked``: the oldest of the last
    answers of all sources."""

    at: Instant
    homes: int
    calm: bool
    needs: list[Need]
    settling: int
    since: Instant | None
    checked: Instant | None


class Figures(Answer):
    """What was done with one platform, in numbers."""

    seen: int
    changed: int
    unchanged: int
    refused: int
    sent: int
    confirmed: int
    failed: int
    calls: int
    transactions: int
    bytes: int


class Run(Figures):
    """One run's report, or the sum of an hour's idle ones (``runs``)."""

    run: str
    kind: str
    source: str
    platform: str
    mode: str
    begun: Instant
    duration_ms: int
    runs: int
    why: str
    error: str
    correlation: str


class Runs(Answer):
    """The reports of a day, newest first."""

    day: Day
    runs: list[Run]


class Counts(Answer):
    """How many steps there are, are done, failed."""

    total: int
    done: int
    failed: int


class Step(Answer):
    """One step of a job, with a line for each call and transaction."""

    step: str
    platforms: list[str]
    state: Literal["waiting", "done", "failed", "never finished"]
    begun: Instant | None
    duration_ms: int
    said: str
    error: str | None
    figures: dict[str, Figures]
    report: list[dict[str, str | int | float | bool | None]]
    left_out: int


class JobBegun(Counts):
    """A synchronisation that was asked for; ``steps`` counts them, ``href`` leads to all of it."""

    job: str
    href: str
    mode: Mode
    platform: str | None = None
    property: str | None = None
    site: str | None = None
    asked_at: Instant
    correlation: str
    state: Literal["running", "done", "never finished"]
    duration_ms: int
    progress: dict[str, Counts]
    figures: dict[str, Figures]
    steps: int


class Job(Counts):
    """How far a synchronisation is, and its report."""

    job: str
    mode: Mode
    platform: str | None = None
    property: str | None = None
    site: str | None = None
    asked_at: Instant
    correlation: str
    state: Literal["running", "done", "never finished"]
    duration_ms: int
    progress: dict[str, Counts]
    figures: dict[str, Figures]
    steps: list[Step]


class Code(Answer):
    """What a person types to sign in next."""

    code: str
