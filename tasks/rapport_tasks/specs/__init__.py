"""What each task is: a file a task, of which suite, columns, tables, schemas and documentation follow."""
