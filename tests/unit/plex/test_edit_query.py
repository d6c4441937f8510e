"""What an edit looks like on the wire, and that it cannot reach more than one item."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import requests
from msgspec.structs import replace
from requests.adapters import BaseAdapter

from plexsync.errors import UnsafeError
from plexsync.models import Change, ItemKind, PlexField, Policy, Value
from plexsync.plex.edit_query import cleaned, edit_paths, fields_of
from tests.support.factories import make_plan

if TYPE_CHECKING:
    from plexsync.models import ItemPlan

ADDRESS = (("type", "1"), ("id", "9120"))


def change(target: PlexField, before: Value, after: Value) -> Change:
    """One field from `before` to `after`."""
    return Change(
        field=target.value, target=target, before=before, after=after, policy=Policy.OVERWRITE
    )


def plan_of(*changes: Change, **fields: object) -> ItemPlan:
    """A plan for item 9120 of section 1."""
    return make_plan(changes=changes, **fields)


def sent_by(plan: ItemPlan, **options: Any) -> tuple[tuple[str, str], ...]:  # noqa: ANN401 - those of `edit_paths`
    """The arguments of the one request that carries out `plan`."""
    (path,) = edit_paths(plan, **options)
    return tuple(parse_qsl(urlsplit(path).query, keep_blank_values=True))


def arguments_of(*changes: Change, **fields: object) -> tuple[tuple[str, str], ...]:
    """What such a plan sends, without type and id."""
    sent = sent_by(plan_of(*changes, **fields))
    assert sent[:2] == ADDRESS
    return sent[2:]


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (PlexField.TITLE, "title"),
        (PlexField.SORT_TITLE, "titleSort"),
        (PlexField.ORIGINAL_TITLE, "originalTitle"),
        (PlexField.SUMMARY, "summary"),
        (PlexField.TAGLINE, "tagline"),
        (PlexField.DATE, "originallyAvailableAt"),
        (PlexField.STUDIO, "studio"),
        (PlexField.CONTENT_RATING, "contentRating"),
    ],
)
def test_a_text_is_written_and_locked(target: PlexField, name: str) -> None:
    """One value, one lock, under Plex's name."""
    sent = arguments_of(change(target, "a", "b"))

    assert sent == ((f"{name}.value", "b"), (f"{name}.locked", "1"))


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (PlexField.GENRES, "genre"),
        (PlexField.ACTORS, "actor"),
        (PlexField.DIRECTORS, "director"),
        (PlexField.LABELS, "label"),
        (PlexField.COLLECTIONS, "collection"),
    ],
)
def test_a_list_is_written_whole_and_its_surplus_removed(target: PlexField, name: str) -> None:
    """The wanted list is right on a server that replaces, the removal on one that appends."""
    sent = arguments_of(change(target, ("Old", "Both"), ("Both", "New")))

    assert sent == (
        (f"{name}[0].tag.tag", "Both"),
        (f"{name}[1].tag.tag", "New"),
        (f"{name}[].tag.tag-", "Old"),
        (f"{name}.locked", "1"),
    )


def test_without_locking_no_lock_is_touched() -> None:
    """Not even lifted: a lock may be a person's."""
    assert arguments_of(change(PlexField.TITLE, "a", "b"), lock=False) == (("title.value", "b"),)


@pytest.mark.parametrize("lock", [True, False])
def test_given_locks_win_over_the_plan(lock: bool) -> None:
    """An undo puts back the lock each field had, set or lifted."""
    title = replace(change(PlexField.TITLE, "a", "b"), locked_after=lock)
    plan = plan_of(title, change(PlexField.STUDIO, "", "S"))

    sent = dict(sent_by(plan))

    assert sent["title.locked"] == str(int(lock))
    assert sent["studio.locked"] == "1"


def test_episodes_are_type_4() -> None:
    """A wrong type changes nothing, and is answered with 200."""
    plan = plan_of(change(PlexField.TITLE, "a", "b"), kind=ItemKind.EPISODE)

    assert sent_by(plan)[0] == ("type", "4")


def test_clearing_a_text_sends_an_empty_value() -> None:
    """Plex clears on an empty value."""
    assert arguments_of(change(PlexField.STUDIO, "S", ""))[0] == ("studio.value", "")


