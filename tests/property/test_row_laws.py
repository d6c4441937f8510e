"""Laws of the rows that scenes are remembered as: nothing is lost, and any row can be found."""

from __future__ import annotations

import zlib
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json
from msgspec.structs import replace

from plexsync.models import (
    Base,
    Confidence,
    Link,
    Outcome,
    PictureBase,
    PlexField,
    Problem,
    RatingKey,
    SceneId,
    SceneRecord,
)
from plexsync.storage.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from plexsync.storage.scenes.cells import FIELDS
from plexsync.storage.scenes.row import OUTCOMES, decode_row, encode_row
from plexsync.storage.scenes.texts import SharedTexts
from plexsync.sync.linking.pairs import bare
from plexsync.text.folding import join_entries, list_digest, split_entries
from tests.support.disk_faults import MemoryDisk
from tests.support.state_factories import rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plexsync.storage.scenes.rows import SceneRows

PLACE = Path("/nowhere/state.json")

texts = st.text(max_size=8) | st.text("0123456789abcdef", max_size=24)
NAMES = defaultdict(str, {"t1": "00" * 6, "t2": "3fa9b1c2d3e4", "p1": "3fa9b1c2d3e4"})
"""The digests of the names of objects."""

entries = texts | st.lists(st.sampled_from(["00" * 6, "3fa9b1c2d3e4"]), max_size=3).map("".join)
paths = texts | st.builds("/".join, st.lists(st.sampled_from(["", "a", "b"]), max_size=4))
words = texts.map(str.split) | st.lists(st.sampled_from(["p1", "s1", "t1", "t2", "|"]))
related = words.map(" ".join)
times = texts | st.builds(
    "{}{}".format,
    st.datetimes().map(lambda one: one.isoformat()),
    st.sampled_from(["", "Z", "+02:00", "-11:30", ".5Z", ".25"]),
)
stamps = texts | st.integers(-5, 2**40).map("t={}".format)
keys = texts | texts.map("upload://posters/{}".format)
shown = texts | st.sampled_from(["", "merge /library/metadata/7/thumb/1", "x /library/metadata/7/"])
names = st.sets(st.sampled_from([*NAMES.values(), "d0d0d0d0d0d0"])).map(join_entries)
odd_bases = st.builds(
    Base,
    digest=texts,
    entries=entries,
    seen=entries,
    wanted=texts,
    found=st.booleans(),
    credits=texts,
)
bases = odd_bases | st.builds(
    lambda ours, seen, wants: Base(
        digest=list_digest(join_entries(split_entries(ours) | split_entries(seen))),
        entries=ours,
        seen=seen,
        wanted=list_digest(ours) if wants else "",
    ),
    names,
    names,
    st.booleans(),
)
pictures = st.builds(
    PictureBase, stamp=stamps, etag=texts, key=keys, shown=shown, made=texts, former=keys
)
fields = st.sampled_from(PlexField)
links = st.builds(
    Link,
    rating_key=st.sampled_from(["7", "8", "900"]).map(RatingKey),
    section_id=st.sampled_from(["1", "2"]),
    path=paths,
    confidence=st.sampled_from(Confidence),
    base=st.dictionaries(fields, bases, max_size=4),
    held=st.dictionaries(fields, texts, max_size=2),
    pictures=st.dictionaries(fields, pictures, max_size=2),
    inherited=st.booleans(),
    above=st.lists(st.sampled_from(["1", "2"]).map(RatingKey), max_size=2).map(tuple),
)
records = st.builds(
    SceneRecord,
    updated_at=times,
    outcome=st.sampled_from(Outcome),
    files=texts,
    desired=texts,
    links=st.lists(links, max_size=3).map(tuple),
    attempts=st.integers(0, 10),
    due_at=texts,
    problem=st.none() | st.builds(Problem, kind=texts, message=texts),
    related=related,
    marks=texts,
    year=texts,
)
odd_ids = st.text('"\\\n:,é1', max_size=4)
scene_ids = (st.integers(1, 150).map(str) | odd_ids).map(SceneId)
libraries = st.dictionaries(scene_ids, records, max_size=8)


def kept_in(rows: SceneRows) -> dict[SceneId, SceneRecord | None]:
    """Return every record, asked for one by one."""
    return {scene_id: rows.record(scene_id) for scene_id in rows}


def on_disk(rows: SceneRows) -> SceneRows:
    """Return what is read of rows once they were written."""
    disk = MemoryDisk()
    write_checkpoint(PLACE, Checkpoint(rows=rows), disk)
    found = read_checkpoint(PLACE, disk)
    assert found is not None
    return found.rows


