"""What `selfplay report` writes: a run, or several side by side, as one page and pictures.

    runs = read_runs([Path("runs/a")])
    write_report(runs, Path("report.html"))

From data to page: `data` reads run folders, `statistics` counts, `openings` asks the agent, `examples`
chooses games, `charts` and `board_figures` draw, `page` puts the page together, `report` writes it all.
Needs the extra `train` (matplotlib, jinja2).
"""
