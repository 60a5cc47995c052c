"""What a person types: serve (the default), demo, --demo, --version."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence

from . import __version__
from .config import Config, load_config
from .errors import ConfigInvalid, DatabaseMcpError
from .formatters.errors import format_error
from .logs import setup_logging
from .start_up import loading

log = logging.getLogger(__name__)

EXIT_CONFIGURATION = 2


COMMANDS = {"check": "check", "config": "client_entry", "demo": "demo.tour"}
"""The commands with arguments of their own: the module whose ``main(arguments)`` does the work, imported when called."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the arguments ask for and return the exit code: 0 well, 2 when the configuration cannot be used."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] in COMMANDS:
        command = importlib.import_module(f".{COMMANDS[arguments[0]]}", __package__)
        return int(command.main(arguments[1:]))
    options = _parser().parse_args(arguments)
    try:
        config = load_config(overrides={**_serving_settings(options), **(_demo_settings() if options.demo else {})})
        _check_transport(config)
        return _serve(config, demo=options.demo)
    except DatabaseMcpError as error:
        sys.stderr.write(format_error(error)[0] + "\n")
        return EXIT_CONFIGURATION


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mssqlclient-mcp",
        description="An MCP server for SQL Server and PostgreSQL, over stdio. Settings come from the environment and .env.",
        epilog="`mssqlclient-mcp demo` takes a tour through a sample database; no server of your own is needed for it.",
    )
    parser.add_argument("--version", action="version", version=f"mssqlclient-mcp {__version__}")
    parser.add_argument("--demo", action="store_true", help="serve the sample database instead of your own")
    parser.add_argument("command", nargs="?", choices=["serve", *COMMANDS], default="serve")
    return parser


def _serving_settings(_: argparse.Namespace) -> dict[str, str]:
    """What the command line sets, under the names of the environment."""
    return {}


def _check_transport(config: Config) -> None:
    """Another transport is refused, never replaced by stdio in silence."""
    if config.transport != "stdio":
        raise ConfigInvalid(
            f"TRANSPORT is {config.transport!r}; this version serves stdio only.",
            details={"setting": "TRANSPORT"},
            next_step="Leave TRANSPORT out, or set it to stdio.",
        )


def _demo_settings() -> dict[str, str]:
    from .demo.embedded import demo_environment

    return demo_environment()


def _serve(config: Config, *, demo: bool) -> int:
    with loading():
        import anyio

        from .database_service import DatabaseService
        from .process_end import ProcessEnd
        from .server import build_server, serve_stdio

        setup_logging(config.log_level, config.log_format, config.secrets)
        for warning in config.warnings:
            log.warning(warning)
        service = DatabaseService(config)
        server = build_server(config, service)
    end = ProcessEnd([service.close, *([_leave_demo] if demo else [])])
    end.on_signals()
    try:
        anyio.run(serve_stdio, server)
    finally:
        end.finish()
    return 0


def _leave_demo() -> None:
    from .demo.embedded import demo_server

    demo_server().close()
