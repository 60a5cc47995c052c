"""What a person types: serve (the default), check, config, demo, and the options of serving."""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import platform
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from . import __version__
from .config import Config, load_config
from .errors import DatabaseMcpError
from .formatters.errors import format_error
from .logs import Redactor, setup_logging
from .start_up import loading

if TYPE_CHECKING:
    from .database_service import DatabaseService
    from .http.watch import Watch

log = logging.getLogger(__name__)

EXIT_CONFIGURATION = 2
EXIT_CLOSED = 141
"""What a shell says of a program whose reader went away (128 + SIGPIPE)."""
HTTP_END_SECONDS = 14.8
"""Ten seconds for running calls, and not quite five for what is left."""

COMMANDS = {"check": "check", "config": "client_entry", "demo": "demo.tour"}
"""The commands with arguments of their own: the module whose ``main(arguments)`` does the work, imported when called."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the arguments ask for and return the exit code: 0 well, 2 when the configuration cannot be used."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] in COMMANDS:
        command = importlib.import_module(f".{COMMANDS[arguments[0]]}", __package__)
        return _until_the_reader_has_enough(command.main, arguments[1:])
    options = _parser().parse_args(arguments)
    if options.version:
        _tell_version(options.format)
        return 0
    try:
        config = load_config(overrides={**_serving_settings(options), **(_demo_settings() if options.demo else {})})
        if config.transport == "stdio":
            return _serve_stdio(config, demo=options.demo)
        return _serve_http(config, demo=options.demo)
    except DatabaseMcpError as error:
        text, structured = format_error(error)
        sys.stderr.write((json.dumps(structured, default=str) if options.format == "json" else text) + "\n")
        return EXIT_CONFIGURATION


def _until_the_reader_has_enough(command: Callable[[Sequence[str]], int], arguments: Sequence[str]) -> int:
    """Run a command that prints. ``| head`` closes our output early: no reason for a traceback."""
    try:
        code = int(command(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to complain at exit
        return EXIT_CLOSED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mssqlclient-mcp",
        description="An MCP server for SQL Server and PostgreSQL. Settings come from the environment and from .env; "
        "the options below go before both.",
        epilog="commands with options of their own: check (what keeps it from connecting?), config (the entry for a client), "
        "demo (a tour through a sample database; no server of your own is needed).",
    )
    parser.add_argument("command", nargs="?", choices=["serve", *COMMANDS], default="serve", help="serve is the default")
    parser.add_argument("--transport", choices=["stdio", "http", "sse"], help="how clients reach the server (default stdio)")
    parser.add_argument("--host", metavar="ADDRESS", help="address to listen on over HTTP (default 127.0.0.1)")
    parser.add_argument("--port", metavar="N", help="port to listen on over HTTP (default 8000; 0: any that is free)")
    parser.add_argument("--demo", action="store_true", help="serve the sample database instead of your own")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="form of --version and of errors")
    parser.add_argument("--version", action="store_true", help="print the version and end")
    return parser


def _tell_version(form: str) -> None:
    told = {"name": "mssqlclient-mcp", "version": __version__, "python": platform.python_version()}
    sys.stdout.write((json.dumps(told) if form == "json" else f"mssqlclient-mcp {__version__}") + "\n")


def _serving_settings(options: argparse.Namespace) -> dict[str, str]:
    """What the command line sets, under the names of the environment."""
    given = {"TRANSPORT": options.transport, "HTTP_HOST": options.host, "HTTP_PORT": options.port}
    return {name: value for name, value in given.items() if value is not None}


def _demo_settings() -> dict[str, str]:
    from .demo.embedded import demo_environment

    return demo_environment()


def _serve_stdio(config: Config, *, demo: bool) -> int:
    with loading():
        import anyio

        from .database_service import DatabaseService
        from .process_end import ProcessEnd
        from .server import build_server, serve_stdio
        from .tracing import begin_tracing

        _begin_log(config)
        service = DatabaseService(config)
        flush = begin_tracing(config, service)
        watch = _watch(config, service)
        server = build_server(config, service, None if watch is None else watch.surroundings())
    end = ProcessEnd([service.close, flush, *([_leave_demo] if demo else [])])
    end.on_signals()
    if watch is not None:
        watch.start()
    try:
        anyio.run(serve_stdio, server)
    finally:
        end.finish()
    return 0


def _watch(config: Config, service: DatabaseService) -> Watch | None:
    """Rate limit and health API over stdio: nothing is imported for them unless they are set."""
    if not config.rate_limit_per_minute and config.health_port is None:
        return None
    from .http.watch import Watch

    try:
        return Watch(config, service)
    except DatabaseMcpError:
        service.close()
        raise


def _serve_http(config: Config, *, demo: bool) -> int:
    with loading():
        from .database_service import DatabaseService
        from .http.serving import HttpServer
        from .process_end import ProcessEnd
        from .tracing import begin_tracing

        redactor = _begin_log(config)
        service = DatabaseService(config)
        flush = begin_tracing(config, service)
        try:
            server = HttpServer(config, service)
        except DatabaseMcpError:
            service.close()
            raise
    redactor.add(*server.secrets)
    steps = [server.drain, service.close, server.finish, flush, *([_leave_demo] if demo else [])]
    end = ProcessEnd(steps, longest_seconds=HTTP_END_SECONDS)
    end.on_signals()
    try:
        server.run()
    finally:
        end.finish()
    return 0


def _begin_log(config: Config) -> Redactor:
    redactor = setup_logging(config.log_level, config.log_format, config.secrets)
    for warning in config.warnings:
        log.warning(warning)
    return redactor


def _leave_demo() -> None:
    from .demo.embedded import demo_server

    demo_server().close()
