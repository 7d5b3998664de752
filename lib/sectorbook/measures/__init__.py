"""The field's arithmetic: pure functions, frames in, frames out. Nothing here reads a file or knows a region."""
