"""Reports: a ranking document as text, JSON, CSV, Markdown or HTML."""
