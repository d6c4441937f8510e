"""How planned items go out to Plex: those alike in one request, the others one by one.

Most alike changes are to lists: a tag renamed on items that have other tags besides. One request
can say that for all of them only if it names just what is new and what goes, and trusts the server
to leave the rest: on one that replaced lists, the items would lose their other tags. Servers are
believed to append (docs/plex-api.md 5), but nobody promises it, so it is found out before it is
relied on, once per run and kind of list. One item that is edited anyway gets its whole wanted
list but for one name: one that Stash wants and Plex has, so that it comes back by itself even if
this process dies at that moment. Is the name still there when the item is read back, the server
appends. If not, the whole list goes out at once, and everywhere else in that run, too.

Whatever was sent together is read back item by item, like everything else; an item that does not
hold what was sent gets its whole edit once more, alone.

To find the alike ones, more is planned ahead of the first write than one read, but only while that
pays: an item that is written alone is written right after it was read.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from functools import partial
from itertools import chain, takewhile
from math import inf
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from msgspec.structs import replace

from plexsync.errors import AuthError, MisdirectedEditError, OvertakenError, ServerError
from plexsync.models import LIST_FIELDS, Change, ItemDetail, ItemKind, ItemPlan, PlexField, Problem
from plexsync.plex.edit_query import NONE_APPENDED, PlanEdits
from plexsync.sync.execution.reader import MOST_LOOKED, Freshness, Reader, overtaken_error
from plexsync.sync.ports import Ports, WorkKind
from plexsync.text.normalize import tag_key

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from plexsync.state import Session
    from plexsync.sync.execution.doors import EditDoors
    from plexsync.sync.execution.work import Write

UNSENT = Problem(kind="interrupted", message="not sent: the run ended before its turn")
"""Why an intent was not carried out when the run ends early."""

MOVED = Problem(kind="moved", message="not sent: the item was changed in Plex before its turn")
"""The same of an item that is decided about once more."""

MOST_ITEMS = 100
"""Items of one edit. Source: docs/plex-api.md 5 ("Many items": what Kometa sends)."""

MOST_AHEAD = 500
"""Planned items that wait for others like them; ten reads, so seconds."""

MOST_READS = 20
"""Reads during which a planned item waits for others like it."""

WORTH_A_PROBE = 8
"""Requests that must be saved before it is worth finding out what the server does."""

_MOST_TRIES = 3
"""Items to find out with, where Plex cannot edit the ones before."""

_LOOKED_AT = 50
"""Items among which the one to find out with is chosen."""


class HasEdits(Protocol):
    """Something that is to be sent, or may be."""

    @property
    def edits(self) -> PlanEdits:
        """What is to be written."""


P = TypeVar("P", bound=HasEdits)


class _Probe(NamedTuple):
    """An edit to find out with.

    Attributes:
        edit: the edit, to be carried out whole afterwards.
        change: that of the list.
        risky: its plan, for the journal: says which name is risked.
        trial: the same, with that name left unsaid.
    """

    edit: Write
    change: Change
    risky: ItemPlan
    trial: ItemPlan


class Sender:
    """Sends edits, and remembers for one run what it learned of the server.

    Args:
        doors: where changes go.
        ports: where the modes of collections go; asked between requests whether to go on.
        reader: where it is seen what became of them.
        freshness: asked right before: says which items are not as they were.
        session: where an edit of which a name is risked is journaled once more.
        spare: see `Outcomes`; where there are none nothing is found out, and lists go out whole.
    """

    def __init__(
        self,
        doors: EditDoors,
        ports: Ports,
        reader: Reader,
        freshness: Freshness,
        *,
        session: Session,
        spare: Callable[[ItemPlan, Change], tuple[str, ...]],
    ) -> None:
        self._doors = doors
        self._ports = ports
        self._reader = reader
        self._freshness = freshness
        self._session = session
        self._spare = spare
        self._appended: frozenset[PlexField] = frozenset()
        """The lists to which this server was seen to append."""
        self._settled: frozenset[PlexField] = frozenset()
        """Those of which nothing more is found out."""
        self._tries: Counter[PlexField] = Counter()
        self._alone = False
        """Whether each goes out by itself, since several together did not arrive whole."""
        self._refused = False

    def send(self, edits: Sequence[Write]) -> Iterator[Write]:
        """Send each of `edits` once, in groups where they are alike; yield each after that.

        After a refusal, or once the run is to end, the rest comes as not sent.
        """
        left = list(edits)
        while probe := self._next_probe(left):
            left.remove(probe.edit)
            if self._freshness.moved([probe.edit]):
                probe.edit.unsent = MOVED
            else:
                self._find_out(probe)
            yield probe.edit
        if self._alone:
            groups = [[edit] for edit in left]
        else:
            groups = group_by_edit(left, appended=self._appended)
        for at, group in enumerate(groups):
            coming = _lone_first(groups[at : at + 1 + MOST_LOOKED])[1:]
            gone = set() if self._ended() else self._freshness.moved(group, coming)
            for edit in gone:
                edit.unsent = MOVED
            yield from (edit for edit in group if edit in gone)
            there = [edit for edit in group if edit not in gone]
            if len(there) == 1:
                self._send_one(there[0])
                yield there[0]
            elif there:
                yield from self._send_group(there)

    def set_modes(self, tried: Iterable[Write]) -> None:
        """Set the modes of collections that were sent, of all that get the same in one request.

        What the run ends before counts as not sent, though the rest of it was.
        """
        modes: defaultdict[str, list[Write]] = defaultdict(list)
        for edit in tried:
            if edit.error is None and (mode := edit.plan.mode) is not None:
                modes[str(mode.after)].append(edit)
        for value, edits in modes.items():
            for start in range(0, len(edits), MOST_ITEMS):
                self._set_mode(edits[start : start + MOST_ITEMS], value)

    def _set_mode(self, edits: Sequence[Write], mode: str) -> None:
        only = {dataclasses.replace(edit, plan=_only_mode(edit.plan)): edit for edit in edits}
        ended = self._ended()
        gone = set() if ended else {only[one] for one in self._freshness.overtaken(list(only))}
        there = [edit for edit in edits if edit not in gone]
        error: ServerError | None = None
        try:
            if there and not ended:
                keys = [edit.plan.rating_key for edit in there]
                hold = partial(self._freshness.hold, there)
                self._ports.plex.collections.set_mode(keys, mode, hold)
        except ServerError as refusal:
            error = refusal
        for edit in edits:
            edit.read_back = None  # as it was before the mode
            edit.problem = UNSENT if ended else None
            edit.error = overtaken_error(edit.plan.rating_key) if edit in gone else error
            # What did not arrive goes out once more, alone: see `mend`.
            edit.together = not (ended or edit in gone) and (error is None or len(there) > 1)

    def mend(self, edits: Sequence[Write]) -> None:
        """Send edits that went out with others, and did not arrive whole, once more alone.

        The items are first as they were read back.
        """
        lost = frozenset().union(*(lists_harmed(edit.plan, edit.first) for edit in edits))
        self._appended -= lost
        self._alone = self._alone or len(edits) > 1
        for edit in edits:
            # What moved was sent even so: reading back tells what became of it.
            if not self._freshness.moved([edit]):
                self._send_again(edit, mode=True)

    # ---- sending

    def _send_group(self, group: Sequence[Write]) -> Iterator[Write]:
        if self._ended():
            for edit in group:
                edit.unsent = UNSENT
            yield from group
            return
        known = self._doors.by_item is not None
        alike, hold = [edit.edits for edit in group], partial(self._freshness.hold, group)
        try:
            self._doors.edit_alike(alike, self._appended, hold)
        except AuthError as error:
            self._refused = True
            for edit in group:
                edit.error = error
        except ServerError as error:
            # One of them may be to blame, or their number: alone each tells for itself. While it is
            # not known which address takes edits, that may be to blame: one alone finds it out.
            parts = [[edit] for edit in group] if known else [group[:1], group[1:]]
            yield from self._send_apart(parts, error)
            return
        else:
            self._ports.faults.answered(WorkKind.EDIT)
            for edit in group:
                edit.together = True
        yield from group

    def _send_apart(self, parts: Sequence[Sequence[Write]], error: ServerError) -> Iterator[Write]:
        """Send once more, in parts, what failed with `error` and may have been written even so."""
        for edit in chain.from_iterable(parts):
            edit.read_at = -inf  # to be looked at before anything else is written to it
        for edit in chain.from_iterable(map(self.send, parts)):
            # Reading back tells.
            if edit.unsent is MOVED:
                edit.error = error
            elif edit.unsent is not None:
                edit.problem = edit.unsent
            edit.unsent = None
            yield edit

    def _send_one(self, edit: Write, *, mode: bool = False) -> None:
        """Send one alone; the mode of a collection goes out with others, see `set_modes`."""
        if self._ended():
            edit.unsent = UNSENT
            return
        try:
            plan = edit.plan if mode else _without_mode(edit.plan)
            edit.read_back = self._doors.edit(plan, partial(self._freshness.hold, [edit]))
        except OvertakenError as error:
            edit.error = error
        except ServerError as error:
            ends = isinstance(error, (AuthError, MisdirectedEditError))
            self._refused = self._refused or ends
            self._ports.faults.failed(WorkKind.EDIT, error)
            edit.error = error
        else:
            self._ports.faults.answered(WorkKind.EDIT)

    def _send_again(self, edit: Write, *, mode: bool = False) -> None:
        """Send one of which a part may be there; where the run ends before, reading back tells."""
        self._send_one(edit, mode=mode)
        edit.unsent, edit.problem = None, edit.unsent

    def _ended(self) -> bool:
        return self._refused or self._ports.plex_given_up() or self._ports.should_stop()

    # ---- finding out

    def _find_out(self, probe: _Probe) -> None:
        """Carry an edit out, and learn from it what the server does with lists."""
        edit, target = probe.edit, probe.change.target
        self._tries[target] += 1
        edit.seqs += self._session.intend([probe.risky])
        trial = dataclasses.replace(edit, plan=probe.trial)
        self._send_one(trial)
        edit.error, edit.unsent = trial.error, trial.unsent
        if trial.unsent or self._refused:
            return
        if trial.error is None or self._tries[target] == _MOST_TRIES:
            self._settled |= {target}
        try:
            detail = trial.read_back or self._reader.read_one(edit.plan.rating_key)
        except ServerError as error:
            self._settled = LIST_FIELDS
            edit.error = error
            return
        appends = {tag_key(name) for name in probe.change.after} <= _names(detail, target)
        if appends:
            self._appended |= {target}
        elif isinstance(detail, ItemDetail) and not self._freshness.is_disturbed(trial, detail):
            # It replaces, or it did not arrive: both times the whole list is what is missing.
            edit.error = None
            self._send_again(edit)

    def _next_probe(self, edits: Sequence[Write]) -> _Probe | None:
        """Return the edit to find out with next; None when that saves too little, or is known."""
        open_lists = LIST_FIELDS - self._appended - self._settled
        open_lists &= {change.target for edit in edits for change in edit.plan.changes}
        if self._ended() or self._alone or not open_lists or len(edits) <= WORTH_A_PROBE:
            return None
        together = group_by_edit(edits, appended=self._appended | open_lists)
        if len(group_by_edit(edits, appended=self._appended)) - len(together) < WORTH_A_PROBE:
            return None
        for group in sorted(together, key=len, reverse=True):
            if len(group) > 1 and (probe := self._probe_of(group[:_LOOKED_AT], open_lists)):
                return probe
        return None

    def _probe_of(self, group: Sequence[Write], open_lists: frozenset[PlexField]) -> _Probe | None:
        """Find a probe, best an edit that can spare the first name of its item.

        Then it also tells a server that puts the first name sent in the first one's place.
        """
        found = [
            (edit, change, names[0])
            for edit in group
            for change in edit.plan.changes
            if change.target in open_lists and (names := self._spare(edit.plan, change))
        ]
        best = [one for one in found if one[1].before[:1] == (one[2],)]
        return _probe_with(*(best or found)[0]) if found else None


def _probe_with(edit: Write, change: Change, name: str) -> _Probe:
    """`edit` with `name` neither added to nor removed from its list."""
    key, plan = tag_key(name), edit.plan

    def without(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(one for one in names if tag_key(one) != key)

    def with_change(other: Change) -> ItemPlan:
        return replace(plan, changes=tuple(other if one is change else one for one in plan.changes))

    trimmed = replace(change, before=without(change.before), after=without(change.after))
    return _Probe(edit, change, with_change(replace(change, risked=name)), with_change(trimmed))


def _only_mode(plan: ItemPlan) -> ItemPlan:
    return replace(plan, changes=tuple(one for one in plan.changes if one is plan.mode))


def _without_mode(plan: ItemPlan) -> ItemPlan:
    return replace(plan, changes=tuple(one for one in plan.changes if one is not plan.mode))


# ---- What became of lists ------------------------------------------------------------------------


def lists_harmed(plan: ItemPlan, detail: ItemDetail) -> frozenset[PlexField]:
    """Return the lists of an item, as it was read back, that lost a name `plan` meant to leave."""
    return frozenset(
        change.target
        for change in plan.changes
        if change.target in LIST_FIELDS
        and detail.values.get(change.target) != change.after
        and not {tag_key(name) for name in change.before} & {tag_key(name) for name in change.after}
        <= _names(detail, change.target)
    )


def _names(detail: ItemDetail | ServerError | None, target: PlexField) -> set[str]:
    """Return the names an item holds in one list, by `tag_key`; none when it could not be read."""
    if not isinstance(detail, ItemDetail):
        return set()
    return {tag_key(name) for name in detail.values.get(target, ())}


# ---- What goes out together ----------------------------------------------------------------------


def group_by_edit(
    edits: Iterable[P], *, appended: frozenset[PlexField] = NONE_APPENDED
) -> list[list[P]]:
    """`edits` by what is sent for them, at most `MOST_ITEMS` together, in the order they came.

    Args:
        edits: what to write, each for another item.
        appended: see `edit_query.edits_of`.
    """
    groups: dict[Hashable, list[P]] = {}
    found: list[list[P]] = []
    for edit in edits:
        key = _key(edit.edits, appended)
        group = groups.get(key)
        if group is None or len(group) == MOST_ITEMS:
            group = groups[key] = []
            found.append(group)
        group.append(edit)
    return found


def _lone_first(groups: Iterable[Sequence[Write]]) -> list[Write]:
    """Return the edits that go out one by one before any that may move the items of others.

    Those that are alike may hold another edit of an item that comes after them, and what becomes of
    a collection is shown by its members, as it shows what becomes of them.
    """

    def moves_no_other(group: Sequence[Write]) -> bool:
        return len(group) == 1 and group[0].plan.kind is not ItemKind.COLLECTION

    return [edit for (edit,) in takewhile(moves_no_other, groups)]


def join_batches(batches: Iterable[list[P]]) -> Iterator[list[P]]:
    """`batches`, several joined where that brings items together that can be written together.

    Args:
        batches: what was read and planned, a read at a time; empty ones are left out.
    """
    held: list[P] = []
    reads = 0
    for batch in batches:
        held += batch
        reads += 1
        if len(held) < MOST_AHEAD and reads < MOST_READS and _pays(batch):
            continue
        if held:
            yield held
        held, reads = [], 0
    if held:
        yield held


def _pays(edits: Sequence[HasEdits]) -> bool:
    """Whether edits like these are worth waiting for: half of their requests could be saved."""
    return len(group_by_edit(edits, appended=LIST_FIELDS)) <= max(1, len(edits) // 2)


def _key(edits: PlanEdits, appended: frozenset[PlexField]) -> Hashable:
    """Equal for plans that one request can carry out."""
    plan = edits.plan
    # A rating goes to one item at a time, a plan of no edits to none, and no collection is another.
    rated = any(one.target is PlexField.RATING for one in plan.changes)
    if rated or not plan.changes or plan.kind is ItemKind.COLLECTION:
        return plan.scene_id, plan.rating_key
    return plan.section_id, plan.kind, edits.given(appended)
