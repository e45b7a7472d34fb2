"""The `rapport` command: a file a command, options in, calls of the library, an exit code out."""
