"""Sectorbook: a workbook that carries a regional sector initiative from deciding to outcome evaluation."""

__version__ = "0.1.0"
