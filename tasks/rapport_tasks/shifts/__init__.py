"""What tells that a message opens a new topic: directions, form, what precedes it; labels of shifts."""
