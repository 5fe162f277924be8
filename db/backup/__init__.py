"""A second copy of the book elsewhere: parts, cycles and recovery steps, best effort, never in the way of trading."""
