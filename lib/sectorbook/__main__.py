"""The command, as `sectorbook` or `python -m sectorbook`."""

import sys

_SILENT = {"--quiet", "--log-json", "--help"}


def main() -> None:
    """Run the command line. A run says that it has begun before it loads anything."""
    words = sys.argv[1:]
    if words[:1] == ["run"] and not _SILENT & set(words) and sys.stderr.isatty():
        sys.stderr.write("Reading what has changed …\n")
        sys.stderr.flush()
    from sectorbook import cli

    cli.main()


if __name__ == "__main__":
    main()
