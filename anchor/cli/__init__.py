"""The program `credanchor`: verify and audit here, more when the registry part is installed."""
