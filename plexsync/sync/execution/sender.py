"""How planned items go out to Plex: those alike in one request, the others one by one.

Most alike changes are to lists: a tag renamed on items that have other tags besides. One request
can say that for all of them only if it names just what is new and what goes, and trusts the server
to leave the rest: on one that replaced lists, the items would lose their other tags. Servers are
believed to append (docs/plex-api.md 5), but nobody promises it, so it is found out before it is
relied on, once per run and kind of list. One item, whose edit is due anyway, gets its whole wanted
list but for one name: one that Stash wants and Plex has, so that it comes back by itself even if
this process dies at that moment. Is the name still there when the item is read back, the server
appends. If not, the whole list goes out at once, and everywhere else in that run, too.

Whatever was sent together is read back item by item, like everything else; an item that does not
hold what was sent gets its whole edit once more, alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from plexsync.errors import AuthError, MisdirectedEditError, OvertakenError, ServerError
from plexsync.models import LIST_FIELDS, ItemDetail, PlexField, Problem, as_problem
from plexsync.sync.execution.batching import MOST_ITEMS, group_by_edit
from plexsync.sync.execution.freshness import overtaken_error
from plexsync.sync.execution.work import mode_in, place_of, without_mode
from plexsync.sync.ports import WorkKind
from plexsync.text.normalize import tag_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from plexsync.models import Change, ItemPlan, RatingKey
    from plexsync.sync.execution.doors import EditDoors
    from plexsync.sync.execution.freshness import Freshness
    from plexsync.sync.execution.reader import Reader
    from plexsync.sync.execution.work import Place
    from plexsync.sync.ports import RunHealth

UNSENT = Problem(kind="interrupted", message="not sent: the run ended before its turn")
"""Why an intent was not carried out when the run ends early."""

MOVED = Problem(kind="moved", message="not sent: the item was changed in Plex before its turn")
"""The same of an item that is decided about once more."""

WORTH_A_PROBE = 8
"""Requests that must be saved before it is worth finding out what the server does."""

_MOST_TRIES = 3
"""Items to find out with, where Plex cannot edit the ones before."""

_LOOKED_AT = 50
"""Items among which the one to find out with is chosen."""


class Sent(NamedTuple):
    """What is known of one plan before it is read back.

    Attributes:
        plan: the plan.
        error: what Plex answered; None for success, which proves nothing.
        together: whether it went out with others, so that a second try alone is worth while.
        unsent: nothing was sent, because the run is to end.
        moved: nothing was sent, because the item is not as it was when the plan was made.
        detail: the item as it was read back already; None while it was not.
    """

    plan: ItemPlan
    error: ServerError | None = None
    together: bool = False
    unsent: bool = False
    moved: bool = False
    detail: ItemDetail | None = None

    @property
    def problem(self) -> Problem | None:
        """Why it may not have arrived; None where Plex answered well."""
        if self.unsent or self.moved:
            return UNSENT if self.unsent else MOVED
        return as_problem(self.error) if self.error else None


@dataclass(frozen=True, slots=True)
class _Probe:
    """A plan to find out with.

    Args:
        plan: the plan, to be carried out whole afterwards.
        risky: the same, for the journal: says which name is risked.
        trial: the same, with one name left unsaid.
        target: the list.
        name: that name, key.
    """

    plan: ItemPlan
    risky: ItemPlan
    trial: ItemPlan
    target: PlexField
    name: str


class Sender:
    """Sends plans, and remembers for one run what it learned of the server.

    Args:
        doors: where changes go.
        reader: where it is seen what became of them.
        health: asked between requests whether to go on; takes what Plex answers.
        note_risk: journals a plan of which a name is risked, durably.
        spare: the names of a list that Stash wants and Plex has already, in Plex's order, which
            the next run would write again if they were lost. None: nothing is found out, and
            lists go out whole.
    """

    def __init__(
        self,
        doors: EditDoors,
        reader: Reader,
        health: RunHealth,
        *,
        note_risk: Callable[[ItemPlan], None],
        spare: Callable[[ItemPlan, Change], tuple[str, ...]] | None = None,
    ) -> None:
        self._doors = doors
        self._reader = reader
        self._health = health
        self._note_risk = note_risk
        self._spare = spare
        self._appended: frozenset[PlexField] = frozenset()
        self._settled: frozenset[PlexField] = frozenset() if spare else LIST_FIELDS
        self._tries: Counter[PlexField] = Counter()
        self._alone = False
        self._refused = False

    def send(self, plans: Sequence[ItemPlan], freshness: Freshness) -> Iterator[Sent]:
        """Send `plans`, each once, in groups where they are alike.

        After a refusal, or once the run is to end, the rest comes as not sent.

        Args:
            plans: what to send.
            freshness: asked right before: says which are about items that are not as they were.
        """
        left = list(plans)
        while probe := self._probe(left):
            left = [plan for plan in left if plan is not probe.plan]
            if freshness.moved([probe.plan]):
                yield Sent(probe.plan, moved=True)
            else:
                yield self._find_out(probe, freshness)
        if self._alone:
            groups = [[plan] for plan in left]
        else:
            groups = group_by_edit(left, appended=self._appended)
        for group in groups:
            gone = set() if self._ended() else freshness.moved(group)
            yield from (Sent(plan, moved=True) for plan in group if place_of(plan) in gone)
            there = [plan for plan in group if place_of(plan) not in gone]
            if len(there) == 1:
                yield self._send_one(there[0], freshness)
            elif there:
                yield from self._send_group(there, freshness)

    def set_modes(self, tried: Sequence[Sent], freshness: Freshness) -> list[Sent]:
        """Set the modes of collections that were sent, of all that get the same in one request.

        What the run ends before comes as not sent, though the rest of it was.
        """
        modes: defaultdict[str, list[ItemPlan]] = defaultdict(list)
        for sent in tried:
            if sent.error is None and (mode := mode_in(sent.plan)) is not None:
                modes[str(mode.after)].append(sent.plan)
        done: dict[Place, Sent] = {}
        for value, plans in modes.items():
            for start in range(0, len(plans), MOST_ITEMS):
                several = plans[start : start + MOST_ITEMS]
                done |= {
                    place_of(one.plan): one for one in self._set_mode(several, value, freshness)
                }
        return [done.get(place_of(sent.plan), sent) for sent in tried]

    def _set_mode(self, plans: Sequence[ItemPlan], mode: str, freshness: Freshness) -> list[Sent]:
        if self._ended():
            return [Sent(plan, unsent=True) for plan in plans]
        only = [tuple(one for one in plan.changes if one is mode_in(plan)) for plan in plans]
        alone = [replace(plan, changes=modes) for plan, modes in zip(plans, only, strict=True)]
        gone = freshness.overtaken(alone)
        there = [plan for plan in plans if place_of(plan) not in gone]
        error: ServerError | None = None
        try:
            if there:
                self._doors.set_mode(there, mode, partial(freshness.hold, there))
        except ServerError as refusal:
            error = refusal
        # What did not arrive goes out once more, alone: see `mend`.
        together = error is None or len(there) > 1
        return [
            Sent(plan, overtaken_error(plan.rating_key))
            if place_of(plan) in gone
            else Sent(plan, error, together=together)
            for plan in plans
        ]

    def mend(
        self,
        plans: Sequence[ItemPlan],
        read: Mapping[RatingKey, object],
        freshness: Freshness,
    ) -> Iterator[Sent]:
        """Send plans that went out with others, and did not arrive whole, once more alone.

        Args:
            plans: those that did not arrive.
            read: what their items hold.
            freshness: says which items are not as they were when that was read.
        """
        lost = frozenset().union(*(lists_harmed(plan, read.get(plan.rating_key)) for plan in plans))
        self._appended -= lost
        self._alone = self._alone or len(plans) > 1
        for plan in plans:
            # Sent it was, so that reading back tells what became of it.
            moved = freshness.moved([plan])
            yield Sent(plan) if moved else self._send_one(plan, freshness, mode=True)

    # ---- sending

    def _send_group(self, group: Sequence[ItemPlan], freshness: Freshness) -> Iterator[Sent]:
        if self._ended():
            yield from (Sent(plan, unsent=True) for plan in group)
            return
        known = self._doors.is_known
        try:
            self._doors.edit_alike(group, self._appended, partial(freshness.hold, group))
        except AuthError as error:
            self._refused = True
            yield from (Sent(plan, error) for plan in group)
        except ServerError as error:
            # One of them may be to blame, or their number: alone each tells for itself. While it is
            # not known which address takes edits, that may be to blame: one alone finds it out.
            parts = [[plan] for plan in group] if known else [group[:1], group[1:]]
            freshness.doubt(group)
            for part in parts:
                for sent in self.send(part, freshness):
                    # What moved may have been written all the same: reading back tells.
                    yield Sent(sent.plan, error) if sent.moved else sent
        else:
            self._health.faults.answered(WorkKind.EDIT)
            yield from (Sent(plan, together=True) for plan in group)

    def _send_one(self, plan: ItemPlan, freshness: Freshness, *, mode: bool = False) -> Sent:
        """Send a plan alone; the mode of a collection goes out with others, see `set_modes`."""
        if self._ended():
            return Sent(plan, unsent=True)
        try:
            sent = plan if mode else without_mode(plan)
            detail = self._doors.edit(sent, partial(freshness.hold, [plan]))
        except OvertakenError as error:
            return Sent(plan, error)
        except ServerError as error:
            ends = isinstance(error, (AuthError, MisdirectedEditError))
            self._refused = self._refused or ends
            self._health.faults.failed(WorkKind.EDIT, error)
            return Sent(plan, error)
        self._health.faults.answered(WorkKind.EDIT)
        return Sent(plan, detail=detail)

    def _ended(self) -> bool:
        return self._refused or self._health.plex_given_up() or self._health.should_stop()

    # ---- finding out

    def _find_out(self, probe: _Probe, freshness: Freshness) -> Sent:
        """Carry a plan out, and learn from it what the server does with lists."""
        self._tries[probe.target] += 1
        self._note_risk(probe.risky)
        tried = self._send_one(probe.trial, freshness)
        if tried.unsent or self._refused:
            return tried._replace(plan=probe.plan, detail=None)
        if tried.error is None or self._tries[probe.target] == _MOST_TRIES:
            self._settled |= {probe.target}
        try:
            key = probe.plan.rating_key
            detail = tried.detail or self._reader.read([key]).get(key)
        except ServerError as error:
            self._settled = LIST_FIELDS
            return Sent(probe.plan, error)
        held = _names(detail, probe.target)
        (change,) = [one for one in probe.plan.changes if one.target is probe.target]
        appends = {tag_key(name) for name in change.after} <= held
        if appends:
            self._appended |= {probe.target}
        if (
            appends
            or not isinstance(detail, ItemDetail)
            or freshness.is_disturbed(probe.trial, detail)
        ):
            return tried._replace(plan=probe.plan, detail=None)
        # It replaces, or the edit did not arrive: both times the whole list is what is missing.
        return self._send_one(probe.plan, freshness)

    def _probe(self, plans: Sequence[ItemPlan]) -> _Probe | None:
        """Return the plan to find out with next; None when that saves too little, or is known."""
        open_lists = LIST_FIELDS - self._appended - self._settled
        open_lists &= {change.target for plan in plans for change in plan.changes}
        if self._ended() or self._alone or not open_lists or len(plans) <= WORTH_A_PROBE:
            return None
        together = group_by_edit(plans, appended=self._appended | open_lists)
        if len(group_by_edit(plans, appended=self._appended)) - len(together) < WORTH_A_PROBE:
            return None
        for group in sorted(together, key=len, reverse=True):
            if len(group) > 1 and (probe := self._probe_of(group[:_LOOKED_AT], open_lists)):
                return probe
        return None

    def _probe_of(
        self, group: Sequence[ItemPlan], open_lists: frozenset[PlexField]
    ) -> _Probe | None:
        """Best a plan whose spare name is its item's first.

        Then it also tells a server that puts the first name sent in the first one's place.
        """
        found = None
        for plan in group:
            for change in plan.changes:
                if (
                    self._spare is None
                    or change.target not in open_lists
                    or isinstance(change.before, str)
                ):
                    continue
                names = self._spare(plan, change)
                if names and names[0] == change.before[0]:
                    return _probe(plan, change, names[0])
                if names and found is None:
                    found = _probe(plan, change, names[0])
        return found


def lists_harmed(plan: ItemPlan, detail: object) -> frozenset[PlexField]:
    """Return the lists of an item, as it was read back, that lost a name `plan` meant to leave."""
    return frozenset(
        change.target
        for change in plan.changes
        if change.target in LIST_FIELDS
        and isinstance(detail, ItemDetail)
        and not {tag_key(name) for name in change.before} & {tag_key(name) for name in change.after}
        <= _names(detail, change.target)
    )


# ---- Private -------------------------------------------------------------------------------------


def _probe(plan: ItemPlan, change: Change, name: str) -> _Probe:
    """`plan` with `name` neither added to nor removed from its list."""
    key = tag_key(name)

    def without(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(one for one in names if tag_key(one) != key)

    trimmed = replace(change, before=without(change.before), after=without(change.after))

    def with_change(other: Change) -> ItemPlan:
        return replace(plan, changes=tuple(other if one is change else one for one in plan.changes))

    risky = with_change(replace(change, risked=name))
    return _Probe(plan, risky, with_change(trimmed), change.target, key)


def _names(detail: object, target: PlexField) -> set[str]:
    """Return the names an item holds in one list, by `tag_key`; none when it could not be read."""
    if not isinstance(detail, ItemDetail):
        return set()
    return {tag_key(name) for name in detail.values.get(target, ())}
