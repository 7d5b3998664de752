"""Lets `python -m sectorbook` do what the command does."""

from sectorbook.cli import main

if __name__ == "__main__":
    main()
