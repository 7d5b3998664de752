"""Findings to reports. `book` gathers a region's ledgers; each format is one module that renders a book."""
