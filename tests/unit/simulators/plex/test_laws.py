"""Laws of the simulated Plex server: for any text, any tags, any order."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from plexsync.simulators.plex.store import nocase
from tests.support.plex_factories import ask_json, ask_xml, make_plex, make_video, put

XML_TEXT = st.text(
    st.characters(
        exclude_categories=("Cs", "Cc"),
        exclude_characters="\ufffe\uffff",
        include_characters="\n\t",
    ),
    min_size=1,
)
"""What XML 1.0 can hold and its parser gives back unchanged."""

NAMES = st.lists(
    st.text(st.sampled_from("aAbBé, %&+'\"|/"), min_size=1, max_size=6),
    max_size=6,
    unique_by=nocase,
)
EDIT = "/library/sections/1/all?type=1&id=10"


@given(title=XML_TEXT, file=XML_TEXT)
@settings(max_examples=60, deadline=None)
def test_both_forms_hold_the_text_that_was_written(title: str, file: str) -> None:
    """Whatever an edit sends comes back from XML and from JSON."""
    plex = make_plex(make_video(10))

    put(plex, f"{EDIT}&{urlencode({'title.value': title, 'summary.value': file})}")

    (entry,) = ask_json(plex, "/library/metadata/10")["Metadata"]
    video = ask_xml(plex, "/library/metadata/10").find("./Video")
    assert video is not None
    assert (entry["title"], entry["summary"]) == (title, file)
    assert (video.get("title"), video.get("summary")) == (title, file)


@given(names=NAMES, gone=st.sets(st.integers(0, 5)))
@settings(max_examples=60, deadline=None)
def test_added_and_removed_tags_leave_the_rest(names: list[str], gone: set[int]) -> None:
    """Commas, percent signs and quotes in names make no difference to a removal."""
    plex = make_plex(make_video(10))
    added = urlencode({f"genre[{n}].tag.tag": name for n, name in enumerate(names)})
    surplus = [name for n, name in enumerate(names) if n in gone]
    removal = quote(",".join(quote(name, safe="") for name in surplus), safe="")

    put(plex, f"{EDIT}&{added}")
    put(plex, f"{EDIT}&genre%5B%5D.tag.tag-={removal}")

    (entry,) = ask_json(plex, "/library/metadata/10")["Metadata"]
    left = [name for name in names if name not in surplus]
    assert [genre["tag"] for genre in entry.get("Genre", ())] == left


@given(names=NAMES)
@settings(max_examples=40, deadline=None)
def test_repeating_an_edit_changes_nothing_more(names: list[str]) -> None:
    """Adding what is there already adds nothing, so a lost reply may be answered by a repeat."""
    plex = make_plex(make_video(10))
    added = urlencode({f"label[{n}].tag.tag": name for n, name in enumerate(names)})

    put(plex, f"{EDIT}&{added}")
    once = plex.dump()
    put(plex, f"{EDIT}&{added}")

    assert plex.dump() == once
