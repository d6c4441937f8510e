"""`plexsync review` and its subcommands: their options and help."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from plexsync.commands.completion import complete_answered, complete_review
from plexsync.commands.options import (
    CONTEXT,
    global_options,
    lock_wait_option,
    new_command,
    read_rating_key,
    read_scene_id,
    with_options,
)
from plexsync.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from plexsync.commands.completion import Completer
    from plexsync.models import SceneId
    from plexsync.output.console import Invocation

_F = TypeVar("_F", bound="Callable[..., object]")

_SHARE = click.FloatRange(0, 1)

_filter_options = with_options(
    click.option(
        "--score-min",
        metavar="SCORE",
        type=_SHARE,
        help="Only scenes with a best candidate of at least this score, 0 to 1.",
    ),
    click.option(
        "--lead-min",
        metavar="LEAD",
        type=_SHARE,
        help="Only scenes with a best candidate at least this far ahead of the next.",
    ),
    click.option(
        "--reason",
        metavar="TEXT",
        default="",
        help="Only scenes with TEXT in the reason for not being HIGH.",
    ),
)
"""Choose among what waits."""

_answer_options = with_options(_filter_options, lock_wait_option("a run"))
"""What every command that answers takes beside scenes."""

_item_option = click.option(
    "--item",
    "items",
    metavar="RATING_KEY",
    multiple=True,
    type=read_rating_key,
    help="This Plex item; may be given several times.",
)


def _scene_arguments(complete: Completer, *, required: bool = False) -> Callable[[_F], _F]:
    return click.argument(
        "ids",
        metavar="SCENE_ID..." if required else "[SCENE_ID]...",
        nargs=-1,
        required=required,
        type=read_scene_id,
        shell_complete=complete,
    )


@click.group(context_settings=CONTEXT, invoke_without_command=True)
@click.option("--web", is_flag=True, help="Review in a browser on this machine.")
@click.option(
    "--port",
    metavar="PORT",
    type=click.IntRange(0, 65535),
    default=0,
    help="Where --web listens on loopback; any free port by default.",
)
@click.option(
    "--no-pictures",
    is_flag=True,
    help="Show no covers in a terminal that can (kitty, iTerm2, sixel).",
)
@global_options
@click.pass_context
def review_command(context: click.Context, *, web: bool, port: int, no_pictures: bool) -> int:
    """Settle the LOW matches that wait for a person.

    In a terminal: one scene a screen, answered by single keys; ? explains them. Each answer
    is safe the moment it is given, and nothing is written to Plex before you say so at the end.
    With --web the same in a browser on this machine, with the pictures of both side by side;
    small covers stand beside the facts in terminals that show pictures (extra `pictures`).
    The subcommands do the same without a terminal.

    What was answered is obeyed by every later run, until a file changes: an accepted pair is
    HIGH, a refused one never comes back, an ignored scene takes no part.

    \b
    Examples:
      plexsync review                           answer by keys
      plexsync review --web                     in a browser, with pictures
      plexsync review list --json               what waits, for programs
      plexsync review accept 812 --item 9120    this scene is this item
      plexsync review reject 812 --none         it is not in Plex
      plexsync review ignore 812 --because old  leave it alone
      plexsync review export waiting.csv        answer in a spreadsheet
      plexsync review import waiting.csv        and take the answers in
    """
    if context.invoked_subcommand is not None:
        return 0
    invocation: Invocation = context.obj
    if web:
        from plexsync.review.web.serve import review_in_browser

        return review_in_browser(invocation, port=port)
    # Before the first screen nothing is thrown away, and looking for it took 0.1 s of 0.8.
    gc.disable()
    try:
        from plexsync.review.terminal.application import review_by_keys

        return review_by_keys(invocation, pictures=not no_pictures)
    finally:
        gc.enable()


@new_command(review_command, "list", short_help="Show what waits.")
@_filter_options
def list_command(invocation: Invocation, /, **options: Any) -> int:  # noqa: ANN401 - click hands them over
    """Show the LOW matches that wait for a person.

    A table in a terminal; else a tab-separated line a scene: id, two columns that are empty,
    candidates, best item, titles, paths, reason, and what a person compares.
    """
    from plexsync.review.batch.subcommands import SceneChoice, list_waiting

    return list_waiting(invocation, SceneChoice(**options))


@new_command(review_command, "show", short_help="Show all there is about a scene.")
@_scene_arguments(complete_review, required=True)
def show_review_command(invocation: Invocation, ids: tuple[SceneId, ...]) -> int:
    """Show a scene's candidates, the evidence for and against each, and what each would change."""
    from plexsync.review.batch.subcommands import show_scenes

    return show_scenes(invocation, ids)


