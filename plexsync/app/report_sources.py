"""Composes a report with the files of this machine, and with the configured Plex for covers."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import quote

from plexsync.app.opening import command_config, open_servers
from plexsync.app.report import ReportSources, gather_report
from plexsync.app.web_addresses import configured_addresses
from plexsync.errors import NotFoundError
from plexsync.models import PlexField
from plexsync.stash_client import picture_type
from plexsync.state import cache_directory, load_client_id, state_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plexsync.app.report import ReportScope
    from plexsync.output.console import Invocation
    from plexsync.output.report.values import Report
    from plexsync.plex.client import PlexClient

_SIDE = 160
_SMALL_BYTES = 12_000


def make_report(
    invocation: Invocation, environ: Mapping[str, str], scope: ReportScope, *, pictures: bool
) -> Report:
    """Gather a report.

    Args:
        invocation: the options of the command.
        environ: where the directories and the configuration are found.
        scope: what the report is about.
        pictures: ask Plex for covers.

    Raises:
        ConfigError: the configuration or the scope is wrong.
        StateError: what is remembered cannot be read.
    """
    state_dir, cache_dir = state_directory(environ), cache_directory(environ)
    now = datetime.now(UTC)
    with ExitStack() as stack:
        cover = None
        if pictures:
            config = command_config(invocation)
            client_id = load_client_id(state_dir, create=False)
            cover = _cover_of(stack.enter_context(open_servers(config, client_id)).plex)
        sources = ReportSources(
            state_dir=state_dir,
            cache_dir=cache_dir,
            now=now,
            cover=cover,
            addresses=lambda machine: configured_addresses(
                invocation.config, environ, machine=machine
            ),
        )
        return gather_report(sources, scope)


def _cover_of(plex: PlexClient) -> Callable[[str, PlexField, str], bytes]:
    def cover(rating_key: str, field: PlexField, key: str) -> bytes:
        place = "file" if field is PlexField.POSTER else "art"
        address = f"/library/metadata/{quote(rating_key)}/{place}?url={quote(key, safe='')}"
        try:
            body = plex.pictures.fetch(address)
        except NotFoundError:
            # A picture that was replaced long ago may be gone.
            return b""
        return _small(body) if picture_type(body) in {"image/jpeg", "image/png"} else b""

    return cover


def _small(body: bytes) -> bytes:
    """Return a picture as small as a report shows it, where Pillow is installed."""
    if len(body) <= _SMALL_BYTES:
        return body
    try:
        from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - an extra
    except ImportError:
        return body
    try:
        with Image.open(BytesIO(body)) as picture:
            picture.thumbnail((_SIDE, _SIDE))
            out = BytesIO()
            picture.convert("RGB").save(out, "JPEG", quality=80)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return b""
    return out.getvalue()