def changed(rows: SceneRows, news: Mapping[SceneId, SceneRecord | None]) -> SceneRows:
    """Return rows in which some scenes are remembered otherwise, or not any more."""
    for scene_id, record in news.items():
        rows.keep(scene_id, None if record is None else rows.pack(record)[0])
    return rows


def test_every_field_and_outcome_has_a_place() -> None:
    """One without would be forgotten."""
    assert sorted(FIELDS) == sorted(PlexField)
    assert sorted(OUTCOMES) == sorted(Outcome)


def test_a_fraction_of_a_second_is_no_shared_text() -> None:
    """Hardly two rows have the same, and each change of a scene would make one more."""
    texts = SharedTexts()
    encode_row(SceneRecord(updated_at="2026-11-22T08:32:54.1234Z", outcome=Outcome.KEPT), texts)
    assert not list(texts)


def test_a_scene_that_is_remembered_again_has_the_same_row() -> None:
    """A folder of one file is worth no text, however often that file is remembered."""
    texts = SharedTexts()
    link = Link(rating_key=RatingKey("7"), section_id="1", path="/media/one/of its own/film.mkv")
    record = SceneRecord(updated_at="", outcome=Outcome.KEPT, links=(link,))
    assert encode_row(record, texts) == encode_row(record, texts)
    assert not list(texts)


@given(first=records, record=records)
@settings(max_examples=200, deadline=None)
def test_a_row_is_read_as_the_record_it_was_made_of(
    first: SceneRecord, record: SceneRecord
) -> None:
    """Whatever texts and names are known by then, and where names change afterwards."""
    texts = SharedTexts(["/a/", "3fa9b1c2"])
    texts.name_of = NAMES.__getitem__
    rows = [(one, encode_row(one, texts)) for one in (first, record)]
    texts.name_of = lambda _one: "ffffffffffff"
    texts.rename("t1")
    rows.append((record, encode_row(record, texts)))
    read = SharedTexts(texts)
    for one, row in rows:
        assert decode_row(row, texts) == decode_row(row, read) == one
        links = tuple(bare(link) for link in one.links)
        assert decode_row(row, read, bare=True) == replace(one, links=links)


@given(old=st.lists(records, max_size=2), record=records)
@settings(max_examples=100, deadline=None)
def test_a_row_of_a_journal_is_read_by_the_texts_of_that_journal(
    old: list[SceneRecord], record: SceneRecord
) -> None:
    """Also where the checkpoint it was written after is lost, and another one has other numbers."""
    writer, reader = rows_of({SceneId(str(at)): one for at, one in enumerate(old)}), rows_of({})
    writer.begin_journal()
    reader.pack(replace(record, related="p7 t9", updated_at="2020-01-01T00:00:00-05:00"))
    reader.begin_journal()
    for one in (record, *old, record):
        row = reader.as_row(SceneId("1"), *writer.pack(one))
        reader.keep(SceneId("1"), row)
        assert reader.record(SceneId("1")) == one


@given(
    library=libraries,
    news=st.dictionaries(scene_ids, st.none() | records, max_size=4),
    asked=st.lists(scene_ids, max_size=4),
)
@settings(max_examples=50, deadline=None)
def test_rows_are_a_mapping_wherever_they_come_from(
    library: dict[SceneId, SceneRecord],
    news: dict[SceneId, SceneRecord | None],
    asked: list[SceneId],
) -> None:
    """Of a checkpoint, with news, and with these written: each is found, and none that is not."""
    wanted = {key: one for key, one in {**library, **news}.items() if one is not None}
    rows = changed(on_disk(rows_of(library)), news)
    for found in (rows, on_disk(rows), rows):
        assert {one: found.record(one) for one in asked} == {one: wanted.get(one) for one in asked}
        assert len(found) == len(wanted)
        assert kept_in(found) == wanted


@given(library=libraries)
@settings(max_examples=50, deadline=None)
def test_a_checkpoint_of_objects_is_read_as_the_same_records(
    library: dict[SceneId, SceneRecord],
) -> None:
    """Earlier versions wrote each record with the names of all it holds."""
    disk = MemoryDisk()
    body = b'{\n"schema": "plexsync/state/1",\n"serial": 3,\n"scenes": %b,\n' % json.encode(library)
    seal = b'"checksum": "crc32:%08x"\n}\n' % zlib.crc32(body)
    disk.write(disk.create(PLACE), body + seal)
    found = read_checkpoint(PLACE, disk)
    assert found is not None
    assert (found.serial, kept_in(found.rows)) == (3, library)
    assert kept_in(on_disk(found.rows)) == library
