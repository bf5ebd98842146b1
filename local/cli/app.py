"""The commands, joined: options that all of them take, help in the reader's language, and one way to end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from local.cli.commands import (
    check_feed,
    code,
    conflicts,
    links,
    people,
    portfolio,
    replay,
    resolve,
    status,
    sync,
    why,
)
from local.cli.screen import Screen, plain
from local.cli.session import Session, Tools
from local.cli.trouble import STOPPED, WRONG_USE, Trouble
from local.cli.words import LANGUAGES, words

_WITH_VALUE = ("--at", "--token", "--settings", "--language")
_FLAGS = ("--json",)
"""Options of all commands: they may stand anywhere on the line."""


def language_of(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """The language asked for; else English where the machine speaks it; else French."""
    for number, one in enumerate(arguments):
        name, equals, value = one.partition("=")
        if name == "--language":
            value = value if equals else next(iter(arguments[number + 1 :]), "")
            return value if value in LANGUAGES else LANGUAGES[0]
    spoken = next(
        (environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), ""
    )
    return "en" if spoken.lower().startswith("en") else LANGUAGES[0]


def in_front(arguments: Sequence[str]) -> list[str]:
    """The same words with the options of all commands before the command, wherever they stood."""
    front, rest, left = list[str](), list[str](), list(arguments)
    while left:
        one = left.pop(0)
        if one == "--":
            return [*front, *rest, one, *left]
        name, equals, _ = one.partition("=")
        if one in _FLAGS or (name in _WITH_VALUE and equals):
            front.append(one)
        elif name in _WITH_VALUE and left:
            front += [one, left.pop(0)]
        else:
            rest.append(one)
    return [*front, *rest]


class Group(TyperGroup):
    """Commands under one name."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command meant. Raises ``Trouble`` naming those that there are."""
        if args and args[0] not in self.commands:
            raise Trouble(WRONG_USE, "use.command", what=args[0], known=", ".join(self.commands))
        return super().resolve_command(ctx, args)


class Commands(Group):
    """All commands; whatever ends one becomes an exit code and a sentence, never a stack of lines."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run one command and exit with its code."""
        given = list(sys.argv[1:] if args is None else args)
        language = language_of(given, os.environ)
        said = words(language)
        _worded(self, said)
        try:
            code = super().main(in_front(given), prog_name, complete_var, False, windows_expand_args, **extra)
        except Trouble as trouble:
            shown = {name: plain(str(value)) for name, value in trouble.values.items()}
            _tell(said[trouble.key].format(**shown))
            code = trouble.code
        except typer.TyperException as misused:
            _tell(said["trouble.use"].format(what=plain(_use(misused, said))))
            code = WRONG_USE
        except typer.Abort:
            _tell("\n" + said["trouble.stopped"])
            code = STOPPED
        except BrokenPipeError:  # whoever read our lines has read enough ("| head")
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = STOPPED
        else:
            if code == STOPPED:  # Ctrl-C, wherever it came
                _tell("\n" + said["trouble.interrupted"])
        sys.exit(code if isinstance(code, int) else 0)


def _tell(text: str) -> None:
    Screen(as_json=False).tell(text, "bold red")


def _use(misused: typer.TyperException, said: Mapping[str, str]) -> str:
    """What was wrong with the line, in the reader's language where it is one of the usual mistakes."""
    parameter = getattr(misused, "param", None)
    missing = (getattr(parameter, "metavar", "") or getattr(parameter, "name", "")) if parameter else ""
    what = getattr(misused, "option_name", "") or missing
    if misused.message.startswith("Got unexpected extra argument"):
        return said["use.extra"]  # and not which: it may be a name, or a link
    if misused.message.startswith("Missing command"):
        return said["use.none"]
    text = said.get(f"use.{type(misused).__name__}", "") if what else ""
    return text.format(what=what) if text else misused.format_message().rstrip(".")


def _worded(command: Any, said: Mapping[str, str]) -> None:
    """Put the texts in the place of their keys, in a command and all below it: typer fixes help when it is imported."""
    command.help = said.get(command.help or "", command.help)
    command.rich_help_panel = said.get(command.rich_help_panel or "", command.rich_help_panel)
    shown = command.get_help_option(typer.Context(command))
    shown.help = said["help.help"]
    for parameter in (shown, *command.params):
        parameter.help = said.get(parameter.help or "", parameter.help)
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    for one in getattr(command, "commands", {}).values():
        _worded(one, said)


app = typer.Typer(
    cls=Commands, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="help.all"
)


@app.callback()
def begin(
    ctx: typer.Context,
    at: Annotated[str, typer.Option(envvar="SYNC_AT", help="help.at", metavar="URL")] = "",
    token: Annotated[
        str, typer.Option(envvar="SYNC_TOKEN", help="help.token", metavar="TOKEN", show_default=False)
    ] = "",
    settings: Annotated[Path | None, typer.Option(help="help.settings", metavar="FILE")] = None,
    json: Annotated[bool, typer.Option("--json", help="help.json")] = False,
    language: Annotated[str, typer.Option(help="help.language", metavar="fr|en")] = "",
) -> None:
    """Read what all commands share."""
    if language not in ("", *LANGUAGES):
        raise Trouble(WRONG_USE, "trouble.language", language=language)
    tools = ctx.obj if isinstance(ctx.obj, Tools) else Tools()
    chosen = language or language_of((), os.environ)
    session = Session(chosen, Screen(as_json=json), tools, at, token, settings)
    ctx.obj = session
    ctx.call_on_close(session.close)


_EVERY_DAY, _ONCE_IN_A_WHILE = "help.panel_look", "help.panel_change"
_COMMANDS: tuple[tuple[str, Callable[..., int], str], ...] = (
    ("status", status.status, _EVERY_DAY),
    ("conflicts", conflicts.conflicts, _EVERY_DAY),
    ("why", why.why, _EVERY_DAY),
    ("check-feed", check_feed.check_feed, _EVERY_DAY),
    ("sync", sync.sync, _ONCE_IN_A_WHILE),
    ("resolve", resolve.resolve, _ONCE_IN_A_WHILE),
    ("replay", replay.replay, _ONCE_IN_A_WHILE),
    ("erase", people.erase, _ONCE_IN_A_WHILE),
    ("export-person", people.export_person, _ONCE_IN_A_WHILE),
    ("code", code.code, _ONCE_IN_A_WHILE),
)
for _name, _command, _panel in _COMMANDS:
    app.command(_name, help=f"help.{_name}", rich_help_panel=_panel)(_command)

_links = typer.Typer(cls=Group, help="help.links", invoke_without_command=True, rich_help_panel=_EVERY_DAY)
_links.callback()(links.links)
_links.command("show", help="help.links.show")(links.show)
_links.command("rotate", help="help.links.rotate")(links.rotate)
_links.command("revoke", help="help.links.revoke")(links.revoke)
_links.command("disconnect", help="help.links.disconnect")(links.disconnect)
app.add_typer(_links, name="links")

_portfolio = typer.Typer(
    cls=Group, help="help.portfolio", no_args_is_help=True, rich_help_panel=_ONCE_IN_A_WHILE
)
_portfolio.command("export", help="help.portfolio.export")(portfolio.export)
_portfolio.command("import", help="help.portfolio.import")(portfolio.take)
app.add_typer(_portfolio, name="portfolio")