@new_command(review_command, short_help="These scenes are these items.")
@_scene_arguments(complete_review)
@_answer_options
@_item_option
@click.option("--best", is_flag=True, help="Take the first candidate where there are several.")
@click.option("--take", is_flag=True, help="Take an item from the scene it is linked to.")
def accept_command(invocation: Invocation, /, **options: Any) -> int:  # noqa: ANN401 - click hands them over
    """Accept an item for a scene: the match is HIGH from then on, until a file changes."""
    return _answer(invocation, "accept", options)


@new_command(review_command, short_help="These scenes are not these items.")
@_scene_arguments(complete_review)
@_answer_options
@_item_option
@click.option("--none", is_flag=True, help="None of them: the scene is not in Plex.")
def reject_command(invocation: Invocation, /, **options: Any) -> int:  # noqa: ANN401 - click hands them over
    """Refuse an item for a scene: the pair never comes back, until a file changes."""
    is_none = options.pop("none")
    if bool(options["items"]) == is_none:
        raise ConfigError(
            "say which item it is not, or that it is none",
            hint="--item RATING_KEY, or --none if the scene is not in Plex",
        )
    return _answer(invocation, "absent" if is_none else "reject", options)


@new_command(review_command, short_help="Leave these scenes alone.")
@_scene_arguments(complete_review)
@_answer_options
@click.option("--because", metavar="TEXT", default="", help="Why; kept with the answer.")
def ignore_command(invocation: Invocation, /, **options: Any) -> int:  # noqa: ANN401 - click hands them over
    """Ignore a scene: it takes no part until its files change."""
    return _answer(invocation, "ignore", options)


@new_command(review_command, short_help="Forget what was answered.")
@_scene_arguments(complete_answered)
@_answer_options
def reset_command(invocation: Invocation, /, **options: Any) -> int:  # noqa: ANN401 - click hands them over
    """Forget everything answered about a scene; the next run looks at it afresh."""
    return _answer(invocation, "reset", options)


@new_command(review_command, "export", short_help="Write what waits to a CSV file.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_filter_options
def export_command(invocation: Invocation, /, file: Path, **options: Any) -> int:  # noqa: ANN401 - click hands them over
    """Write a line a candidate to FILE, for a spreadsheet.

    Put accept, reject, not in plex or ignore under 'answer', save as CSV UTF-8, and take it in
    with `plexsync review import`.
    """
    from plexsync.review.batch.subcommands import SceneChoice, export_waiting

    return export_waiting(invocation, file, SceneChoice(**options))


@new_command(review_command, "import", short_help="Take in the answers of a file.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--take", is_flag=True, help="Take items from the scenes they are linked to.")
@lock_wait_option("a run")
def import_command(invocation: Invocation, /, file: Path, **options: Any) -> int:  # noqa: ANN401 - click hands them over
    """Take in the answers of a FILE that `plexsync review export` wrote.

    All lines are checked first; with one that is wrong, nothing is answered.
    """
    from plexsync.review.batch.subcommands import SceneChoice, import_answers

    return import_answers(invocation, file, SceneChoice(**options))


# ---- Private -------------------------------------------------------------------------------------


def _answer(invocation: Invocation, verb: str, options: dict[str, Any]) -> int:
    from plexsync.matcher import Verb
    from plexsync.review.batch.subcommands import SceneChoice, answer_scenes

    return answer_scenes(invocation, Verb(verb), SceneChoice(**options))
