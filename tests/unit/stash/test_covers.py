"""What the answer to a cover's address means, where a server says something odd."""

from __future__ import annotations

import pytest

from plexsync.errors import BadResponseError
from plexsync.stash.covers import fetch_cover
from tests.support.transport_bench import transport_bench

JPEG = b"\xff\xd8\xff\xe0"


@pytest.mark.parametrize("total", ["*", "", "-1", "9" * 5000], ids=["*", "", "-1", "nines"])
def test_part_of_a_cover_says_of_how_much(total: str) -> None:
    """A size that is none is an answer that cannot be used."""
    headers = (("Content-Range", f"bytes 0-3/{total}"),)
    with (
        transport_bench(body=JPEG, headers=headers, status=206) as bench,
        pytest.raises(BadResponseError, match="does not say of how much"),
    ):
        fetch_cover(bench.transport, "/scene/1/screenshot", whole=False)
