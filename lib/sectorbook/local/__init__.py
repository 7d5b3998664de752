"""An initiative's own files: templates to fill in, reading them, and every problem they have."""