def test_clearing_a_list_removes_every_name() -> None:
    """Nothing is added, everything there is goes."""
    sent = arguments_of(change(PlexField.GENRES, ("A", "C, d"), ()))

    assert sent == (("genre[].tag.tag-", "A,C%2C%20d"), ("genre.locked", "1"))


def test_an_empty_list_that_stays_empty_sends_no_tag() -> None:
    """Only the lock is written."""
    assert arguments_of(change(PlexField.GENRES, (), ())) == (("genre.locked", "1"),)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("blonde",), ("Blonde",)),
        (("A", "a"), ("A",)),
    ],
    ids=["ascii", "twice on the server"],
)
def test_a_tag_in_another_spelling_is_not_removed(
    before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    """Adding and removing one tag at once is undefined; ASCII case does not tell tags apart."""
    names = [name for name, _ in arguments_of(change(PlexField.GENRES, before, after))]

    assert "genre[].tag.tag-" not in names


def test_wanted_names_go_out_once_and_on_one_line() -> None:
    """Plex folds doubles together; blank names and line breaks it cannot store."""
    wanted = ("Day", "day", "", " ", "Two\nlines", "Tab\tbed", " padded ")

    sent = arguments_of(change(PlexField.GENRES, (), wanted))

    assert [value for name, value in sent if name.endswith("tag.tag")] == [
        "Day",
        "Two lines",
        "Tab bed",
        "padded",
    ]


def test_removed_names_go_out_exactly_as_plex_spells_them() -> None:
    """A name with two spaces is another tag than the same with one."""
    sent = dict(arguments_of(change(PlexField.GENRES, ("A  B",), ("A B",))))

    assert sent["genre[].tag.tag-"] == "A%20%20B"


def test_the_summary_keeps_its_lines_and_nothing_else_does() -> None:
    """Every kind of line break is one line feed in a summary, a space elsewhere."""
    text = "one\r\ntwo\rthree\u2028four"

    sent = dict(
        arguments_of(change(PlexField.SUMMARY, "", text), change(PlexField.TITLE, "", text))
    )

    assert sent["summary.value"] == "one\ntwo\nthree\nfour"
    assert sent["title.value"] == "one two three four"


def test_what_plex_cannot_store_is_stripped() -> None:
    """Control characters make Plex's own listings unparsable; half a pair cannot be sent."""
    assert cleaned("a\x00b\x1bc\x7fd\ud83de\ufffef\tg😀") == "abcdef\tg😀"


@pytest.mark.parametrize(
    "fields",
    [
        {"rating_key": ""},
        {"rating_key": "1,2"},
        {"rating_key": "1&type=1"},
        {"rating_key": "\u0661"},
        {"rating_key": "1\n"},
        {"section_id": ""},
        {"section_id": "1/all?x="},
    ],
    ids=["no id", "two ids", "an argument", "arabic digit", "line break", "no section", "a path"],
)
def test_a_plan_without_exactly_one_item_is_refused(fields: dict[str, object]) -> None:
    """Without an id Plex would edit every item of the library."""
    plan = make_plan(**fields)

    with pytest.raises(UnsafeError):
        edit_paths(plan)


# ---- Paths ---------------------------------------------------------------------------------------


def test_all_changes_go_in_one_request() -> None:
    """As long as it is short enough."""
    changes = [change(PlexField.TITLE, "a", "b & c"), change(PlexField.GENRES, ("X",), ("Ä/ö",))]

    (path,) = edit_paths(plan_of(*changes))

    assert path == (
        "/library/sections/1/all?type=1&id=9120&title.value=b%20%26%20c&title.locked=1"
        "&genre%5B0%5D.tag.tag=%C3%84%2F%C3%B6&genre%5B%5D.tag.tag-=X&genre.locked=1"
    )


def test_a_plan_of_nothing_sends_nothing() -> None:
    """Not even a request that only names the item."""
    assert edit_paths(plan_of()) == ()


def test_a_long_edit_is_spread_over_requests_by_field() -> None:
    """No request is longer than the limit, none without an id, nothing lost, order kept."""
    changes = [change(target, "", "x" * 300) for target in list(PlexField)[:6]]
    plan = plan_of(*changes)

    paths = edit_paths(plan, limit_bytes=800)

    assert len(paths) == 3
    assert all(len(path) <= 800 for path in paths)
    queries = [parse_qsl(urlsplit(path).query) for path in paths]
    assert all(tuple(query[:2]) == ADDRESS for query in queries)
    assert [pair for query in queries for pair in query[2:]] == list(sent_by(plan))[2:]


@pytest.mark.parametrize(("limit", "requests_sent"), [(66, 2), (67, 1)], ids=["under", "at"])
def test_the_limit_counts_every_byte(limit: int, requests_sent: int) -> None:
    """One byte decides."""
    plan = plan_of(change(PlexField.TITLE, "", "b"), change(PlexField.STUDIO, "", "c"), lock=False)
    assert len(edit_paths(plan)[0]) == 67

    assert len(edit_paths(plan, limit_bytes=limit)) == requests_sent


def test_a_field_longer_than_the_limit_goes_alone() -> None:
    """It is not cut: half a summary would be wrong, a refusal is honest."""
    changes = [
        change(PlexField.TITLE, "", "t"),
        change(PlexField.SUMMARY, "", "漢" * 3000),
        change(PlexField.STUDIO, "", "s"),
    ]

    first, long, last = edit_paths(plan_of(*changes))

    assert "title" in first
    assert unquote(urlsplit(long).query).count("漢") == 3000
    assert "studio" in last


def test_a_list_longer_than_the_limit_goes_in_pieces_that_miss_no_name() -> None:
    """What is new, what stays, what goes, in this order; the lock comes last and once."""
    old, both, new = (tuple(f"{word}, {n:03}" for n in range(90)) for word in ("old", "both", "n"))
    plan = plan_of(change(PlexField.GENRES, (*old, *both), (*both, *new)))

    paths = edit_paths(plan, limit_bytes=3_000)

    assert all(len(path) <= 3_000 for path in paths)
    queries = [parse_qsl(urlsplit(path).query) for path in paths]
    assert all(tuple(query[:2]) == ADDRESS for query in queries)
    added = [[value for name, value in query if name.endswith(".tag")] for query in queries]
    gone = [
        [unquote(one) for value in removed(query) for one in value.split(",")] for query in queries
    ]
    assert [name for names in added for name in names] == [*new, *both]
    assert [name for names in gone for name in names] == list(old)
    assert not any(names and others for names, others in zip(added, gone, strict=True))
    firsts = [query[2][0] for query in queries]
    assert set(firsts) == {"genre[0].tag.tag", "genre[].tag.tag-"}
    locks = [dict(query).get("genre.locked") for query in queries]
    assert locks == [None] * (len(paths) - 1) + ["1"]


def removed(query: list[tuple[str, str]]) -> list[str]:
    """What a query takes away."""
    return [value for name, value in query if name.endswith("-")]


def test_a_list_of_names_longer_than_the_limit_each_goes_name_by_name() -> None:
    """None is cut; each may be refused for itself."""
    names = ("a" * 2_500, "b" * 2_500)
    paths = edit_paths(plan_of(change(PlexField.GENRES, (), names)), limit_bytes=0)
    assert [fields_of(path) for path in paths] == [("genre",), ("genre",)]


# ---- The same as plexapi -------------------------------------------------------------------------

_ROOT = '<MediaContainer machineIdentifier="m" version="1"/>'
_SECTIONS = (
    '<MediaContainer size="1"><Directory key="1" type="movie" title="Scenes"/></MediaContainer>'
)
_ITEM = (
    '<MediaContainer size="1"><Video ratingKey="9120" key="/library/metadata/9120" type="movie"'
    ' title="beach-day" librarySectionID="1">{tags}</Video></MediaContainer>'
)


class _Recorder(BaseAdapter):
    """Answers plexapi's reads from a table and remembers its writes."""

    def __init__(self, tags: str) -> None:
        super().__init__()
        self.answers = {
            "/": _ROOT,
            "/library": _ROOT,
            "/library/sections": _SECTIONS,
            "/library/metadata/9120": _ITEM.format(tags=tags),
        }
        self.put: list[str] = []

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> Any:  # noqa: ANN401 - requests' own signature varies
        """Serve one request."""
        url = urlsplit(request.url or "")
        response = requests.Response()
        response.status_code = 200
        response.encoding = "utf-8"
        body = self.answers[url.path] if request.method == "GET" else ""
        response._content = body.encode()  # noqa: SLF001 - the only way to make a response
        if request.method == "PUT":
            self.put.append(url.query)
        return response

    def close(self) -> None:
        """Nothing is open."""


def plexapi_query(tags: str, edit: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - plexapi has no types
    """What plexapi itself puts on the wire for a batch of edits."""
    from plexapi.server import PlexServer  # noqa: PLC0415 - only these tests need it

    recorder = _Recorder(tags)
    session = requests.Session()
    session.mount("http://", recorder)
    server: Any = PlexServer("http://plex.test", session=session)  # type: ignore[no-untyped-call]  # plexapi has no types
    item = server.fetchItem(9120).batchEdits()
    edit(item)
    item.saveEdits()
    (query,) = recorder.put
    return sorted(parse_qsl(query, keep_blank_values=True))


def our_query(*changes: Change) -> list[tuple[str, str]]:
    """What we put on the wire, after requests has had its way with it."""
    (path,) = edit_paths(plan_of(*changes))
    prepared = requests.Request("PUT", f"http://plex.test{path}").prepare()
    return sorted(parse_qsl(urlsplit(prepared.url or "").query, keep_blank_values=True))


ODD = "A & B, 100% <ü>/é #1 + 😀 'x'"


def test_texts_look_as_plexapi_sends_them() -> None:
    """Value, lock, id and type, byte for byte after decoding."""
    theirs = plexapi_query(
        "",
        lambda item: (
            item.editTitle(ODD)
            .editSortTitle("s")
            .editOriginalTitle("o")
            .editSummary("two\nlines")
            .editTagline("t")
            .editOriginallyAvailable("2021-06-05")
            .editStudio("")
            .editContentRating("XXX")
        ),
    )

    ours = our_query(
        change(PlexField.TITLE, "", ODD),
        change(PlexField.SORT_TITLE, "", "s"),
        change(PlexField.ORIGINAL_TITLE, "", "o"),
        change(PlexField.SUMMARY, "", "two\nlines"),
        change(PlexField.TAGLINE, "", "t"),
        change(PlexField.DATE, "", "2021-06-05"),
        change(PlexField.STUDIO, "", ""),
        change(PlexField.CONTENT_RATING, "", "XXX"),
    )

    assert ours == theirs


def test_added_tags_look_as_plexapi_sends_them() -> None:
    """It sends what the item has and what is added, as we send the whole wanted list."""
    theirs = plexapi_query(
        '<Genre tag="Old"/><Label tag="L"/>',
        lambda item: item.addGenre([ODD, "B"]).addLabel("M").addCollection("C").addDirector("D"),
    )

    ours = our_query(
        change(PlexField.GENRES, ("Old",), ("Old", ODD, "B")),
        change(PlexField.LABELS, ("L",), ("L", "M")),
        change(PlexField.COLLECTIONS, (), ("C",)),
        change(PlexField.DIRECTORS, (), ("D",)),
    )

    assert ours == theirs


def test_removed_tags_look_as_plexapi_sends_them() -> None:
    """The double encoding of names with commas and percent signs is the same."""
    theirs = plexapi_query(
        '<Genre tag="A"/><Genre tag="C, d"/>', lambda item: item.removeGenre(["A", "C, d", ODD])
    )

    ours = our_query(change(PlexField.GENRES, ("A", "C, d", ODD), ()))

    assert ours == theirs


def test_every_byte_of_a_path_is_one_a_url_may_hold() -> None:
    """The path goes out as it is, so that nothing is encoded twice."""
    (path,) = edit_paths(
        plan_of(change(PlexField.TITLE, "", ODD), change(PlexField.GENRES, (ODD,), ("x",)))
    )

    assert re.fullmatch(r"[A-Za-z0-9/?=&%._~-]+", path)
