"""One self-contained HTML page from saved results: verdicts, pictures, leaderboard, case studies."""
