"""Chapters x regions: plan what must run, run it with papermill, keep going when one fails, write a receipt."""
